"""Making a webhook, whoever asks for it: the command line, the HTTP API or a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.log import webhooks
from outbox.webhooks import address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outbox.log.database import Connection
    from outbox.log.webhooks import Webhook


def subscribe(
    connection: Connection,
    name: str,
    url: str,
    *,
    inside: bool,
    events: Sequence[str] = (),
    account: str | None = None,
    position: int | None = None,
) -> Webhook:
    """Make a webhook and return it, with the secret that its requests are signed with.

    Args:
        connection: Where to.
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
    return webhooks.create(connection, name, url, events=events, account=account, position=position)
