"""The application: every endpoint, every page, every error as a problem."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from outbox.release import VERSION
from outbox.web.access import Access
from outbox.web.accounts import accounts
from outbox.web.dashboard.site import include_pages
from outbox.web.enqueueing import ENQUEUE, enqueueing
from outbox.web.handlers import handle
from outbox.web.health import health
from outbox.web.looking import looking
from outbox.web.media import media
from outbox.web.mending import mending
from outbox.web.metrics import measure, metrics
from outbox.web.openapi import describe
from outbox.web.pairing import pairing
from outbox.web.people import people
from outbox.web.recipients import recipients
from outbox.web.service import Service
from outbox.web.shortcut import Shortcut
from outbox.web.webhooks import webhooks


def create_app(service: Service) -> FastAPI:
    """Return the application of a service; its document is at /openapi.json."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with service.gathering:
            yield

    app = FastAPI(
        lifespan=lifespan,
        title="WhatsApp outbox",
        version=VERSION,
        description="A notification outbox for WhatsApp, event-sourced on PostgreSQL.",
        # Their pages are HTML, and fetch their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    for router in (
        *(enqueueing, looking, mending, media),
        *(accounts, pairing, recipients, people, webhooks, health, metrics),
    ):
        app.include_router(router)
    include_pages(app)
    app.add_middleware(Shortcut, destination=ENQUEUE)
    app.add_middleware(Access)  # the last one is the outermost
    measure(app, service)
    handle(app)
    describe(app)
    return app
