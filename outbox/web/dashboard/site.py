"""All the pages, and the files beside them."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from outbox.web.dashboard.accounts import accounts
from outbox.web.dashboard.connections import connections
from outbox.web.dashboard.dead_letters import dead_letters
from outbox.web.dashboard.live import live
from outbox.web.dashboard.login import login
from outbox.web.dashboard.notifications import notifications
from outbox.web.dashboard.overview import overview
from outbox.web.dashboard.pairing import pairing
from outbox.web.dashboard.recipients import recipients
from outbox.web.dashboard.webhooks import webhooks


class _Files(StaticFiles):
    """Files that a browser keeps, and asks about each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or that it has not changed."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def include_pages(app: FastAPI) -> None:
    """Let an application show the pages."""
    for router in (
        *(login, overview, notifications, dead_letters, recipients, connections),
        *(accounts, pairing, webhooks, live),
    ):
        app.include_router(router)
    app.mount("/static", _Files(directory=Path(__file__).parent / "static"))
