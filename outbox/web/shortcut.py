"""A way past FastAPI's routing, for the endpoint that is asked for most often.

Routing costs more than everything else that a request does in Python. So this request is recognized
before it is routed; whatever else is asked for goes on, and the endpoint is a route as well, for
the document and for whoever comes by another way.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from outbox.web.handlers import explain_expected
from outbox.web.problems import answer


class Destination(NamedTuple):
    """Where the way leads: an endpoint that reads its request itself."""

    method: str
    path: str
    """As in the document; without parameters."""
    endpoint: Callable[[Request], Awaitable[Response]]


class Shortcut:
    """Serves one endpoint, and lets others serve the rest."""

    def __init__(self, app: ASGIApp, destination: Destination) -> None:
        self._app = app
        self._destination = destination

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        method, path, endpoint = self._destination
        if scope["type"] != "http" or scope["method"] != method or scope["path"] != path:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._destination
        request = Request(scope, receive, send)
        try:
            response = await endpoint(request)
        except Exception as error:
            explained = explain_expected(error)
            if explained is None:
                raise
            response = answer(*explained)
        await response(scope, receive, send)
