"""How a webhook is shown: all of it but its secret, and where in the log it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outbox.log import webhooks
from outbox.log.followers import Lag, lags

if TYPE_CHECKING:
    from datetime import datetime

    from outbox.log.database import Connection
    from outbox.log.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class Standing:
    """A webhook as it is shown."""

    name: str
    url: str
    events: list[str]
    """The types of event that it is told of; none means all."""
    account: str | None
    """The account of whose events it is told; None means all."""
    created_at: datetime
    state: str
    """`enabled`, `failing` or `disabled`."""
    position: int | None
    """Of the first event that it has not been told of; None if there is none."""
    behind: int
    """How many positions have been given out since that one; at least as many as are to come."""
    behind_seconds: float
    """How old the event at that position is."""
    moved_at: datetime | None
    """When it last came further."""
    failures: int
    """In a row."""
    failing_since: datetime | None
    retry_at: datetime | None
    last_error: str | None
    disabled_at: datetime | None
    disabled_because: str | None


def listed(connection: Connection) -> list[Standing]:
    """Return every webhook, by name."""
    found = webhooks.listed(connection)
    return _standing(connection, found)


def named(connection: Connection, name: str) -> Standing:
    """Return the webhook of this name.

    Raises:
        UnknownWebhook: There is none.
    """
    (found,) = _standing(connection, [webhooks.named(connection, name)])
    return found


def _standing(connection: Connection, found: list[Webhook]) -> list[Standing]:
    behind = {lag.consumer: lag for lag in lags(connection)} if found else {}
    standing = []
    for one in found:
        consumer = webhooks.consumer(one.name)
        lag = behind.get(consumer) or Lag(consumer, 0, 0)
        standing.append(
            Standing(
                name=one.name,
                url=one.url,
                events=one.events,
                account=one.account,
                created_at=one.created_at,
                state=one.state,
                position=lag.position,
                behind=lag.positions,
                behind_seconds=lag.seconds,
                moved_at=one.moved_at,
                failures=one.failures,
                failing_since=one.failing_since,
                retry_at=one.retry_at,
                last_error=one.last_error,
                disabled_at=one.disabled_at,
                disabled_because=one.disabled_because,
            )
        )
    return standing
