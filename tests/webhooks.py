"""What tests of webhooks share: a subscription, a sender that works, what the log has."""

from itertools import pairwise

import psycopg

from outbox.log import webhooks
from outbox.webhooks.sender import Sender
from tests.puppet import until
from tests.receiver import Receiver


def subscribe(
    connection: psycopg.Connection,
    receiver: Receiver,
    *events: str,
    account: str | None = None,
    position: int | None = None,
) -> None:
    """Make a webhook named shop."""
    made = webhooks.create(
        connection, "shop", receiver.url, events=events, account=account, position=position
    )
    receiver.secret = made.secret


def settle(connection: psycopg.Connection, sender: Sender) -> None:
    """Give the sender turns until it has nothing in hand and nothing to take."""
    idle = 0

    def turn() -> bool:
        nonlocal idle
        sender.turn(connection)
        idle = 0 if sender._errands else idle + 1
        return idle > 1

    until(turn, "the sender has nothing to do")


def log(connection: psycopg.Connection, *types: str) -> list[str]:
    """Return the ids that the events of the log have, by position."""
    rows = connection.execute(
        "select position from outbox.event where %s or type = any(%s) order by position",
        (not types, list(types)),
    )
    return [f"1-{position}" for (position,) in rows]


def again(connection: psycopg.Connection) -> None:
    """Let the next try be due."""
    connection.execute("update outbox.webhook set retry_at = now() where retry_at is not null")


def lapse(connection: psycopg.Connection) -> None:
    """Let the leases of webhooks be over."""
    connection.execute("update outbox.webhook set leased_until = now() where owner is not null")


def in_order(receiver: Receiver) -> bool:
    """Return whether each stream's first arrivals came in the order of its versions."""
    seen: set[str] = set()
    versions: dict[str, list[int]] = {}
    for one in receiver.got:
        if one["id"] not in seen:
            seen.add(one["id"])
            versions.setdefault(one["subject"], []).append(one["data"]["version"])
    return all(a < b for stream in versions.values() for a, b in pairwise(stream))
