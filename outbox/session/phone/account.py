"""An account as WhatsApp's server knows it: its one session, its traces and what waits for it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outbox.session.phone.connection import Connection
    from outbox.session.phone.line import Line

REPLACED: Line = {"type": "replaced", "reason": "replaced by another session"}


class Account:
    """One account.

    A later session replaces the one before, from which nothing is received any more. Traces outlive
    every session. A receipt, or a text, waits until a session has said that it has received it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.traces: dict[str, str] = {}
        """Secret (hexadecimal) to message id."""
        self._connection: Connection | None = None
        self._waiting: deque[tuple[int, Line]] = deque()
        self._last = 0

    @property
    def connection(self) -> Connection | None:
        """The session's connection, while there is one."""
        return self._connection

    def log_in(self, connection: Connection) -> None:
        """Let this connection be the account's session."""
        if self._connection is not None:
            self._connection.end(REPLACED)
        self._connection = connection
        connection.answer({"type": "connected"})
        for _, line in self._waiting:
            connection.answer(line)

    def left(self, connection: Connection) -> None:
        """Know that this connection is gone."""
        if self._connection is connection:
            self._connection = None

    def drop(self) -> bool:
        """Drop the session's connection; return whether there was one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.drop()
        return connection is not None

    def end(self, last: Line) -> bool:
        """End the session with this line; return whether there was one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.end(last)
        return connection is not None

    def hand(self, told: Line) -> None:
        """Hand something to the session, or to the next one: a receipt, or a text."""
        self._last += 1
        line: Line = {**told, "number": self._last}
        self._waiting.append((self._last, line))
        if self._connection is not None:
            self._connection.answer(line)

    def received(self, number: int) -> None:
        """Forget what was handed over up to this number: a session has it."""
        while self._waiting and self._waiting[0][0] <= number:
            self._waiting.popleft()
