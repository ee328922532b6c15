"""Making a webhook, whoever asks for it: the command line, the HTTP API or a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from outbox.log import webhooks
from outbox.webhooks import address, standing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from outbox.log.database import Connection
    from outbox.webhooks.standing import Standing


class Subscribed(NamedTuple):
    """A webhook that has just been made."""

    webhook: Standing
    secret: str
    """What its requests are signed with."""


def subscribe(
    opening: AbstractContextManager[Connection],
    name: str,
    url: str,
    *,
    inside: bool,
    events: Sequence[str] = (),
    account: str | None = None,
    position: int | None = None,
) -> Subscribed:
    """Make a webhook and return it.

    Args:
        opening: Opens the database. That is done only when the URL has been judged, which may have
            asked a slow name server.
        name: Its name.
        url: Where events are sent.
        inside: It may point inside, and to http.
        events: The types of event that it is told of; none means all.
        account: The account of whose events it is told; None means all.
        position: The first position that it is told of; None means what comes from now on.

    Raises:
        InvalidWebhook: It may not point there, or has a name, type or position that cannot be.
        InvalidOption: No account can have this name.
        WebhookTaken: There is another of this name.
    """
    address.judge(url, inside=inside)
    with opening as connection:
        made = webhooks.create(
            connection, name, url, events=events, account=account, position=position
        )
        return Subscribed(standing.named(connection, name), made.secret)
