"""/webhooks: who is told of events over HTTP, how that goes, and what an administrator changes.

Whoever may read sees how it goes, and of a URL its host alone: the rest may be a secret. What
cannot be asked for again, as a new webhook's secret, is on a page that does not refresh itself.
"""

from typing import Annotated

from fastapi import Depends, Form, Request, Response

from outbox.errors import Refused
from outbox.log import notifications
from outbox.log import webhooks as log
from outbox.log.pool import transaction
from outbox.log.types import NOTIFICATION
from outbox.web.dashboard.page import page, pages, see
from outbox.web.dashboard.visitor import Visitor, acting, visiting
from outbox.web.service import Service, ServiceOf
from outbox.web.webhooks import tried
from outbox.webhooks import standing
from outbox.webhooks.subscription import subscribe
from outbox.webhooks.trial import Tried

webhooks = pages()

Reader = Annotated[Visitor, Depends(visiting("read"))]
Admin = Annotated[Visitor, Depends(acting("admin"))]


@webhooks.get("/webhooks")
def listing(request: Request, visitor: Reader, service: ServiceOf) -> Response:
    """List the webhooks."""
    return _list(request, visitor, service)


@webhooks.post("/webhooks")
def create(
    request: Request,
    visitor: Admin,
    service: ServiceOf,
    name: Annotated[str, Form()] = "",
    url: Annotated[str, Form()] = "",
    event: Annotated[list[str] | None, Form()] = None,
    account: Annotated[str, Form()] = "",
    position: Annotated[int | None, Form()] = None,
) -> Response:
    """Make a webhook and show its secret, this once; or say what is wrong with it."""
    try:
        made = subscribe(
            transaction(service.pool),
            name,
            url,
            inside=service.webhooks_inside,
            events=event or (),
            account=account or None,
            position=position,
        )
    except Refused as error:
        filled = {"name": name, "url": url, "account": account, "position": position}
        return _list(
            request, visitor, service, wrong=str(error), filled=filled | {"event": event or []}
        )
    return page(request, "webhook_made", visitor, 201, name=name, secret=made.secret)


@webhooks.get("/webhooks/{name}")
def show(request: Request, visitor: Reader, service: ServiceOf, name: str) -> Response:
    """Show a webhook."""
    return _one(request, visitor, service, name)


@webhooks.post("/webhooks/{name}/enable")
def enable(_visitor: Admin, service: ServiceOf, name: str) -> Response:
    """Let it be told again."""
    with transaction(service.pool) as connection:
        log.enable(connection, name)
    return see(f"/webhooks/{name}")


@webhooks.post("/webhooks/{name}/disable")
def disable(visitor: Admin, service: ServiceOf, name: str) -> Response:
    """Let it be told no more."""
    with transaction(service.pool) as connection:
        log.disable(connection, name, f"token {visitor.token.name}")
    return see(f"/webhooks/{name}")


@webhooks.post("/webhooks/{name}/delete")
def delete(_visitor: Admin, service: ServiceOf, name: str) -> Response:
    """Forget it."""
    with transaction(service.pool) as connection:
        log.delete(connection, name)
    return see("/webhooks")


@webhooks.post("/webhooks/{name}/replay")
def replay(
    request: Request,
    visitor: Admin,
    service: ServiceOf,
    name: str,
    position: Annotated[int, Form()],
) -> Response:
    """Tell it again of all from a position on; or say that there is no such position."""
    try:
        with transaction(service.pool) as connection:
            log.replay(connection, name, position)
    except Refused as error:
        if error.rule != "bad_position":
            raise
        return _one(request, visitor, service, name, wrong=str(error))
    return see(f"/webhooks/{name}")


@webhooks.post("/webhooks/{name}/test")
def test(request: Request, visitor: Admin, service: ServiceOf, name: str) -> Response:
    """Send a test event now, and say what came back."""
    return _one(request, visitor, service, name, tried=tried(service, name))


def _list(
    request: Request,
    visitor: Visitor,
    service: Service,
    *,
    wrong: str = "",
    filled: dict[str, object] | None = None,
) -> Response:
    with service.pool.connection() as connection:
        found = standing.listed(connection)
        types = log.types(connection)
        now = notifications.clock(connection)
    return page(
        request,
        "webhooks",
        visitor,
        422 if wrong else 200,
        found=found,
        now=now,
        is_admin=visitor.token.allows("admin"),
        types={
            "Of notifications": types[: len(NOTIFICATION)],
            "Of connections": types[len(NOTIFICATION) :],
        },
        wrong=wrong,
        filled=filled or {"name": "", "url": "", "account": "", "position": "", "event": []},
    )


def _one(
    request: Request,
    visitor: Visitor,
    service: Service,
    name: str,
    *,
    wrong: str = "",
    tried: Tried | None = None,
) -> Response:
    with service.pool.connection() as connection:
        one = standing.named(connection, name)
        now = notifications.clock(connection)
    return page(
        request,
        "webhook",
        visitor,
        422 if wrong else 200,
        one=one,
        now=now,
        is_admin=visitor.token.allows("admin"),
        wrong=wrong,
        tried=tried,
    )
