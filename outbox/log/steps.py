"""The log event by event, and the state of what each event is about as it was right after it.

That state is what the event's own stream has told, by the rules that project live: the stream is
replayed from its beginning in a schema that is rolled back. So it costs the same anywhere in the
log. A connection's row lacks what other streams tell of it, `bucket_full_at`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from psycopg import sql

from outbox.errors import VersionConflict
from outbox.log.follow import Event
from outbox.log.replay import fresh_name, last_position, one_snapshot

if TYPE_CHECKING:
    from uuid import UUID

    from outbox.log.database import Connection

_PAGE = 200
"""Events that are read at a time."""
_AROUND = 20
"""Versions before and after the one that is asked for whose states are computed along with it."""
_REMEMBERED = 10_000
"""States."""


class Steps:
    """Events by position, of a notification, an account or the whole log, read as they are needed.

    Args:
        connection: Where the log is; in no transaction.
        stream: Only those of this stream.
        account: Only those of this account.
    """

    def __init__(
        self, connection: Connection, stream: UUID | None = None, account: str | None = None
    ) -> None:
        self._connection = connection
        self._chosen = {"stream": stream, "account": account}
        self._states: dict[tuple[UUID, int], dict[str, Any] | None] = {}

    def after(self, position: int) -> list[Event]:
        """Return the next events behind a position, by position; none if the log ends before."""
        last = last_position(self._connection)
        span = _PAGE
        while position < last:
            found = self._between(position, position + span, "asc")
            if found:
                return found
            position += span
            span *= 2
        return []

    def before(self, position: int) -> list[Event]:
        """Return the last events before a position, by position; none if the log begins there."""
        span = _PAGE
        while position > 1:
            found = self._between(position - 1 - span, position - 1, "desc")
            if found:
                return found[::-1]
            position -= span
            span *= 2
        return []

    def end(self) -> int:
        """Return a position behind the last event."""
        return last_position(self._connection) + 1

    def state(self, event: Event) -> dict[str, Any] | None:
        """Return the row of what an event is about as it was after the event.

        Values are as JSON writes them; None if the log has not the whole stream so far.
        """
        key = (event.stream, event.version)
        if key not in self._states:
            if len(self._states) > _REMEMBERED:
                self._states.clear()
            self._states[key] = None
            self._replay(event)
        return self._states[key]

    def state_before(self, event: Event) -> dict[str, Any] | None:
        """Return the same row as it was before the event; None if there was none."""
        return self.state(event._replace(version=event.version - 1)) if event.version > 1 else None

    def _between(self, after: int, through: int, direction: Literal["asc", "desc"]) -> list[Event]:
        """Return the first or the last events of a range of positions."""
        given = {**self._chosen, "after": after, "through": through, "limit": _PAGE}
        chosen = [f"and {name} = %({name})s" for name, value in self._chosen.items() if value]
        statement = _EVENTS.format(chosen=" ".join(chosen), direction=direction)
        rows = self._connection.execute(statement.encode(), given)
        return [Event._make(row) for row in rows]

    def _replay(self, event: Event) -> None:
        """Compute the states of the event's stream around its version."""
        connection, stream, schema = self._connection, event.stream, fresh_name()
        first = max(event.version - _AROUND, 1)
        with one_snapshot(connection, force_rollback=True):
            row = connection.execute(
                "select max(version), bool_or(type = any (outbox.connection_types()))"
                " from outbox.event where stream = %s and version <= %s",
                (stream, event.version + _AROUND),
            ).fetchone()
            last, is_connection = row or (0, False)
            table = "connection" if is_connection else "notification"
            connection.execute("select outbox.begin_replay(%s)", (schema,))
            look = sql.SQL("select to_json(r) from {} r").format(sql.Identifier(schema, table))
            try:
                connection.execute(_STEP, (schema, stream, 0, first - 1))
                for version in range(first, last + 1):
                    connection.execute(_STEP, (schema, stream, version - 1, version))
                    found = connection.execute(look).fetchone()
                    self._states[stream, version] = found[0] if found else None
            except VersionConflict:
                return  # its beginning, or something between, is not in the log any more


_STEP = "select outbox.replay_stream(%s, %s, %s, %s)"
_EVENTS = """
    select position, recorded_at, account, stream, version, type, data::text, metadata::text
    from outbox.event
    where position > %(after)s and position <= %(through)s {chosen}
    order by position {direction}
    limit %(limit)s
"""
