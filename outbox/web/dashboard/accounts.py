"""/accounts: as whom each is paired, where it stands, and what can be done about it."""

from typing import Annotated

from fastapi import Depends, Request, Response

from outbox.caller.options import judge_account
from outbox.errors import refusal
from outbox.log import notifications as log
from outbox.log.login import logins
from outbox.log.overview import overview
from outbox.web.dashboard.page import page, pages, see
from outbox.web.dashboard.pictures import qr_code
from outbox.web.dashboard.visitor import Visitor, acting, visiting
from outbox.web.service import Service, ServiceOf

accounts = pages()

_UP = ("connecting", "connected", "draining")
"""States in which a worker has a login, or believes so."""


@accounts.get("/accounts")
def listing(
    request: Request, visitor: Annotated[Visitor, Depends(visiting("read"))], service: ServiceOf
) -> Response:
    """List the accounts."""
    with service.pool.connection() as connection:
        found = logins(connection)
        now = log.clock(connection)
    return page(request, "accounts", visitor, found=found, now=now)


@accounts.get("/accounts/{account}")
def show(
    request: Request,
    visitor: Annotated[Visitor, Depends(visiting("read"))],
    service: ServiceOf,
    account: str,
) -> Response:
    """Show an account, to whoever may pair it also one that nobody knows yet."""
    return account_page(request, visitor, service, account)


def account_page(
    request: Request,
    visitor: Visitor,
    service: Service,
    account: str,
    status: int = 200,
    wrong: str = "",
) -> Response:
    """Return the page of an account.

    Args:
        request: What asked for it.
        visitor: Who looks at it.
        service: What knows the account.
        account: Its name.
        status: Of the response.
        wrong: Why something that was asked for was not done.

    Raises:
        UnknownAccount: Nobody knows it, and the visitor may not pair it.
    """
    with service.pool.connection() as connection:
        found = overview(connection)
        login = next((one for one in logins(connection) if one.account == account), None)
    one = next((one for one in found.accounts if one.account == account), None)
    is_admin = visitor.token.allows("admin")
    if one is None and login is None:
        if not is_admin:
            raise refusal("unknown_account", account)
        judge_account(account)
    state = "free" if one is None else one.state
    pairing = service.pairings.of(account)
    runs = pairing is not None and pairing.runs
    jid = None if login is None else login.jid
    is_open = is_admin and service.pairings.why_not is None and not runs
    return page(
        request,
        "account",
        visitor,
        status,
        account=account,
        one=one,
        jid=jid,
        paired_at=None if login is None else login.paired_at,
        now=found.database.now,
        can_resume=state in {"halted", "banned", "outdated", "waiting"},
        is_admin=is_admin,
        pairing=pairing if is_admin else None,
        qr=qr_code(pairing),
        needs_pairing=state not in _UP and (jid is None or state == "logged_out"),
        can_pair=is_open and state not in {*_UP, "pairing"},
        can_unpair=is_open and jid is not None and state != "pairing",
        why_not=service.pairings.why_not,
        wrong=wrong,
    )


@accounts.post("/accounts/{account}/resume")
def resume(
    visitor: Annotated[Visitor, Depends(acting("operate"))], service: ServiceOf, account: str
) -> Response:
    """Let its connection be built again now."""
    with service.pool.connection() as connection:
        log.resume(connection, account, visitor.metadata)
    return see(f"/accounts/{account}")
