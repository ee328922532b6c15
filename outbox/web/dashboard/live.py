"""/live: tells a page by server-sent events that it is old; the page then asks for itself anew.

That is so when the log has grown, when a pairing shows another code, and when time has passed.

A page is rendered in one place only, and who may see it is judged each time. Events are gathered:
at most one message a second, so a busy log costs a page a second and no more.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from outbox.log.follow import Event
from outbox.web.dashboard.page import pages
from outbox.web.dashboard.visitor import Visitor, visiting
from outbox.web.problems import ProblemError, problem
from outbox.web.service import STREAMS, Service, ServiceOf, place

_SECONDS: Final = 1.0
_ANYWAY_SECONDS: Final = 15.0
"""After which a page asks anew although nothing happened: times on it have passed."""

live = pages()


async def _place(service: ServiceOf) -> AsyncIterator[None]:
    """Keep one of the places meanwhile."""
    with place(service.streams) as got:
        if not got:
            raise ProblemError(problem("too_many_streams", f"{STREAMS} pages are open"))
        yield


@live.get("/live", response_class=EventSourceResponse, dependencies=[Depends(_place)])
async def changes(
    request: Request,
    service: ServiceOf,
    _visitor: Annotated[Visitor, Depends(visiting("read"))],
) -> AsyncIterator[ServerSentEvent]:
    """Tell of changes until the page is closed or the process stops."""
    async for reason in _changes(request, service):
        yield ServerSentEvent(event="changed", raw_data=reason)


async def _changes(request: Request, service: Service) -> AsyncIterator[str]:
    """Yield what made the page old: the log, a pairing's code, or the time."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def change() -> None:
        loop.call_soon_threadsafe(changed.set)

    def grow(_events: list[Event]) -> None:
        change()

    stop_feed, stop_pairings = service.feed.listen(grow), service.pairings.listen(change)
    since = loop.time()
    try:
        while not service.closing.is_set() and not await request.is_disconnected():
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), _SECONDS)
            if changed.is_set():
                changed.clear()
                yield "news"
                await asyncio.sleep(_SECONDS)
            elif loop.time() - since >= _ANYWAY_SECONDS:
                yield "time"
            else:
                continue
            since = loop.time()
    finally:
        stop_feed()
        stop_pairings()
