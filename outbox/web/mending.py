"""POST …/cancel and …/requeue: what an operator changes."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from outbox.errors import refusal
from outbox.log import intake, notifications
from outbox.log.database import Connection
from outbox.log.pool import transaction
from outbox.log.tokens import Token
from outbox.web.bearer import allowed
from outbox.web.body import described, judged, optional_json
from outbox.web.documents import Changed
from outbox.web.problems import documented
from outbox.web.service import ServiceOf

mending = APIRouter(prefix="/v1")

_PROBLEMS = documented(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503)


class Cancelling(BaseModel):
    """Why something is withdrawn."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    reason: Annotated[str, Field(max_length=1000)] | None = None
    """For whoever reads the log."""


class Requeueing(Cancelling):
    """Why something is given a new start, and for how long."""

    expires_in: Annotated[str, Field(max_length=100, examples=["2 hours"])] | None = None
    """From now on; the account's policy's unless given."""


@mending.post(
    "/notifications/{id}/cancel",
    responses=_PROBLEMS,
    openapi_extra=described(Cancelling, required=False),
)
def cancel(
    token: Annotated[Token, Depends(allowed("operate"))],
    service: ServiceOf,
    id: UUID,  # noqa: A002 - its name
    body: Annotated[object, Depends(optional_json)],
) -> Changed:
    """Withdraw what is pending or of unknown outcome. Needs the scope `operate`."""
    wish = judged(Cancelling, body)
    with transaction(service.pool) as connection:
        notifications.cancel(connection, [id], wish.reason, {"token": token.name})
    return Changed(id=id, url=f"/v1/notifications/{id}", state="cancelled")


@mending.post(
    "/notifications/{id}/requeue",
    responses=_PROBLEMS,
    openapi_extra=described(Requeueing, required=False),
)
def requeue(
    token: Annotated[Token, Depends(allowed("operate"))],
    service: ServiceOf,
    id: UUID,  # noqa: A002 - its name
    body: Annotated[object, Depends(optional_json)],
) -> Changed:
    """Give what ended without success a new start. Needs the scope `operate`."""
    wish = judged(Requeueing, body)
    with transaction(service.pool) as connection:
        length = _duration(connection, wish.expires_in)
        notifications.requeue(connection, [id], length, wish.reason, {"token": token.name})
    return Changed(id=id, url=f"/v1/notifications/{id}", state="pending")


def _duration(connection: Connection, text: str | None) -> timedelta | None:
    try:
        return None if text is None else intake.duration(connection, text)
    except ValueError:
        raise refusal("bad_expires_in", text) from None
