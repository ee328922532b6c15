"""Who looks at a page: whoever has logged in with a token that is for what the page shows."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from outbox.log import tokens
from outbox.log.tokens import Token
from outbox.web.dashboard.logins import COOKIE, Logins
from outbox.web.problems import ProblemError, problem
from outbox.web.service import Service, ServiceOf


class NotLoggedInError(Exception):
    """Nobody has logged in here; leads to the page where one does."""


class Visitor(NamedTuple):
    """Who has logged in."""

    token: Token
    csrf: str

    @property
    def metadata(self) -> dict[str, str]:
        """What the events that the visitor causes say of that."""
        return {"token": self.token.name}


def logins_of(service: Service) -> Logins:
    """Return what makes cookies.

    Raises:
        ProblemError: There is no secret, so there are no pages.
    """
    if service.logins is None:
        raise ProblemError(problem("no_secret", "OUTBOX_SECRET is not set"))
    return service.logins


def visiting(scope: str) -> Callable[..., Visitor]:
    """Return the dependency of a page for logins whose tokens have this scope."""

    def check(request: Request, service: ServiceOf) -> Visitor:
        login = logins_of(service).read(request.cookies.get(COOKIE, ""))
        if login is None:
            raise NotLoggedInError
        with service.pool.connection() as connection:
            token = tokens.named(connection, login.token)
        if token is None or token.state != "valid":
            raise NotLoggedInError
        request.state.token = token.name
        if not token.allows(scope):
            has = f"token {token.name} has {', '.join(token.scopes)}"
            raise ProblemError(problem("missing_scope", f"It needs the scope {scope}; {has}"))
        return Visitor(token, login.csrf)

    return check


def acting(scope: str) -> Callable[..., Awaitable[Visitor]]:
    """Return the dependency of what a form of ours does; another site's form is refused."""

    async def check(
        request: Request, visitor: Annotated[Visitor, Depends(visiting(scope))]
    ) -> Visitor:
        form = await request.form()
        given = form.get("csrf")
        if not isinstance(given, str) or not hmac.compare_digest(
            given.encode(), visitor.csrf.encode()
        ):
            raise ProblemError(problem("foreign_form", f"{request.url.path} was asked from afar"))
        return visitor

    return check
