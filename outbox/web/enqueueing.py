"""POST /v1/notifications: accept one or a list, and perhaps wait for what becomes of it."""

import json
import time
from typing import Annotated, Any, Final
from uuid import UUID

import psycopg
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field, ValidationError

from outbox.caller.options import ACCOUNT, judge_account
from outbox.caller.waiting import Sending, wait_for
from outbox.errors import Refused
from outbox.log import intake
from outbox.log.pool import transaction
from outbox.web import given
from outbox.web.bearer import SECURITY, Bearer, admitted
from outbox.web.body import any_json
from outbox.web.documents import Accepted, Batch, Outcome
from outbox.web.gathering import SCOPE, Given
from outbox.web.handlers import invalid
from outbox.web.problems import ProblemError, documented, parameters, problem, refused
from outbox.web.service import Service, place, service_of
from outbox.web.shortcut import Destination

LONGEST_WAIT: Final = 25
"""Seconds; Heroku's router gives up after 30."""
_SLICE: Final = 2.0
"""Seconds after which a waiter looks whether the process is stopping."""
_KEY: Final = "^[ -~]{1,255}$"

_PREFIX: Final = "/v1"
_PATH: Final = "/notifications"

enqueueing = APIRouter(prefix=_PREFIX)


class _Beside(BaseModel):
    """What a request says beside its body."""

    account: Annotated[str, Field(description="Who sends.")] = ACCOUNT
    wait: Annotated[
        float | None,
        Field(
            ge=0,
            le=LONGEST_WAIT,
            allow_inf_nan=False,
            description="Seconds to wait for the outcome of a single notification.",
        ),
    ] = None
    idempotency_key: Annotated[
        str | None,
        Field(
            alias="Idempotency-Key",
            pattern=_KEY,
            description="Of a single notification: the same one gives the same id again.",
        ),
    ] = None
    traceparent: Annotated[
        str | None,
        Field(description="The span that it belongs to, as W3C's Trace Context has it."),
    ] = None


_PLACES: Final = {
    "account": "query",
    "wait": "query",
    "Idempotency-Key": "header",
    "traceparent": "header",
}
_ITEM: Final = {"$ref": "#/components/schemas/Notification"}
_LIST: Final = {"type": "array", "minItems": 1, "maxItems": given.MOST, "items": _ITEM}


@enqueueing.post(
    _PATH,
    status_code=202,
    response_model=Accepted | Outcome | Batch,
    response_description="Accepted: it is not lost any more.",
    responses={
        200: {"model": Outcome, "description": "Accepted, and sent or ended without success."},
        **documented(400, 401, 403, 409, 413, 415, 422, 429, 500, 503),
    },
    # What FastAPI does for a parameter costs more than all the rest: so it is written down here,
    # and read below.
    openapi_extra={
        "security": SECURITY,
        "parameters": parameters(_Beside, _PLACES),
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"anyOf": [_ITEM, _LIST]}}},
        },
    },
)
async def enqueue(request: Request) -> Response:
    """Accept a notification, or a list of them, all or none. Needs the scope `enqueue`."""
    service, bearer = service_of(request), await admitted(request, SCOPE)
    beside = _beside(request)
    judge_account(beside.account)
    body = await any_json(request)
    if isinstance(body, list):
        return await _accept_list(service, bearer, beside, body)
    row = given.one(body, bearer.token.name, beside.idempotency_key, beside.traceparent)
    accepted = await service.gathering.accept(beside.account, Given(bearer.digest, row))
    if accepted is None:
        try:
            (accepted,) = await run_in_threadpool(_accept_alone, service, bearer, beside, [row])
        except Refused as error:
            raise ProblemError(refused(error, number=0)) from None
    if beside.wait is None:
        return _answer(202, _accepted(accepted))
    seen = await run_in_threadpool(_wait, service, accepted, beside.wait)
    found = _accepted(accepted) | {
        "state": seen.state,
        "message_id": seen.message_id,
        "last_error": seen.last_error,
    }
    return _answer(200 if seen.sent or seen.ended else 202, found)


ENQUEUE: Final = Destination("POST", _PREFIX + _PATH, enqueue)
"""There is a shortcut to it, since it is asked for most often."""


def _beside(request: Request) -> _Beside:
    places = {"query": request.query_params, "header": request.headers}
    said = {name: places[place].get(name) for name, place in _PLACES.items()}
    try:
        return _Beside.model_validate({name: one for name, one in said.items() if one is not None})
    except ValidationError as error:
        (first, *_) = error.errors(include_url=False)
        where = {"loc": (_PLACES[str(first["loc"][0])], *first["loc"])}
        raise ProblemError(invalid([{**first, **where}])) from None


async def _accept_list(
    service: Service, bearer: Bearer, beside: _Beside, body: list[object]
) -> Response:
    for name, value in (("wait", beside.wait), ("Idempotency-Key", beside.idempotency_key)):
        if value is not None:
            raise ProblemError(
                problem(
                    "bad_parameter",
                    f"{name} is {value} beside a list",
                    field=name,
                    more="It is for a single notification; in a list each has its own "
                    "idempotency_key.",
                )
            )
    rows = given.many(body, bearer.token.name, beside.traceparent)
    group = [Given(bearer.digest, row) for row in rows]
    accepted = await service.gathering.accept_group(beside.account, group)
    if accepted is None:
        try:
            accepted = await run_in_threadpool(_accept_alone, service, bearer, beside, rows)
        except (Refused, psycopg.DataError):
            await run_in_threadpool(given.judge, body, bearer.token.name)  # it may say more
            raise
    return _answer(202, {"notifications": [*map(_accepted, accepted)]})


def _accept_alone(
    service: Service, bearer: Bearer, beside: _Beside, rows: list[dict[str, Any]]
) -> list[UUID]:
    """Accept notifications with nobody else's, waiting for locks, or say what is wrong."""
    with transaction(service.pool) as connection:
        bearer.judge(service, connection)
        return intake.accept(connection, rows, beside.account)


def _wait(service: Service, accepted: UUID, seconds: float) -> Sending:
    """Wait, so long as there is a place to wait in and the process is not stopping.

    From here on it is accepted, whatever happens: so nothing is raised.
    """
    seen = Sending(accepted, "pending")
    until = time.monotonic() + seconds
    with place(service.waiters) as got:
        while True:
            left = until - time.monotonic() if got else 0
            try:
                seen = wait_for(service.pool, accepted, max(0, min(left, _SLICE)))
            except psycopg.Error:
                return seen
            if seen.sent or seen.ended or left <= _SLICE or service.closing.is_set():
                return seen


def _accepted(accepted: UUID) -> dict[str, str | None]:
    """Return an `Accepted`; a model for each would cost more than accepting it."""
    id_ = str(accepted)
    return {"id": id_, "url": f"{_PREFIX}{_PATH}/{id_}"}


def _answer(status: int, found: dict[str, Any]) -> Response:
    headers = {"Location": found["url"]} if "url" in found else {}
    return Response(json.dumps(found), status, headers, "application/json")
