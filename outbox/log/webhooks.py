"""Webhooks: who is told of events over HTTP, who serves them, and how that goes.

Invariants: a webhook is served by at most one sender, by a lease of the database's clock. Where it
stands is the cursor of a follower, which a disabled webhook keeps: enabled, it goes on there.
"""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg
from psycopg.rows import class_row

from outbox.errors import refusal
from outbox.log import follow
from outbox.log.database import query
from outbox.log.types import NOTIFICATION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import LiteralString
    from uuid import UUID

    from outbox.log.database import Connection

NAME: Final = "[a-z0-9][a-z0-9_.-]{0,62}"
"""What a webhook may be called."""
_ACCOUNT: Final = NAME
"""What an account may be called, as `outbox.option_problem` judges it."""
_SECRET_BYTES: Final = 32
_OPERATOR: Final = "an operator"
EVERY_ACCOUNT: Final = "*"
"""What the log has for an account where a recipient's event is about all of them."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription, and how its delivery goes."""

    name: str
    url: str
    secret: str
    """What is sent is signed with it, as Standard Webhooks has it."""
    events: list[str]
    """The types of event that it is told of; none means all."""
    account: str | None
    """The account of whose events it is told; None means all."""
    created_at: datetime
    owner: UUID | None
    """The sender that serves it."""
    failing_since: datetime | None
    failures: int
    """In a row."""
    retry_at: datetime | None
    last_error: str | None
    disabled_at: datetime | None
    disabled_because: str | None
    moved_at: datetime | None
    """When its cursor was last moved."""
    due: bool
    free: bool

    @property
    def state(self) -> str:
        """`enabled`, `failing` or `disabled`."""
        if self.disabled_at is not None:
            return "disabled"
        return "failing" if self.failures else "enabled"

    def wants(self, event: follow.Event) -> bool:
        """Return whether it is told of an event."""
        return (not self.events or event.type in self.events) and (
            self.account is None or event.account in {self.account, EVERY_ACCOUNT}
        )


class Origin(NamedTuple):
    """Where events come from."""

    database: str
    connection_types: tuple[str, ...]
    """The types of event of a connection's stream."""
    recipient_types: tuple[str, ...]
    """Those of a recipient's; all others are a notification's."""


def consumer(name: str) -> str:
    """Return under which name the webhook follows the log."""
    return f"webhook {name}"


def types(connection: Connection) -> list[str]:
    """Return the types of event that there are."""
    known = origin(connection)
    return [*NOTIFICATION, *known.connection_types, *known.recipient_types]


def origin(connection: Connection) -> Origin:
    """Return what tells the log's events apart from others' and from each other."""
    row = connection.execute(
        "select current_database(), outbox.connection_types(), outbox.recipient_types()"
    ).fetchone()
    if row is None:
        raise RuntimeError("a select of three values returned no row")
    return Origin(row[0], tuple(row[1]), tuple(row[2]))


def create(
    connection: Connection,
    name: str,
    url: str,
    *,
    events: Sequence[str] = (),
    account: str | None = None,
    position: int | None = None,
) -> Webhook:
    """Make a webhook and return it.

    Args:
        connection: Where to.
        name: Its name.
        url: Where events are sent; already judged.
        events: The types of event that it is told of; none means all.
        account: The account of whose events it is told; None means all.
        position: The first position that it is told of; None means what comes from now on.

    Raises:
        InvalidWebhook: The name is none, or there is no such type or position.
        InvalidOption: No account can have this name.
        WebhookTaken: There is another of this name.
    """
    if not re.fullmatch(NAME, name):
        raise refusal("bad_webhook", name)
    known = types(connection)
    unknown = [one for one in events if one not in known]
    if unknown:
        raise refusal("bad_event_type", ", ".join(unknown), f"The types are {', '.join(known)}.")
    if account is not None and not re.fullmatch(_ACCOUNT, account):
        raise refusal("bad_account", account)
    start = follow.start(connection, position)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    with connection.transaction():
        try:
            connection.execute(
                "insert into outbox.webhook (name, url, secret, events, account)"
                " values (%s, %s, %s, %s, %s)",
                (name, url, secret, list(dict.fromkeys(events)), account),
            )
        except psycopg.errors.UniqueViolation:
            raise refusal("webhook_taken", name) from None
        follow.place(connection, consumer(name), start)
        return named(connection, name)


def listed(connection: Connection) -> list[Webhook]:
    """Return every webhook, by name."""
    return _find(connection, None)


def named(connection: Connection, name: str) -> Webhook:
    """Return the webhook of this name.

    Raises:
        UnknownWebhook: There is none.
    """
    for found in _find(connection, name):
        return found
    raise refusal("unknown_webhook", name)


def enable(connection: Connection, name: str) -> None:
    """Let a webhook be served at once, from where it stands.

    Raises:
        UnknownWebhook: There is none of this name.
    """
    _change(
        connection,
        "update outbox.webhook set disabled_at = null, disabled_because = null, retry_at = null,"
        " failing_since = null, failures = 0, last_error = null where name = %s",
        name,
    )


def disable(connection: Connection, name: str, by: str = _OPERATOR) -> None:
    """Let a webhook be served no longer; it keeps its place in the log. Twice is harmless.

    Args:
        connection: Where it is.
        name: The webhook.
        by: Who disables it.

    Raises:
        UnknownWebhook: There is none of this name.
    """
    _change(
        connection,
        "update outbox.webhook set disabled_at = coalesce(disabled_at, statement_timestamp()),"
        " disabled_because = coalesce(disabled_because, %s) where name = %s",
        f"{by} disabled it",
        name,
    )


def delete(connection: Connection, name: str) -> None:
    """Forget a webhook, its secret and its place in the log.

    Raises:
        UnknownWebhook: There is none of this name.
    """
    with connection.transaction():
        _change(connection, "delete from outbox.webhook where name = %s", name)
        connection.execute("delete from outbox.cursor where consumer = %s", (consumer(name),))


def replay(connection: Connection, name: str, position: int) -> None:
    """Let a webhook be told again of all from a position on.

    A sender in the middle of something else finds its cursor moved, and begins there.

    Raises:
        UnknownWebhook: There is none of this name.
        InvalidWebhook: There is no such position.
    """
    start = follow.start(connection, position)
    with connection.transaction():
        named(connection, name)
        follow.place(connection, consumer(name), start)


def _change(connection: Connection, statement: LiteralString, *values: str) -> None:
    """Run a statement whose last value is the name of a webhook that has to be there."""
    if not connection.execute(statement, values).rowcount:
        raise refusal("unknown_webhook", values[-1])


def _find(connection: Connection, name: str | None) -> list[Webhook]:
    with connection.cursor(row_factory=class_row(Webhook)) as cursor:
        return cursor.execute(query("webhooks"), {"name": name}).fetchall()
