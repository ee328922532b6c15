"""/notifications: what there is, what befell one, and one to be sent by hand."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Form, Request, Response

from outbox.caller.options import ACCOUNT, judge_account
from outbox.errors import OutboxError
from outbox.log import intake
from outbox.log import notifications as log
from outbox.log.pool import transaction
from outbox.web import asked, given
from outbox.web.dashboard.page import page, pages, see
from outbox.web.dashboard.pictures import timeline
from outbox.web.dashboard.visitor import Visitor, acting, visiting
from outbox.web.documents import State
from outbox.web.problems import ProblemError, problem
from outbox.web.service import Service, ServiceOf
from outbox.words import narrative

notifications = pages()

_A_PAGE = 50
_GROUPS = {"open": log.OPEN, "dead": log.DEAD}


@notifications.get("/notifications")
def listing(
    request: Request,
    visitor: Annotated[Visitor, Depends(visiting("read"))],
    service: ServiceOf,
    state: State | Literal["open", "dead", ""] = "",
    account: str = "",
    to: str = "",
    kind: str = "",
    id: str = "",  # noqa: A002 - its name
    after: UUID | None = None,
) -> Response:
    """List notifications, the newest first, or go to the one whose id begins so."""
    if id.strip():
        return see(f"/notifications/{_found(service, id)}")
    which = log.Filter(
        account=account or None,
        states=_GROUPS.get(state, (state,)) if state else (),
        jid=asked.recipient(to.strip() or None),
        kind=kind or None,
    )
    with service.pool.connection() as connection:
        found = log.listing(connection, which, _A_PAGE + 1, after)
        now = log.clock(connection)
    wanted = {"state": state, "account": account, "to": to, "kind": kind}
    return page(
        request,
        "notifications",
        visitor,
        found=found[:_A_PAGE],
        now=now,
        wanted=wanted,
        states=("open", "dead", *log.STATES),
        older=asked.older(wanted, found[_A_PAGE - 1].id) if len(found) > _A_PAGE else "",
        is_first=after is None,
    )


def _found(service: Service, start: str) -> UUID:
    try:
        with service.pool.connection() as connection:
            return log.find(connection, start)
    except log.AmbiguousIdError as error:
        raise ProblemError(problem("bad_parameter", str(error), field="id")) from None


@notifications.get("/notifications/new")
def compose(
    request: Request, visitor: Annotated[Visitor, Depends(visiting("enqueue"))]
) -> Response:
    """Ask what to send, and to whom."""
    return page(request, "new", visitor, recipient="", text="", account=ACCOUNT, wrong="")


@notifications.post("/notifications/new")
def enqueue(
    request: Request,
    visitor: Annotated[Visitor, Depends(acting("enqueue"))],
    service: ServiceOf,
    recipient: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    account: Annotated[str, Form()] = ACCOUNT,
) -> Response:
    """Accept a text, or say what is wrong with it."""
    try:
        judge_account(account)
        row = given.one({"recipient": recipient, "text": text}, visitor.token.name)
        with transaction(service.pool) as connection:
            (accepted,) = intake.accept(connection, [row], account)
    except OutboxError as error:
        filled = {"recipient": recipient, "text": text, "account": account}
        shown = page(request, "new", visitor, 422, **filled, wrong=str(error))
    else:
        return see(f"/notifications/{accepted}")
    return shown


@notifications.get("/notifications/{id}")
def show(
    request: Request,
    visitor: Annotated[Visitor, Depends(visiting("read"))],
    service: ServiceOf,
    id: UUID,  # noqa: A002 - its name
) -> Response:
    """Show a notification, its timeline as a picture and as rows."""
    with service.pool.connection() as connection:
        shown = log.show(connection, id)
        events = log.timeline(connection, id)
    return page(
        request,
        "notification",
        visitor,
        shown=shown,
        content=narrative.content(shown),
        meaning=narrative.meaning(shown),
        next_step=narrative.next_step(shown),
        options=narrative.options(shown),
        away=narrative.away(shown, events),
        events=events,
        stops=timeline(events),
        can_cancel=shown.state in {"pending", "unknown"},
        can_requeue=shown.state in {*log.DEAD, "unknown"},
    )


@notifications.post("/notifications/{id}/cancel")
def cancel(
    visitor: Annotated[Visitor, Depends(acting("operate"))],
    service: ServiceOf,
    id: UUID,  # noqa: A002 - its name
) -> Response:
    """Withdraw a notification."""
    with transaction(service.pool) as connection:
        log.cancel(connection, [id], None, visitor.metadata)
    return see(f"/notifications/{id}")


@notifications.post("/notifications/{id}/requeue")
def requeue(
    visitor: Annotated[Visitor, Depends(acting("operate"))],
    service: ServiceOf,
    id: UUID,  # noqa: A002 - its name
) -> Response:
    """Give a notification a new start."""
    with transaction(service.pool) as connection:
        log.requeue(connection, [id], None, None, visitor.metadata)
    return see(f"/notifications/{id}")
