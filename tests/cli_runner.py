"""Runs the command line as a program would, within this process, and what a session would do."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from typer.testing import CliRunner

from outbox.cli.app import app


@dataclass(frozen=True)
class Ran:
    """How a command ended.

    Attributes:
        code: Its exit code.
        out: What it wrote to stdout.
        err: What it wrote to stderr.
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever a command writes
        """The JSON document on stdout."""
        return json.loads(self.out)


def run(*arguments: object, url: str | None = None, stdin: str | None = None) -> Ran:
    """Run a command with DATABASE_URL set to a URL, or to nothing."""
    result = CliRunner().invoke(
        app,
        [str(argument) for argument in arguments],
        env={"DATABASE_URL": url or "", "OUTBOX_TRACEBACK": ""},
        input=stdin,
    )
    return Ran(result.exit_code, result.stdout, result.stderr)


class Session:
    """Plays a worker's session by hand, with the SQL functions that a worker calls."""

    def __init__(self, connection: psycopg.Connection, account: str = "main") -> None:
        self._connection = connection
        self._account = account
        self._attempts: dict[UUID, int] = {}
        row = connection.execute(
            "select outbox.acquire_lease(%s, %s, '1 minute', %s::jsonb)",
            (account, uuid4(), '{"host": "here", "process": 7}'),
        ).fetchone()
        assert row is not None
        self.epoch: int = row[0]

    def transition(self, kind: str, reason: str = "") -> None:
        """Record what happened to the connection."""
        self._connection.execute(
            "select outbox.record_transition(%s, %s, %s, %s)",
            (self._account, self.epoch, kind, reason),
        )

    def start(self, *notifications: UUID) -> None:
        """Start an attempt of each."""
        rows = self._connection.execute(
            "select notification, attempt from outbox.start_attempts(%s, %s, %s)",
            (self._account, self.epoch, list(notifications)),
        ).fetchall()
        assert len(rows) == len(notifications)
        self._attempts.update(rows)

    def record(self, kind: str, *notifications: UUID, error: str | None = None) -> None:
        """Record the same outcome of the attempt of each."""
        outcomes = [
            {
                "notification": str(one),
                "attempt": self._attempts[one],
                "type": kind,
                "message_id": f"3EB0{one.hex[-12:].upper()}" if kind == "sent" else None,
                "error": error,
            }
            for one in notifications
        ]
        self._connection.execute(
            "select outbox.record_outcomes(%s, %s, %s::jsonb)",
            (self._account, self.epoch, json.dumps(outcomes)),
        )

    def end(self, kind: str, *notifications: UUID, error: str | None = None) -> None:
        """Start an attempt of each and record its outcome."""
        self.start(*notifications)
        self.record(kind, *notifications, error=error)


def enqueue(
    connection: psycopg.Connection, recipient: str = "+447700900123", **more: object
) -> UUID:
    """Enqueue a text with the SQL function, whose other parameters may be given."""
    names = "".join(f", {name} => %s" for name in more)
    row = connection.execute(
        f'select outbox.enqueue(%s, \'{{"kind": "text", "text": "hello"}}\'{names})',
        (recipient, *more.values()),
    ).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found
