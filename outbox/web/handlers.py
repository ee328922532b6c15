"""Turns whatever ends a request with an error into a problem."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from outbox.delivery.pairing import NotNowError
from outbox.errors import Refused, shown
from outbox.session.linking import LinkingError
from outbox.web.problems import Problem, ProblemError, answer, problem, refused

SOON = {"Retry-After": "1"}
"""Worth repeating at once."""


class Explained(NamedTuple):
    """An error as whoever asked is told of it."""

    problem: Problem
    headers: Mapping[str, str] | None = None


def handle(app: FastAPI) -> None:
    """Let an application answer every error with a problem."""
    for kind in _EXPLANATIONS:
        app.add_exception_handler(kind, _explained)
    app.add_exception_handler(HTTPException, _unrouted)


def explain(error: Exception) -> Explained:
    """Return what an error is for whoever asked."""
    return next(_EXPLANATIONS[kind] for kind in type(error).__mro__ if kind in _EXPLANATIONS)(error)


def explain_expected(error: Exception) -> Explained | None:
    """Return the same, or None for what is a mistake in the outbox: that is for the log, too."""
    explained = explain(error)
    return None if explained.problem.rule == "unexpected" else explained


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Return the problem of the first of pydantic's errors, located as FastAPI locates them."""
    first = errors[0]
    where, *names = map(str, first["loc"])
    field = names[0] if names else where
    if first["type"] == "extra_forbidden":
        return problem("unknown_parameter", f"{field} in the {where}", field=field)
    if first["type"] == "missing":
        return problem("bad_parameter", f"{field} is missing in the {where}", field=field)
    value = first["input"] if isinstance(first["input"], str) else repr(first["input"])
    return problem("bad_parameter", f"{field} is {shown(value)}: {first['msg']}", field=field)


def _problem(error: Exception) -> Explained:
    ended = cast("ProblemError", error)
    return Explained(ended.problem, ended.headers)


def _refused(error: Exception) -> Explained:
    return Explained(refused(cast("Refused", error)))


def _invalid(error: Exception) -> Explained:
    return Explained(invalid(cast("RequestValidationError", error).errors()))


def _unreadable(error: Exception) -> Explained:
    return Explained(problem("unreadable", _first_line(error)))


def _unavailable(error: Exception) -> Explained:
    return Explained(problem("unavailable", _first_line(error)), SOON)


def _not_now(error: Exception) -> Explained:
    return Explained(problem(cast("NotNowError", error).rule, str(error)))


def _not_linked(error: Exception) -> Explained:
    return Explained(problem("not_linked", str(error)))


def _unexpected(error: Exception) -> Explained:
    return Explained(problem("unexpected", f"{type(error).__name__}; it is in the log"))


_EXPLANATIONS: Final[dict[type, Callable[[Exception], Explained]]] = {
    ProblemError: _problem,
    Refused: _refused,
    RequestValidationError: _invalid,
    NotNowError: _not_now,
    LinkingError: _not_linked,
    psycopg.DataError: _unreadable,
    psycopg.errors.StatementTooComplex: _unreadable,
    psycopg.OperationalError: _unavailable,
    psycopg.InterfaceError: _unavailable,
    Exception: _unexpected,
}


async def _explained(_request: Request, error: Exception) -> Response:
    return answer(*explain(error))


async def _unrouted(request: Request, error: Exception) -> Response:
    """Answer what Starlette itself raises: there is no such path, or no such method."""
    raised = cast("HTTPException", error)
    path = shown(request.url.path)
    if raised.status_code == 405:  # noqa: PLR2004
        methods = allowed_methods(request)
        found = problem("unknown_method", f"{request.method} {path}")
        return answer(found, {"Allow": ", ".join(methods)})
    if raised.status_code == 404:  # noqa: PLR2004
        return answer(problem("unknown_route", path))
    return answer(problem("not_json", str(raised.detail)))


def allowed_methods(request: Request) -> list[str]:
    """Return the methods of a path, whose endpoints are routes of their own."""
    route = request.scope.get("route")
    paths = cast("FastAPI", request.app).openapi()["paths"]
    return sorted(map(str.upper, paths.get(getattr(route, "path", ""), {"get": {}})))


def after(seconds: float) -> dict[str, str]:
    """Return the header that says when to repeat a request."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return shown(lines[0]) if lines else type(error).__name__
