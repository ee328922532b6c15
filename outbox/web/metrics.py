"""GET /metrics: what Prometheus scrapes."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from outbox.log.tokens import Token
from outbox.web.bearer import allowed
from outbox.web.gauges import Gauges
from outbox.web.problems import documented
from outbox.web.service import Service
from outbox.web.tally import Tally

metrics = APIRouter()

_MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Which every Prometheus reads, whatever it says that it prefers."""


def measure(app: FastAPI, service: Service) -> None:
    """Let an application count, from now on, what its log tells.

    What it collects is the application's own: several in one process do not add up.
    """
    tally, registry = Tally(), CollectorRegistry()
    # In this order: the tally is told of the accounts before it is collected.
    registry.register(Gauges(service.pool, tally.expect))
    registry.register(tally)
    ProcessCollector(registry=registry)
    service.feed.listen(tally.take)
    app.state.registry = registry


@metrics.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=documented(401, 403, 422, 429, 500, 503),
)
def expose(_token: Annotated[Token, Depends(allowed("read"))], request: Request) -> Response:
    """Show the metrics as Prometheus reads them. Needs the scope `read`."""
    registry: CollectorRegistry = request.app.state.registry
    return Response(generate_latest(registry), media_type=_MEDIA_TYPE)
