"""/: the state of everything, and what needs a person."""

from typing import Annotated

from fastapi import Depends, Request, Response

from outbox.log.overview import overview as look
from outbox.web.dashboard.charts import Period, rates, series
from outbox.web.dashboard.page import page, pages
from outbox.web.dashboard.visitor import Visitor, visiting
from outbox.web.service import ServiceOf
from outbox.words.attention import attention

overview = pages()


@overview.get("/")
def show(
    request: Request,
    visitor: Annotated[Visitor, Depends(visiting("read"))],
    service: ServiceOf,
    period: Period = "hour",
) -> Response:
    """Show accounts, their queues, the present rates, and charts of a period."""
    with service.pool.connection() as connection:
        found = look(connection)
    charts = service.charts
    return page(
        request,
        "overview",
        visitor,
        now=found.database.now,
        accounts=found.accounts,
        warnings=attention(found),
        rates=rates(charts.steps(service.pool, "hour"), found.database.now),
        period=period,
        series=series(charts.steps(service.pool, period)),
    )
