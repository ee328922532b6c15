"""What is asked for by a person: not to be written to, to be told what is held, to be forgotten."""

from collections.abc import Iterator
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.responses import StreamingResponse
from pydantic import Field

from outbox.log import export, forgetting, suppression
from outbox.log.pool import transaction
from outbox.log.tokens import Token
from outbox.web.bearer import allowed
from outbox.web.body import described, judged, optional_json
from outbox.web.documents import Forgotten, Suppressed, Unsuppressed
from outbox.web.mending import Cancelling
from outbox.web.problems import documented
from outbox.web.service import Service, ServiceOf

people = APIRouter(prefix="/v1")

_PROBLEMS = documented(401, 403, 404, 409, 422, 429, 500, 503)
_WITH_BODY = documented(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503)

Person = Annotated[
    str, Path(alias="id", description="A number in international form, a JID or a recipient's id.")
]


class Suppressing(Cancelling):
    """Why somebody is not to be written to, and by whom."""

    account: Annotated[str, Field(max_length=63)] | None = None
    """Whose messages they do not want; those of all accounts unless given."""


@people.put(
    "/recipients/{id}/suppression",
    responses=_WITH_BODY,
    openapi_extra=described(Suppressing, required=False),
)
def suppress(
    token: Annotated[Token, Depends(allowed("operate"))],
    service: ServiceOf,
    person: Person,
    body: Annotated[object, Depends(optional_json)],
) -> Suppressed:
    """Let nothing be sent to somebody, and cancel what is pending. Needs the scope `operate`."""
    wish = judged(Suppressing, body)
    with transaction(service.pool) as connection:
        cancelled = suppression.suppress(
            connection, person, wish.account, wish.reason, {"token": token.name}
        )
        found = suppression.listing(connection, 100, recipient=person)
    return Suppressed.model_validate({"cancelled": cancelled, "suppressions": found})


@people.delete("/recipients/{id}/suppression", responses=_PROBLEMS)
def unsuppress(
    token: Annotated[Token, Depends(allowed("operate"))],
    service: ServiceOf,
    person: Person,
    account: str | None = None,
) -> Unsuppressed:
    """Allow that somebody is written to again. Needs the scope `operate`."""
    with transaction(service.pool) as connection:
        lifted = suppression.unsuppress(connection, person, account, metadata={"token": token.name})
        found = suppression.listing(connection, 100, recipient=person)
    return Unsuppressed.model_validate({"lifted": lifted, "suppressions": found})


@people.delete("/recipients/{id}", responses=_PROBLEMS)
def forget(
    token: Annotated[Token, Depends(allowed("admin"))], service: ServiceOf, person: Person
) -> Forgotten:
    """Erase a person: number, bodies, media, keys. Needs the scope `admin`."""
    # A search of whole tables may take longer than other requests may.
    with service.pool.connection() as connection:
        found = forgetting.forget(connection, person, metadata={"token": token.name})
    if not found.erased:
        raise forgetting.being_sent(found)
    return Forgotten.model_validate(found._asdict())


@people.get(
    "/recipients/{id}/export",
    responses=documented(401, 403, 404, 422, 429, 500, 503),
    response_class=StreamingResponse,
)
def export_person(
    _token: Annotated[Token, Depends(allowed("admin"))], service: ServiceOf, person: Person
) -> StreamingResponse:
    """Give all that is held of a person, as JSON. Needs the scope `admin`."""
    pieces = _pieces(service, person)
    first = next(pieces)  # a refusal comes before the answer has begun
    return StreamingResponse(chain((first,), pieces), media_type="application/json")


def _pieces(service: Service, person: str) -> Iterator[str]:
    with service.pool.connection() as connection:
        yield from export.export(connection, person)
