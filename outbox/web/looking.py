"""GET /v1/notifications: what there is, and what befell one of them."""

from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime

from outbox.caller.options import EARLIEST, LATEST
from outbox.log import notifications
from outbox.log.tokens import Token
from outbox.web import asked
from outbox.web.bearer import allowed
from outbox.web.documents import Page, Shown, State
from outbox.web.problems import documented
from outbox.web.service import ServiceOf

looking = APIRouter(prefix="/v1")

_GROUPS = {"open": notifications.OPEN, "dead": notifications.DEAD}


@looking.get("/notifications", responses=documented(401, 403, 422, 429, 500, 503))
def list_notifications(
    _token: Annotated[Token, Depends(allowed("read"))],
    service: ServiceOf,
    request: Request,
    state: Annotated[
        list[State | Literal["open", "dead"]] | None,
        Query(description="Only in this state; open and dead stand for several."),
    ] = None,
    account: Annotated[str | None, Query(description="Only this account's.")] = None,
    to: Annotated[str | None, Query(description="Only to this number or JID.")] = None,
    kind: Annotated[str | None, Query(description="Only this kind of content.")] = None,
    since: Annotated[
        AwareDatetime | None, Query(description="Enqueued then or later; with a time zone.")
    ] = None,
    until: Annotated[AwareDatetime | None, Query(description="Enqueued earlier.")] = None,
    after: Annotated[UUID | None, Query(description="Behind this one.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 50,
) -> Page:
    """List notifications, the newest first. Needs the scope `read`."""
    which = notifications.Filter(
        account=account,
        states=[one for name in state or () for one in _GROUPS.get(name, (name,))],
        jid=asked.recipient(to),
        kind=kind,
        # Nothing was enqueued before or will be after; and no clock is asked to go further.
        since=since and min(max(since, EARLIEST), LATEST),
        until=until and min(max(until, EARLIEST), LATEST),
    )
    with service.pool.connection() as connection:
        found = notifications.listing(connection, which, limit + 1, after)
    page = Page.model_validate({"notifications": found[:limit], "next": None})
    if len(found) > limit:
        query = [pair for pair in request.query_params.multi_items() if pair[0] != "after"]
        query.append(("after", str(found[limit - 1].id)))
        page.next = f"{request.url.path}?{urlencode(query)}"
    return page


@looking.get("/notifications/{id}", responses=documented(401, 403, 404, 422, 429, 500, 503))
def show_notification(
    _token: Annotated[Token, Depends(allowed("read"))],
    service: ServiceOf,
    id: UUID,  # noqa: A002 - its name
) -> Shown:
    """Show a notification and its timeline. Needs the scope `read`."""
    with service.pool.connection() as connection:
        shown = notifications.show(connection, id)
        events = notifications.timeline(connection, id)
    names = Shown.model_fields.keys() - {"events"}
    return Shown.model_validate({name: getattr(shown, name) for name in names} | {"events": events})
