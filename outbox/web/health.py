"""GET /healthz and /readyz: for whoever watches the process; no token is asked for."""

import psycopg
from fastapi import APIRouter

from outbox.log import schema
from outbox.web.documents import Alive, Ready
from outbox.web.handlers import SOON
from outbox.web.problems import ProblemError, documented, problem
from outbox.web.service import ServiceOf

health = APIRouter()


@health.get("/healthz", responses=documented(500))
async def healthz() -> Alive:
    """Say that the process is alive, whatever its database does."""
    return Alive(status="alive")


@health.get("/readyz", responses=documented(500, 503))
def readyz(service: ServiceOf) -> Ready:
    """Say whether requests can be served: the database answers, and its schema is known.

    One that is newer is: releases overlap, and a migration only adds what the release before it
    can live with.
    """
    try:
        with service.pool.connection() as connection:
            found = schema.revision(connection)
    except psycopg.OperationalError as error:
        detail = f"The database cannot be reached: {str(error).splitlines()[0]}"
        raise ProblemError(problem("not_ready", detail), SOON) from None
    known = schema.known()
    if found is None or (found in known and found != known[-1]):
        detail = f"The schema is at {found or 'no revision'}, and {known[-1]} is needed"
        raise ProblemError(problem("not_ready", detail), SOON)
    return Ready(status="ready", revision=found)
