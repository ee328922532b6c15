"""Rendering: templates, what they may call, and errors as pages."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from outbox.web.dashboard.visitor import NotLoggedInError, Visitor
from outbox.web.handlers import explain
from outbox.words import narrative, webhooks, wording

_HEADERS: Final = {
    # Nothing but our own files, no inline script or style; nobody may frame us.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_log: Any = structlog.get_logger()


_COLOURS: Final = wording.CONNECTION_STYLES | narrative.EVENT_STYLES | wording.STATE_STYLES


def _colour(name: str) -> str:
    """Return the class of a state or event in the style sheet."""
    return _COLOURS.get(name) or "plain"


_TEMPLATES = Environment(
    loader=PackageLoader("outbox.web.dashboard"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {
    "ago": wording.ago,
    "clock": wording.clock,
    "colour": _colour,
    "count": wording.number,
    "device": wording.device,
    "host": webhooks.host,
    "place": webhooks.place,
    "recipient": wording.recipient,
    "span": wording.span,
    "told": narrative.told,
    "when": wording.when,
    "worker": wording.worker,
}
_TEMPLATES.globals |= {
    "connection_words": wording.connection,
    "pace_words": wording.pace,
    "webhook_words": webhooks.standing,
    "zone": lambda: f"{datetime.now(UTC).astimezone():%Z}",
}


def page(
    request: Request,
    template: str,
    visitor: Visitor | None,
    status: int = 200,
    **values: object,
) -> HTMLResponse:
    """Return a page.

    Args:
        request: What asked for it.
        template: The name of its template, without the ending.
        visitor: Who looks at it; None before the login.
        status: Of the response.
        values: What the template is filled with.
    """
    made = _TEMPLATES.get_template(f"{template}.html")
    text = made.render(here=request.url.path, visitor=visitor, **values)
    return HTMLResponse(text, status)


def see(path: str, **query: str) -> RedirectResponse:
    """Return the way to a page after something was done."""
    return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)


class _PageRoute(APIRoute):
    """Answers errors with pages, and who has not logged in with the way to do so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handler(request)
            except NotLoggedInError:
                response = _to_login(request)
            except Exception as error:  # noqa: BLE001 - every error is a page
                response = _error(request, error)
            return _guarded(response)

        return answer


def pages() -> APIRouter:
    """Return a router for pages, which the API's document does not tell of."""
    return APIRouter(
        route_class=_PageRoute, include_in_schema=False, default_response_class=HTMLResponse
    )


def _guarded(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers[name] = value
    return response


def _to_login(request: Request) -> Response:
    if request.method != "GET" or request.headers.get("accept") == "text/event-stream":
        return Response(status_code=401)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return see("/login", next=here) if here != "/" else see("/login")


def _error(request: Request, error: Exception) -> Response:
    found, headers = explain(error)
    if found.rule == "unexpected":
        _log.error("page failed", exc_info=error)
    response = page(request, "error", None, found.status, problem=found)
    response.headers.update(_sendable(headers or {}))
    return response


def _sendable(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in headers.items() if name != "WWW-Authenticate"}
