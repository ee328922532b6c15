"""A day of an account's log, told event by event: each as the outbox would have appended it."""

import hashlib
import json
from typing import Any
from uuid import UUID

import psycopg

DAY = "2026-03-10"


class Day:
    """Appends what happened to one account, in the order in which it did.

    Args:
        connection: Where to.
        account: Whose day it is.
        first: Number of the first notification's id; days of several accounts begin apart.
    """

    def __init__(
        self, connection: psycopg.Connection, account: str = "main", first: int = 1
    ) -> None:
        self._connection = connection
        self.account = account
        self._versions: dict[UUID, int] = {}
        self._attempts: dict[UUID, int] = {}
        self._next = first
        row = connection.execute("select outbox.connection_stream(%s)", (account,)).fetchone()
        assert row
        self._link: UUID = row[0]
        self.epoch = 0
        connection.execute("select outbox.create_partition(%s)", (DAY,))

    def tell(
        self,
        at: str,
        stream: UUID,
        type_: str,
        data: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Append an event of a stream."""
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        told = {k: v for k, v in (data or {}).items() if v is not None}
        self._connection.execute(
            "insert into outbox.event"
            " (recorded_at, account, stream, version, type, data, metadata)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            (
                f"{DAY} {at}Z",
                self.account,
                stream,
                version,
                type_,
                json.dumps(told),
                json.dumps(metadata or {}),
            ),
        )

    def link(self, at: str, type_: str, **data: object) -> None:
        """Append an event of the account's connection."""
        by_worker = self.epoch and not type_.startswith("lease_")
        self.tell(at, self._link, type_, data, {"epoch": self.epoch} if by_worker else None)

    def own(self, at: str, dyno: str, release: str = "v1") -> None:
        """A worker takes the lease."""
        self.epoch += 1
        self._connection.execute(
            "insert into outbox.lease (account) values (%s) on conflict do nothing", (self.account,)
        )
        owner = f"{self.epoch:08x}-0000-4000-8000-000000000000"
        self.tell(
            at,
            self._link,
            "lease_acquired",
            {"epoch": self.epoch, "owner": owner},
            {"dyno": dyno, "release": release},
        )

    def enqueue(self, at: str, number: str, text: str, **options: object) -> UUID:
        """Enqueue a text for a number."""
        stream = UUID(f"019cd5a0-0000-7000-8000-{self._next:012}")
        self._next += 1
        recipient = UUID(hashlib.md5(number.encode(), usedforsecurity=False).hexdigest())
        self._connection.execute(
            "insert into outbox.identity values (%s, %s) on conflict do nothing",
            (recipient, f"{number}@s.whatsapp.net"),
        )
        body = json.dumps({"kind": "text", "text": text})
        digest = hashlib.sha256(body.encode())
        self._connection.execute(
            "insert into outbox.content (digest, body) values (%s, %s) on conflict do nothing",
            (digest.digest(), body),
        )
        given = {
            "recipient": str(recipient),
            "content": digest.hexdigest(),
            "priority": 0,
            "max_attempts": 3,
            "on_unknown": "resend",
            "expires_at": f"{DAY} 23:59:59Z",
        }
        self.tell(at, stream, "enqueued", {**given, **options}, {"token": "shop"})
        return stream

    def requeue(self, at: str, stream: UUID, state: str, **data: object) -> None:
        """Give what ended as a state, or was in doubt, a new start."""
        told = {"state": state, "expires_at": f"{DAY} 23:59:59Z", **data}
        self.tell(at, stream, "requeued", told)

    def start(self, at: str, stream: UUID) -> None:
        """Start an attempt."""
        attempt = self._attempts[stream] = self._attempts.get(stream, 0) + 1
        self.tell(at, stream, "attempt_started", {"attempt": attempt}, {"epoch": self.epoch})

    def end(self, at: str, stream: UUID, type_: str, **data: object) -> None:
        """Append what became of the latest attempt."""
        told = {"attempt": self._attempts[stream], **data}
        if "recipient_failures" in data:
            row = self._connection.execute(
                "select recipient::text from outbox.notification where id = %s", (stream,)
            ).fetchone()
            assert row
            told["recipient"] = row[0]
        self.tell(at, stream, type_, told, {"epoch": self.epoch})

    def receive(self, at: str, stream: UUID, type_: str) -> None:
        """Append a receipt."""
        self.tell(at, stream, type_, None, {"epoch": self.epoch})

    def send(self, at: str, stream: UUID, until: str, message_id: str) -> None:
        """Start an attempt that succeeds."""
        self.start(at, stream)
        self.end(until, stream, "sent", message_id=message_id, recipient_failures=0)
