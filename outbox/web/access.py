"""A line in the log for each request: its route, not its path or query, where numbers may be."""

import time
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log: Any = structlog.get_logger()


class Access:
    """Says what was answered, and that nobody on the way may keep it unless it says so itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and tell of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if not any(name == b"cache-control" for name, _ in message["headers"]):
                    message["headers"] = [*message["headers"], (b"cache-control", b"no-store")]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            _log.info(
                "answered",
                method=scope["method"],
                route=getattr(scope.get("route"), "path", "none"),
                status=status,
                milliseconds=round((time.monotonic() - begun) * 1000),
                token=scope.get("state", {}).get("token", ""),
            )
