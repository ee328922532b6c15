"""/connections: how each account's connection fared, as coloured bands and as rows."""

from typing import Annotated

from fastapi import Depends, Request, Response

from outbox.log import notifications
from outbox.log.history import connection_history
from outbox.web.dashboard.charts import SCALES, Period
from outbox.web.dashboard.page import page, pages
from outbox.web.dashboard.pictures import BAND_WIDTH, bands
from outbox.web.dashboard.visitor import Visitor, visiting
from outbox.web.service import ServiceOf

connections = pages()

_MOST_ROWS = 100


@connections.get("/connections")
def history(
    request: Request,
    visitor: Annotated[Visitor, Depends(visiting("read"))],
    service: ServiceOf,
    period: Period = "day",
) -> Response:
    """Show the states of the connections within a period."""
    back = SCALES[period].length
    with service.pool.connection() as connection:
        spans = connection_history(connection, back)
        now = notifications.clock(connection)
    latest = sorted(spans, key=lambda span: span.began, reverse=True)
    return page(
        request,
        "connections",
        visitor,
        period=period,
        since=now - back,
        now=now,
        bands=bands(spans, back, now),
        width=BAND_WIDTH,
        latest=latest[:_MOST_ROWS],
        left_out=max(len(latest) - _MOST_ROWS, 0),
    )
