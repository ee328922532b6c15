"""Who asks: the bearer of a token, and whether that is for what is asked."""

from collections.abc import Callable
from typing import Annotated, Final, NamedTuple, cast

from fastapi import FastAPI, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from outbox.log import tokens
from outbox.log.database import Connection
from outbox.log.tokens import Token
from outbox.web.handlers import after
from outbox.web.problems import ProblemError, problem
from outbox.web.service import Service, ServiceOf, service_of

_SCHEME = HTTPBearer(auto_error=False, description="A token: outbox token create NAME --scope …")
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)]
SECURITY: Final[list[dict[str, list[str]]]] = [{_SCHEME.scheme_name: []}]
"""How the document describes an endpoint that asks for its bearer itself."""


class Bearer(NamedTuple):
    """Whose token was valid lately, and is judged again with what is asked for."""

    token: Token
    """As it was then."""
    digest: bytes
    scope: str
    """What it has to be for."""

    def judge(self, service: Service, connection: Connection) -> None:
        """Judge again, in the transaction that does what is asked for.

        Raises:
            ProblemError: The token is not valid any more, or not for this.
        """
        token = tokens.bearers(connection, [self.digest]).get(self.digest)
        try:
            _judge_scope(_judge_state(token), self.scope)
        except ProblemError:
            service.lately.forget(self.digest)
            raise


def allowed(scope: str) -> Callable[..., Token]:
    """Return the dependency of an endpoint that tokens with this scope may use.

    It comes first among an endpoint's parameters: before its body is read.
    """

    def check(request: Request, service: ServiceOf, credentials: _Credentials) -> Token:
        token = _known(service, _digest(credentials))
        _admit(request, service, token, scope)
        return token

    return check


async def admitted(request: Request, scope: str) -> Bearer:
    """Return the bearer of a request, for an endpoint that judges it again itself.

    As for `allowed`, but a token that was valid lately is not looked up: that is done in the
    transaction of the endpoint, which so is one visit to the database instead of two.

    Raises:
        ProblemError: There is no valid token, or it is not for this, or has been used too often.
    """
    service, digest = service_of(request), _digest(await _SCHEME(request))
    token = service.lately.valid(digest)
    if token is None:
        token = await run_in_threadpool(_known, service, digest)
        service.lately.keep(digest, token)
    _admit(request, service, token, scope)
    return Bearer(token, digest, scope)


def _digest(credentials: HTTPAuthorizationCredentials | None) -> bytes:
    if credentials is None:
        raise _stranger("The request has no header “Authorization: Bearer …”", "")
    return tokens.digest_of(credentials.credentials)


def _known(service: Service, digest: bytes) -> Token:
    with service.pool.connection() as connection:
        return _judge_state(tokens.bearers(connection, [digest]).get(digest))


def _judge_state(token: Token | None) -> Token:
    if token is None:
        raise _stranger("There is no such token", ', error="invalid_token"')
    if token.state != "valid":
        raise _stranger(f"Token {token.name} is {token.state}", ', error="invalid_token"')
    return token


def _judge_scope(token: Token, scope: str) -> None:
    if not token.allows(scope):
        has = f"token {token.name} has {', '.join(token.scopes)}"
        found = problem("missing_scope", f"It needs the scope {scope}; {has}")
        challenge = f'Bearer realm="outbox", error="insufficient_scope", scope="{scope}"'
        raise ProblemError(found, {"WWW-Authenticate": challenge})


def _admit(request: Request, service: Service, token: Token, scope: str) -> None:
    request.state.token = token.name
    seconds = service.rate.take(token.name)
    if seconds:
        found = problem("too_many_requests", f"Token {token.name} has used up its requests")
        raise ProblemError(found, after(seconds))
    _judge_scope(token, scope)
    _check_parameters(request)


def _stranger(detail: str, why: str) -> ProblemError:
    challenge = {"WWW-Authenticate": f'Bearer realm="outbox"{why}'}
    return ProblemError(problem("no_token", detail), challenge)


def _check_parameters(request: Request) -> None:
    """Refuse a parameter that there is not: a filter that is misspelt would filter nothing."""
    if not request.query_params:
        return
    document = cast("FastAPI", request.app).openapi()
    operation = document["paths"][request.scope["route"].path][request.method.lower()]
    known = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    for name in request.query_params:
        if name not in known:
            there = f"There are {', '.join(known)}." if known else "There are none here."
            raise ProblemError(
                problem("unknown_parameter", f"{name} in the query", field=name, more=there)
            )
