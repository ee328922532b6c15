"""An account as its owner drives it, by the statements of the log; tests need no session for it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal, NamedTuple, Self
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from outbox.log import lease

HELLO: dict[str, Any] = {"kind": "text", "text": "hello"}

Receipt = tuple[str, Literal["delivered", "read", "played"]]
OutcomeType = Literal[
    "sent", "failed", "rejected", "not_sent", "unknown", "never_left", "throttled", "restricted"
]


class Row(NamedTuple):
    """What `outbox.notification` says, so far as tests ask."""

    state: str
    version: int
    attempts: int
    failures: int
    message_id: str | None
    last_error: str | None


class RecipientRow(NamedTuple):
    """What `outbox.recipient` says."""

    failures: int
    failed_attempts: int
    waits: bool
    last_error: str | None
    reached: bool


class ConnectionRow(NamedTuple):
    """What `outbox.connection` says, so far as tests ask."""

    state: str
    version: int
    epoch: int
    failures: int
    reason: str | None
    seconds: float | None
    """From the change to the next connection."""


class Started(NamedTuple):
    """What `outbox.start_attempts` says of a notification of a paced session."""

    notification: UUID
    attempt: int | None
    registered: bool | None
    held_by: str | None
    seconds: float | None
    """Until it may start."""


class Pace(NamedTuple):
    """What `outbox.pace` says, moments as seconds from now."""

    seconds: float
    reason: str | None
    strangers_left: int
    strangers_seconds: float
    strangers_reason: str | None


class Account:
    """An account, and its owner so long as it has taken the lease.

    Args:
        connection: Where to.
        name: The account's name.
    """

    def __init__(self, connection: psycopg.Connection, name: str = "main") -> None:
        self.connection = connection
        self.name = name
        self.epoch = 0

    @classmethod
    def owned(cls, connection: psycopg.Connection, name: str = "main") -> Self:
        """Return an account whose lease has been taken."""
        account = cls(connection, name)
        assert account.acquire()
        return account

    # Callers.

    def enqueue(self, number: int = 1, **options: object) -> UUID:
        """Enqueue for the recipient of this number, under options of `outbox.enqueue`."""
        given = {"recipient": f"+4477009{number:05}", "content": HELLO, **options}
        row = self.connection.execute(
            "select id from outbox.enqueue_batch(%s, %s)", (json.dumps([given]), self.name)
        ).fetchone()
        assert row
        return UUID(str(row[0]))

    def cancel(self, notification: UUID) -> None:
        """Withdraw a notification."""
        self.connection.execute("select outbox.cancel(%s)", (notification,))

    def requeue(self, notification: UUID) -> None:
        """Give a notification a new start."""
        self.connection.execute("select outbox.requeue(%s)", (notification,))

    # The lease.

    def acquire(self, seconds: float = 60, *, pairing: bool = False, **worker: object) -> bool:
        """Take the lease as a new owner; return whether it was to be had."""
        duration = timedelta(seconds=seconds)
        epoch = lease.acquire(
            self.connection, self.name, uuid4(), duration, worker, pairing=pairing
        )
        self.epoch = epoch or self.epoch
        return epoch is not None

    def renew(self, seconds: float = 60) -> bool:
        """Renew the lease; return whether it is still held."""
        row = self.connection.execute(
            "select outbox.renew_lease(%s, %s, %s)",
            (self.name, self.epoch, timedelta(seconds=seconds)),
        ).fetchone()
        assert row
        return bool(row[0])

    def release(self) -> None:
        """Give the lease back."""
        self.connection.execute("select outbox.release_lease(%s, %s)", (self.name, self.epoch))

    def transition(
        self,
        type: str,  # noqa: A002
        reason: str | None = None,
        pause: timedelta | None = None,
    ) -> None:
        """Record what happened to the connection."""
        self.connection.execute(
            "select outbox.record_transition(%s, %s, %s, %s, %s)",
            (self.name, self.epoch, type, reason, pause),
        )

    # Attempts.

    def start(self, *notifications: UUID) -> list[UUID]:
        """Start attempts; return which may be handed to a session."""
        rows = self.connection.execute(
            "select notification from outbox.start_attempts(%s, %s, %s)",
            (self.name, self.epoch, list(notifications)),
        )
        return [row[0] for row in rows]

    def start_paced(self, *notifications: UUID) -> list[Started]:
        """Start attempts of a paced session; return what became of each, in the order given."""
        rows = self.connection.execute(
            "select notification, attempt, registered, held_by,"
            " extract(epoch from held_until - statement_timestamp())::float8"
            " from outbox.start_attempts(%s, %s, %s, true)"
            " order by array_position(%s, notification)",
            (self.name, self.epoch, list(notifications), list(notifications)),
        )
        return [Started(*row) for row in rows]

    def pace(self) -> Pace:
        """Return when the next message may be sent, and the next stranger be written to."""
        row = self.connection.execute(
            "select extract(epoch from next_at - statement_timestamp())::float8, reason,"
            " strangers_left, extract(epoch from strangers_at - statement_timestamp())::float8,"
            " strangers_reason from outbox.pace(%s)",
            (self.name,),
        ).fetchone()
        assert row
        return Pace(*row)

    def policy(self, **values: object) -> None:
        """Set the policy of all accounts."""
        for name, value in values.items():
            self.connection.execute(
                sql.SQL("update outbox.policy set {} = %s").format(sql.Identifier(name)), (value,)
            )

    def record(
        self,
        notification: UUID,
        type: OutcomeType,  # noqa: A002
        message_id: str | None = None,
        *,
        attempt: int | None = None,
        error: str | None = None,
        registered: bool | None = None,
    ) -> None:
        """Record an outcome, of the notification's latest attempt unless another is given."""
        self.record_all([(notification, type, message_id, attempt, error)], registered=registered)

    def record_all(
        self,
        outcomes: Sequence[tuple[UUID, OutcomeType, str | None, int | None, str | None]],
        *,
        registered: bool | None = None,
    ) -> None:
        """Record outcomes (notification, type, message id, attempt, error) in one statement."""
        given = [
            {
                "notification": str(notification),
                "attempt": attempt or self.row(notification).attempts,
                "type": kind,
                "message_id": message_id,
                "error": error,
                "registered": registered,
            }
            for notification, kind, message_id, attempt, error in outcomes
        ]
        self.connection.execute(
            "select outbox.record_outcomes(%s, %s, %s)", (self.name, self.epoch, json.dumps(given))
        )

    def send(self, notification: UUID, type: OutcomeType, message_id: str | None = None) -> None:  # noqa: A002
        """Start an attempt and record its outcome."""
        assert self.start(notification) == [notification]
        self.record(notification, type, message_id)

    def receive(self, *receipts: Receipt) -> list[UUID]:
        """Record receipts; return which notifications they settled."""
        given = [{"message_id": message_id, "type": kind} for message_id, kind in receipts]
        rows = self.connection.execute(
            "select notification from outbox.record_receipts(%s, %s, %s)",
            (self.name, self.epoch, json.dumps(given)),
        )
        return [row[0] for row in rows]

    def settle(self) -> int:
        """Settle unknown outcomes by policy; return how many."""
        row = self.connection.execute(
            "select outbox.settle_unconfirmed(%s, %s)", (self.name, self.epoch)
        ).fetchone()
        assert row
        return int(row[0])

    # What the log and its projections say.

    def row(self, notification: UUID) -> Row:
        """Return the projection of a notification."""
        found = self.connection.execute(
            "select state, version, attempts, failures, message_id, last_error"
            " from outbox.notification where id = %s",
            (notification,),
        ).fetchone()
        assert found, f"no notification {notification}"
        return Row(*found)

    def recipient_of(self, notification: UUID) -> RecipientRow | None:
        """Return the counters of a notification's recipient."""
        found = self.connection.execute(
            "select r.failures, r.failed_attempts, r.retry_at > statement_timestamp(),"
            " r.last_error, r.first_sent_at is not null"
            " from outbox.recipient r join outbox.notification n using (account, recipient)"
            " where n.id = %s",
            (notification,),
        ).fetchone()
        return RecipientRow(found[0], found[1], bool(found[2]), *found[3:]) if found else None

    def standing(self) -> ConnectionRow:
        """Return the projection of the account's connection."""
        found = self.connection.execute(
            "select state, version, epoch, failures, reason,"
            " extract(epoch from reconnect_at - changed_at)::float8"
            " from outbox.connection where account = %s",
            (self.name,),
        ).fetchone()
        assert found, f"no connection of {self.name}"
        return ConnectionRow(*found)

    def story(self, notification: UUID) -> list[str]:
        """Return the types of a notification's events, in order."""
        rows = self.connection.execute(
            "select type from outbox.event where stream = %s order by version", (notification,)
        )
        return [row[0] for row in rows]

    def connection_story(self) -> list[str]:
        """Return the types of the connection's events, in order."""
        rows = self.connection.execute(
            "select type from outbox.event where stream = outbox.connection_stream(%s)"
            " order by version",
            (self.name,),
        )
        return [row[0] for row in rows]

    def data(self, notification: UUID, version: int) -> dict[str, Any]:
        """Return the data of one of a notification's events."""
        row = self.connection.execute(
            "select data from outbox.event where stream = %s and version = %s",
            (notification, version),
        ).fetchone()
        assert row
        return dict(row[0])
