"""The log as it grows, for everything in this process that watches it: one follower for all.

Invariants: every event that is committed after the start is told once to whoever listens then, in
every stream's own order; a lost connection delays events and loses none; a listener that fails ends
neither the feed nor the others. It polls, since a busy log
must not notify; a look costs the database less than a millisecond.
"""

from __future__ import annotations

from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import psycopg
import structlog

from outbox.log.database import connect
from outbox.log.follow import Follower

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from outbox.log.database import Connection
    from outbox.log.follow import Cursor, Event

    Listener = Callable[[list[Event]], None]

_EVERY_SECONDS = 0.5
_MOST = 10_000
"""Events of one look, some megabytes; whoever is further behind goes in steps, which cost more."""
_LONGEST_SECONDS = 30.0
"""Between two tries to get the database back."""

_log: Any = structlog.get_logger()


class Feed:
    """Follows the log in a thread of its own.

    Args:
        url: The database.
        pooled: A pooler in transaction mode is between.
        closing: Set when the process stops; the thread ends then.
    """

    def __init__(self, url: str, *, pooled: bool, closing: Flag) -> None:
        self._url = url
        self._pooled = pooled
        self._closing = closing
        self._lock = Lock()
        self._listeners: list[Listener] = []
        self._cursor: Cursor | None = None
        self._thread = Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to follow, from the end that the log has when the database is reached."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the thread has ended, which it does once the process is closing."""
        self._thread.join()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell somebody of all events from now on.

        Args:
            listener: Takes the events of one look, never none; in the feed's thread, so it returns
                soon.

        Returns:
            What ends it.
        """
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return stop

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            try:
                with connect(self._url, "outbox web feed", pooled=self._pooled) as connection:
                    failures = 0
                    self._follow(connection)
            except psycopg.Error as error:
                seconds = min(2.0**failures, _LONGEST_SECONDS)
                _log.warning("feed interrupted", error=str(error), seconds=seconds)
                failures += 1
                self._closing.wait(seconds)

    def _follow(self, connection: Connection) -> None:
        follower = Follower(connection, cursor=self._cursor)
        while not self._closing.is_set():
            batch = follower.take(_MOST)
            if batch.events:
                self._tell(batch.events)
            follower.move(batch)
            self._cursor = batch.after
            if batch.complete:
                self._closing.wait(_EVERY_SECONDS)

    def _tell(self, events: list[Event]) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            try:
                listener(events)
            except Exception:  # noqa: BLE001 - whatever it is, it is the listener's
                _log.exception("a listener of the feed failed")
