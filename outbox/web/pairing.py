"""/v1/accounts/{account}/pairing and …/unpair: an account is linked with a phone, or no more."""

from io import BytesIO
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from outbox.caller.options import judge_account
from outbox.log import lease
from outbox.log.login import login_of
from outbox.log.tokens import Token
from outbox.recipient import digits
from outbox.web.bearer import allowed
from outbox.web.body import described, judged, optional_json
from outbox.web.documents import Pairing
from outbox.web.problems import ProblemError, documented, problem
from outbox.web.service import Service, ServiceOf

pairing = APIRouter(prefix="/v1/accounts/{account}")

_SVG = "image/svg+xml"
_LOOKING = documented(401, 403, 422, 429, 500, 503)
_CHANGING = documented(401, 403, 409, 422, 429, 500, 502, 503)
_WITH_BODY = documented(400, 401, 403, 409, 413, 415, 422, 429, 500, 502, 503)


class Handset(BaseModel):
    """The phone that an account is to be linked with."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    number: Annotated[str, Field(max_length=64, examples=["+447700900123"])] | None = None
    """Of the phone, to have a code to type into it; QR codes unless given."""


async def _account(account: str) -> str:
    return judge_account(account)


Account = Annotated[str, Depends(_account)]
Admin = Annotated[Token, Depends(allowed("admin"))]


@pairing.post(
    "/pairing",
    status_code=202,
    responses=_WITH_BODY,
    openapi_extra=described(Handset, required=False),
)
def begin_pairing(
    token: Admin,
    service: ServiceOf,
    account: Account,
    given: Annotated[object, Depends(optional_json)],
) -> Pairing:
    """Begin to link an account with a phone, which shows codes. Needs the scope `admin`."""
    wish = judged(Handset, given)
    number = None if wish.number is None else digits(wish.number)
    service.pairings.begin(account, number, token.name)
    return _standing(service, account)


@pairing.get("/pairing", responses=_LOOKING)
def show_pairing(_token: Admin, service: ServiceOf, account: Account) -> Pairing:
    """Show where a pairing stands, and the code at the moment. Needs the scope `admin`."""
    return _standing(service, account)


@pairing.get(
    "/pairing/qr.svg",
    response_class=Response,
    responses={
        200: {"description": "The QR code at the moment.", "content": {_SVG: {}}},
        **documented(401, 403, 404, 422, 429, 500, 503),
    },
)
def draw_pairing(_token: Admin, service: ServiceOf, account: Account) -> Response:
    """Show the QR code as a picture. Needs the scope `admin`."""
    state = service.pairings.of(account)
    if state is None or state.shown is None or state.shown.kind != "qr":
        raise ProblemError(problem("no_code", f"No QR code is shown for account {account}"))
    picture = BytesIO()
    segno.make(state.shown.text, error="L").save(picture, kind="svg", scale=6, light="#fff")
    return Response(picture.getvalue(), media_type=_SVG)


@pairing.delete("/pairing", responses=_LOOKING)
def stop_pairing(_token: Admin, service: ServiceOf, account: Account) -> Pairing:
    """End a pairing; to end none is no error. Needs the scope `admin`."""
    service.pairings.stop(account)
    return _standing(service, account)


@pairing.post("/unpair", responses=_CHANGING)
def unpair(
    token: Admin,
    service: ServiceOf,
    account: Account,
    forget: Annotated[
        bool, Query(description="Do not tell WhatsApp: for a phone that is gone.")
    ] = False,
) -> Pairing:
    """End the link with the phone; the queue is kept. Needs the scope `admin`."""
    service.pairings.unpair(account, token.name, tell=not forget)
    return _standing(service, account)


def _standing(service: Service, account: str) -> Pairing:
    state = service.pairings.of(account)
    with service.pool.connection() as connection:
        jid = login_of(connection, account)
        elsewhere = (state is None or not state.runs) and lease.is_pairing(connection, account)
    found: dict[str, Any] = {"account": account, "standing": "none", "jid": jid}
    if elsewhere:
        found["standing"] = "elsewhere"
    elif state is not None:
        found |= {
            "standing": state.standing,
            "seconds_left": state.seconds_left,
            "reason": state.reason,
        }
        if state.shown is not None:
            found |= {"kind": state.shown.kind, "code": state.shown.text}
    return Pairing.model_validate(found)
