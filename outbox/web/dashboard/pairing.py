"""What the page of an account does about pairing: begins it, ends it, unpairs."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Form, Request, Response

from outbox.delivery.pairing import NotNowError
from outbox.errors import Refused
from outbox.recipient import digits
from outbox.session.linking import LinkingError
from outbox.web.dashboard.accounts import account_page
from outbox.web.dashboard.page import pages, see
from outbox.web.dashboard.visitor import Visitor, acting
from outbox.web.handlers import explain
from outbox.web.pairing import Account
from outbox.web.problems import ProblemError
from outbox.web.service import Service, ServiceOf

pairing = pages()

Admin = Annotated[Visitor, Depends(acting("admin"))]


@pairing.post("/accounts/{account}/pair")
def begin(
    request: Request,
    visitor: Admin,
    service: ServiceOf,
    account: Account,
    by: Annotated[str, Form()] = "qr",
    number: Annotated[str, Form()] = "",
) -> Response:
    """Begin to pair it: by QR codes, or by a code to type into the phone of a number."""

    def do() -> None:
        typed = digits(number.strip()) if by == "code" else None
        service.pairings.begin(account, typed, visitor.token.name)

    return _done(request, visitor, service, account, do)


@pairing.post("/accounts/{account}/pair/stop")
def stop(_visitor: Admin, service: ServiceOf, account: Account) -> Response:
    """End its pairing."""
    service.pairings.stop(account)
    return see(f"/accounts/{account}")


@pairing.post("/accounts/{account}/unpair")
def unpair(
    request: Request,
    visitor: Admin,
    service: ServiceOf,
    account: Account,
    forget: Annotated[bool, Form()] = False,
) -> Response:
    """End the link with the phone."""

    def do() -> None:
        service.pairings.unpair(account, visitor.token.name, tell=not forget)

    return _done(request, visitor, service, account, do)


def _done(
    request: Request, visitor: Visitor, service: Service, account: str, do: Callable[[], None]
) -> Response:
    """Do something and show the account again, with what was wrong if it was refused."""
    try:
        do()
    except (NotNowError, LinkingError, ProblemError, Refused) as error:
        found = explain(error).problem
        wrong = f"{found.detail}. {found.hint}"
        return account_page(request, visitor, service, account, found.status, wrong)
    return see(f"/accounts/{account}")
