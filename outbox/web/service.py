"""What the requests of one process share: its connections, its limits, and that it is stopping."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Event
from typing import Annotated, Final

from fastapi import Depends, Request

from outbox.log.pool import Pool
from outbox.web.dashboard.charts import Charts
from outbox.web.dashboard.logins import Logins
from outbox.web.feed import Feed
from outbox.web.gathering import Gathering
from outbox.web.lately import Lately
from outbox.web.pairings import Pairings
from outbox.web.rate import Rate

WAITERS: Final = 20
"""Requests that wait at the same time: each has a thread, of which there are forty."""
STREAMS: Final = 50
"""Open pages that are kept up to date at the same time."""
UPLOADS: Final = 4
"""Media that are taken at the same time: each is in memory as a whole, and a dyno has 512 MB."""


@dataclass(frozen=True)
class Service:
    """The process that answers."""

    pool: Pool
    gathering: Gathering
    rate: Rate
    feed: Feed
    closing: Event
    """Set when the process has been told to stop: who waits is answered."""
    pairings: Pairings
    logins: Logins | None
    """Who has logged in to the pages; without a secret nobody can."""
    webhooks_inside: bool
    """Webhooks may point inside, and to http."""
    lately: Lately = field(default_factory=Lately)
    waiters: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(WAITERS))
    charts: Charts = field(default_factory=Charts)
    streams: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(STREAMS))
    uploads: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(UPLOADS))


@contextmanager
def place(places: BoundedSemaphore) -> Iterator[bool]:
    """Say whether there is one of a number of places, and keep it meanwhile."""
    got = places.acquire(blocking=False)
    try:
        yield got
    finally:
        if got:
            places.release()


def service_of(request: Request) -> Service:
    """Return the service that a request is made to."""
    found = request.app.state.service
    if not isinstance(found, Service):
        raise TypeError("the application was made without a service")
    return found


async def _service(request: Request) -> Service:
    return service_of(request)


ServiceOf = Annotated[Service, Depends(_service)]
"""The service, for an endpoint."""
