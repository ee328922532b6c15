"""GET /v1/recipients: the retry counters of those to whom something was sent or tried."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from outbox.log import recipients as log
from outbox.log.tokens import Token
from outbox.web import asked
from outbox.web.bearer import allowed
from outbox.web.documents import Recipients
from outbox.web.problems import ProblemError, documented, problem
from outbox.web.service import ServiceOf

recipients = APIRouter(prefix="/v1")


@recipients.get("/recipients", responses=documented(401, 403, 422, 429, 500, 503))
def list_recipients(
    _token: Annotated[Token, Depends(allowed("read"))],
    service: ServiceOf,
    request: Request,
    account: Annotated[str | None, Query(description="Only this account's.")] = None,
    to: Annotated[str | None, Query(description="Only this number or JID.")] = None,
    failing: Annotated[bool, Query(description="Only those who wait for a retry.")] = False,
    after: Annotated[
        str | None, Query(description="Behind this one: an id, a colon, an account.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 50,
) -> Recipients:
    """List recipients with their counters, in the order of their ids. Needs the scope `read`."""
    jid = asked.recipient(to)
    with service.pool.connection() as connection:
        found = log.listing(
            connection,
            limit + 1,
            account=account,
            jid=jid,
            failing=failing,
            after=None if after is None else _place(after),
        )
    page = Recipients.model_validate({"recipients": found[:limit], "next": None})
    if len(found) > limit:
        query = [pair for pair in request.query_params.multi_items() if pair[0] != "after"]
        last = found[limit - 1]
        query.append(("after", f"{last.id}:{last.account}"))
        page.next = f"{request.url.path}?{urlencode(query)}"
    return page


def _place(given: str) -> log.Place:
    id_, _, account = given.partition(":")
    try:
        return log.Place(UUID(id_), account)
    except ValueError:
        found = problem("bad_parameter", f"after is {given}", field="after", more="Follow next.")
        raise ProblemError(found) from None
