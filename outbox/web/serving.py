"""The process that serves the API, until it is told to stop."""

import gc
import signal
import socket
from functools import partial
from threading import Event
from types import FrameType

import structlog
import uvicorn

from outbox.log.database import connect
from outbox.log.pool import async_pool, open_pool
from outbox.session.linking import Linking
from outbox.settings import Settings
from outbox.web.app import create_app
from outbox.web.dashboard.logins import Logins
from outbox.web.feed import Feed
from outbox.web.gathering import Gathering
from outbox.web.pairings import Pairings
from outbox.web.rate import Rate
from outbox.web.service import Service

_GRACE_SECONDS = 6
"""How long requests may take that have begun when it is told to stop; it is gone within ten."""


class _Server(uvicorn.Server):
    """Tells those who wait that it stops, and ends with 0 when it was told to."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """Stop taking requests; when Ctrl-C says so again, stop at once.

        SIGTERM may come twice without meaning more
        (https://devcenter.heroku.com/articles/dyno-shutdown-behavior).
        """
        self._service.closing.set()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def run_web(settings: Settings, listening: socket.socket, linking: Linking | str) -> None:
    """Serve until SIGTERM or Ctrl-C; then finish what has begun.

    Args:
        settings: The database, and the limits.
        listening: Where requests come in.
        linking: What links accounts with phones, or why there is nothing that does.
    """
    log = structlog.get_logger()
    pool = open_pool(settings.database_url, "outbox web", pooled=settings.pooled)
    gathering = Gathering(
        async_pool(settings.database_url, "outbox web gathering", pooled=settings.pooled)
    )
    closing = Event()
    feed = Feed(settings.database_url, pooled=settings.pooled, closing=closing)
    pairings = Pairings(
        linking,
        partial(connect, settings.database_url, "outbox web pairing", pooled=settings.pooled),
        closing,
    )
    with pool:
        secret = settings.secret
        logins = Logins(secret.get_secret_value()) if secret else None
        rate = Rate(settings.web_requests_a_minute)
        inside = settings.webhooks_inside
        service = Service(pool, gathering, rate, feed, closing, pairings, logins, inside)
        config = uvicorn.Config(
            create_app(service),
            access_log=False,
            log_config=None,
            log_level="warning",
            lifespan="on",
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        gc.collect()
        gc.freeze()  # what is there by now stays, and to search it for garbage takes time
        host, port = listening.getsockname()[:2]
        feed.start()
        log.info("started", host=host, port=port)
        _Server(config, service).run(sockets=[listening])
        closing.set()  # also when it was not told to
        pairings.join()
        feed.join()
    log.info("stopped")
