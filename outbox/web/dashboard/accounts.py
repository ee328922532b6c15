"""/accounts: as whom each is paired, where it stands, and what can be done about it."""

from typing import Annotated

from fastapi import Depends, Request, Response

from outbox.errors import refusal
from outbox.log import notifications as log
from outbox.log.login import logins
from outbox.log.overview import overview
from outbox.web.dashboard.page import page, pages, see
from outbox.web.dashboard.visitor import Visitor, acting, visiting
from outbox.web.service import ServiceOf

accounts = pages()


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
    """Show an account."""
    with service.pool.connection() as connection:
        found = overview(connection)
        login = next((one for one in logins(connection) if one.account == account), None)
    one = next((one for one in found.accounts if one.account == account), None)
    if one is None and login is None:
        raise refusal("unknown_account", account)
    return page(
        request,
        "account",
        visitor,
        account=account,
        one=one,
        login=login,
        now=found.database.now,
        can_resume=one is not None and one.state in {"halted", "banned", "outdated", "waiting"},
    )


@accounts.post("/accounts/{account}/resume")
def resume(
    visitor: Annotated[Visitor, Depends(acting("operate"))], service: ServiceOf, account: str
) -> Response:
    """Let its connection be built again now."""
    with service.pool.connection() as connection:
        log.resume(connection, account, visitor.metadata)
    return see(f"/accounts/{account}")
