"""Who asks: the bearer of a token, and whether that is for what is asked."""

from collections.abc import Callable
from typing import Annotated, cast

from fastapi import FastAPI, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from outbox.log.tokens import Token, bearer
from outbox.web.handlers import after
from outbox.web.problems import ProblemError, problem
from outbox.web.service import ServiceOf

_SCHEME = HTTPBearer(auto_error=False, description="A token: outbox token create NAME --scope …")


def allowed(scope: str) -> Callable[..., Token]:
    """Return the dependency of an endpoint that tokens with this scope may use.

    It comes first among an endpoint's parameters: before its body is read.
    """

    def check(
        request: Request,
        service: ServiceOf,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)],
    ) -> Token:
        token = _known(service, credentials)
        request.state.token = token.name
        seconds = service.rate.take(token.name)
        if seconds:
            found = problem("too_many_requests", f"Token {token.name} has used up its requests")
            raise ProblemError(found, after(seconds))
        if not token.allows(scope):
            has = f"token {token.name} has {', '.join(token.scopes)}"
            found = problem("missing_scope", f"It needs the scope {scope}; {has}")
            challenge = f'Bearer realm="outbox", error="insufficient_scope", scope="{scope}"'
            raise ProblemError(found, {"WWW-Authenticate": challenge})
        _check_parameters(request)
        return token

    return check


def _known(service: ServiceOf, credentials: HTTPAuthorizationCredentials | None) -> Token:
    if credentials is None:
        raise _stranger("The request has no header “Authorization: Bearer …”", "")
    with service.pool.connection() as connection:
        token = bearer(connection, credentials.credentials)
    if token is None:
        raise _stranger("There is no such token", ', error="invalid_token"')
    if token.state != "valid":
        raise _stranger(f"Token {token.name} is {token.state}", ', error="invalid_token"')
    return token


def _stranger(detail: str, why: str) -> ProblemError:
    challenge = {"WWW-Authenticate": f'Bearer realm="outbox"{why}'}
    return ProblemError(problem("no_token", detail), challenge)


def _check_parameters(request: Request) -> None:
    """Refuse a parameter that there is not: a filter that is misspelt would filter nothing."""
    document = cast("FastAPI", request.app).openapi()
    operation = document["paths"][request.scope["route"].path][request.method.lower()]
    known = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    for name in request.query_params:
        if name not in known:
            there = f"There are {', '.join(known)}." if known else "There are none here."
            raise ProblemError(
                problem("unknown_parameter", f"{name} in the query", field=name, more=there)
            )
