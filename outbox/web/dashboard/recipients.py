"""/recipients: to whom something was sent, and who waits for a retry."""

from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Request, Response

from outbox.log import notifications
from outbox.log import recipients as log
from outbox.web import asked
from outbox.web.dashboard.page import page, pages
from outbox.web.dashboard.visitor import Visitor, visiting
from outbox.web.service import ServiceOf

recipients = pages()

_A_PAGE = 50


@recipients.get("/recipients")
def listing(
    request: Request,
    visitor: Annotated[Visitor, Depends(visiting("read"))],
    service: ServiceOf,
    who: Literal["failing", "all"] = "failing",
    to: str = "",
    after_id: UUID | None = None,
    after_account: str = "",
) -> Response:
    """List those who wait for a retry, or all, or one."""
    jid = asked.recipient(to.strip() or None)
    after = log.Place(after_id, after_account) if after_id else None
    with service.pool.connection() as connection:
        found = log.listing(
            connection, _A_PAGE + 1, jid=jid, failing=who == "failing" and jid is None, after=after
        )
        now = notifications.clock(connection)
    further = ""
    if len(found) > _A_PAGE:
        last = found[_A_PAGE - 1]
        further = urlencode({"who": who, "after_id": str(last.id), "after_account": last.account})
    return page(
        request,
        "recipients",
        visitor,
        found=found[:_A_PAGE],
        now=now,
        who=who,
        to=to,
        further=further,
    )
