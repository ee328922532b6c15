"""/login and /logout: a token is shown once, and a signed cookie kept instead."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request, Response

from outbox.log import tokens
from outbox.web.dashboard.logins import COOKIE, SECONDS
from outbox.web.dashboard.page import page, pages, see
from outbox.web.dashboard.visitor import Visitor, acting, logins_of
from outbox.web.handlers import after
from outbox.web.problems import ProblemError, problem
from outbox.web.service import ServiceOf

login = pages()


@login.get("/login")
def ask(request: Request, service: ServiceOf, next: str = "/") -> Response:  # noqa: A002 - its name
    """Ask for a token."""
    logins_of(service)
    return page(request, "login", None, next=_ours(next), wrong="")


@login.post("/login")
def log_in(
    request: Request,
    service: ServiceOf,
    token: Annotated[str, Form()],
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Keep who has shown a token."""
    logins = logins_of(service)
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ProblemError(problem("foreign_form", "/login was asked from afar"))
    # No token's name has a blank, so none shares its count with those who try.
    seconds = service.rate.take(f"login {request.client.host if request.client else ''}")
    if seconds:
        raise ProblemError(problem("too_many_requests", "Too many logins"), after(seconds))
    with service.pool.connection() as connection:
        found = tokens.bearer(connection, token.strip())
    wrong = ""
    if found is None:
        wrong = "There is no such token."
    elif found.state != "valid":
        wrong = f"Token {found.name} is {found.state}."
    elif not found.allows("read"):
        wrong = f"Token {found.name} has {', '.join(found.scopes)}; pages need the scope read."
    if found is None or wrong:
        return page(request, "login", None, 401, next=_ours(next), wrong=wrong)
    response = see(_ours(next))
    response.set_cookie(
        COOKIE,
        logins.issue(found.name),
        max_age=SECONDS,
        httponly=True,
        samesite="lax",
        # Heroku's router ends TLS, and says so.
        secure="https" in {request.url.scheme, request.headers.get("x-forwarded-proto")},
    )
    return response


@login.post("/logout")
def log_out(_visitor: Annotated[Visitor, Depends(acting("read"))]) -> Response:
    """Forget who it was."""
    response = see("/login")
    response.delete_cookie(COOKIE)
    return response


def _ours(path: str) -> str:
    """Return a path of this site; whatever leads elsewhere leads to the first page."""
    parts = urlsplit(path)
    is_ours = not parts.scheme and not parts.netloc and path.startswith("/")
    return path if is_ours and "\\" not in path else "/"
