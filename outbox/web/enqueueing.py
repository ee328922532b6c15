"""POST /v1/notifications: accept one or a list, and perhaps wait for what becomes of it."""

import time
from typing import Annotated, Any, Final
from uuid import UUID

import psycopg
from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import JSONResponse

from outbox.caller.options import ACCOUNT, judge_account
from outbox.caller.waiting import Sending, wait_for
from outbox.errors import Refused
from outbox.log import intake
from outbox.log.pool import transaction
from outbox.log.tokens import Token
from outbox.web import given
from outbox.web.bearer import allowed
from outbox.web.body import any_json
from outbox.web.documents import Accepted, Batch, Outcome
from outbox.web.problems import ProblemError, documented, problem, refused
from outbox.web.service import Service, ServiceOf, place

LONGEST_WAIT: Final = 25
"""Seconds; Heroku's router gives up after 30."""
_SLICE: Final = 2.0
"""Seconds after which a waiter looks whether the process is stopping."""
_KEY: Final = "^[ -~]{1,255}$"

enqueueing = APIRouter(prefix="/v1")


@enqueueing.post(
    "/notifications",
    status_code=202,
    response_model=Accepted | Outcome | Batch,
    response_description="Accepted: it is not lost any more.",
    responses={
        200: {"model": Outcome, "description": "Accepted, and sent or ended without success."},
        **documented(400, 401, 403, 409, 413, 415, 422, 429, 500, 503),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/Notification"},
                            {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": given.MOST,
                                "items": {"$ref": "#/components/schemas/Notification"},
                            },
                        ]
                    }
                }
            },
        }
    },
)
def enqueue(
    token: Annotated[Token, Depends(allowed("enqueue"))],
    service: ServiceOf,
    body: Annotated[object, Depends(any_json)],
    account: Annotated[str, Query(description="Who sends.")] = ACCOUNT,
    wait: Annotated[
        float | None,
        Query(
            ge=0,
            le=LONGEST_WAIT,
            allow_inf_nan=False,
            description="Seconds to wait for the outcome of a single notification.",
        ),
    ] = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            pattern=_KEY,
            description="Of a single notification: the same one gives the same id again.",
        ),
    ] = None,
    traceparent: Annotated[
        str | None,
        Header(description="The span that it belongs to, as W3C's Trace Context has it."),
    ] = None,
) -> Response:
    """Accept a notification, or a list of them, all or none. Needs the scope `enqueue`."""
    judge_account(account)
    if isinstance(body, list):
        for name, value in (("wait", wait), ("Idempotency-Key", idempotency_key)):
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
        rows = given.many(body, token.name, traceparent)
        return _answer(202, Batch(notifications=[*map(_accepted, _accept(service, rows, account))]))
    row = given.one(body, token.name, idempotency_key, traceparent)
    (accepted,) = _accept(service, [row], account, single=True)
    if wait is None:
        return _answer(202, _accepted(accepted))
    seen = _wait(service, accepted, wait)
    found = Outcome(
        id=accepted,
        url=_url(accepted),
        state=seen.state,  # type: ignore[arg-type]  # one of them
        message_id=seen.message_id,
        last_error=seen.last_error,
    )
    return _answer(200 if seen.sent or seen.ended else 202, found)


def _accept(
    service: Service, rows: list[dict[str, Any]], account: str, *, single: bool = False
) -> list[UUID]:
    try:
        with transaction(service.pool) as connection:
            return intake.accept(connection, rows, account)
    except Refused as error:
        if single or error.rule == "bad_account":
            raise ProblemError(refused(error, number=0)) from None
        raise


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


def _accepted(accepted: UUID) -> Accepted:
    return Accepted(id=accepted, url=_url(accepted))


def _url(accepted: UUID) -> str:
    return f"/v1/notifications/{accepted}"


def _answer(status: int, found: Accepted | Batch) -> Response:
    headers = {"Location": found.url} if isinstance(found, Accepted) else {}
    return JSONResponse(found.model_dump(mode="json"), status, headers)
