"""/dead-letters: what ended without success, to be looked at and given a new start."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Form, Request, Response

from outbox.log import notifications as log
from outbox.log import requeue
from outbox.log.pool import transaction
from outbox.web import asked
from outbox.web.dashboard.page import page, pages, see
from outbox.web.dashboard.visitor import Visitor, acting, visiting
from outbox.web.service import ServiceOf

dead_letters = pages()

Which = Literal["", "rejected", "expired", "exhausted", "cancelled", "unknown"]

_A_PAGE = 50
_BY_THEMSELVES = ("rejected", "expired", "exhausted")
"""What somebody has withdrawn is no failure, so it is shown only where it is asked for."""


@dead_letters.get("/dead-letters")
def listing(
    request: Request,
    visitor: Annotated[Visitor, Depends(visiting("read"))],
    service: ServiceOf,
    state: Which = "",
    account: str = "",
    after: UUID | None = None,
    requeued: int = 0,
) -> Response:
    """List dead letters, the newest first."""
    which = log.Filter(account=account or None, states=_states(state))
    with service.pool.connection() as connection:
        found = log.listing(connection, which, _A_PAGE + 1, after)
        total = requeue.count(connection, requeue.Choice(_states(state), account or None))
        now = log.clock(connection)
    wanted = {"state": state, "account": account}
    return page(
        request,
        "dead_letters",
        visitor,
        found=found[:_A_PAGE],
        total=total,
        now=now,
        state=state,
        states=("", *_BY_THEMSELVES, "cancelled", "unknown"),
        account=account,
        older=asked.older(wanted, found[_A_PAGE - 1].id) if len(found) > _A_PAGE else "",
        requeued=requeued,
    )


@dead_letters.post("/dead-letters/requeue")
def requeue_chosen(
    visitor: Annotated[Visitor, Depends(acting("operate"))],
    service: ServiceOf,
    id: Annotated[list[UUID] | None, Form()] = None,  # noqa: A002 - its name
    everything: Annotated[bool, Form()] = False,
    state: Annotated[Which, Form()] = "",
    account: Annotated[str, Form()] = "",
) -> Response:
    """Give the chosen ones a new start, or all that are listed, on the other pages too."""
    if everything:
        choice = requeue.Choice(_states(state), account or None)
        with service.pool.connection() as connection:
            number = requeue.requeue(connection, choice, metadata=visitor.metadata)
    else:
        number = len(id or ())
        with transaction(service.pool) as connection:
            log.requeue(connection, id or [], None, None, visitor.metadata)
    return see("/dead-letters", state=state, account=account, requeued=str(number))


def _states(state: Which) -> tuple[str, ...]:
    return (state,) if state else _BY_THEMSELVES
