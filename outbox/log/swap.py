"""Projections rebuilt beside the live ones and put in their place, while delivery goes on.

For rules that have changed: a migration replaces a projection's function, which from then on
projects by the new rule, and the rows of before are as the old rule made them until they are
swapped.

Invariants:

1. The new projections hold every event once: all that one snapshot sees are replayed, what has
   come since follows by snapshots, and the last of it while appending waits.
2. Until the last statement nothing that is live has changed, and it does all or nothing.
3. Appending waits for less than a second at a time: the server itself ends a try that would take
   longer, and it is made again later.
4. Whatever ends it but the process's death, the new projections are gone or in place. What a killed
   one leaves behind is listed and dropped as replays are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from outbox.errors import OutboxError
from outbox.log import restore
from outbox.log.replay import one_snapshot, rebuild

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, LiteralString

    from outbox.log.database import Connection
    from outbox.log.replay import Archived

_SCHEMA = "outbox_swap"
_LOCK_TIMEOUT = "200ms"
"""For each lock; below deadlock_timeout, so that of two who wait for each other this gives up."""
_PAUSE_LIMIT = "800ms"
"""From the first lock to the end, so long as appending may have to wait."""
_FEW = 1000
"""Events that are caught up with in no time."""
_TRIES = 50
_LONGEST_WAIT = 5.0
"""Seconds between two tries."""


class SwapError(OutboxError):
    """The projections are as they were; the sentence says why."""


@dataclass(slots=True)
class Swapped:
    """What a swap came to.

    Attributes:
        caught_up: Events that were appended since the rebuild began, and came in before the swap.
        at_last: Events that came in while appending waited.
        tries: How often the locks were asked for.
        paused: Seconds for which appending may have waited in the try that succeeded.
    """

    caught_up: int = 0
    at_last: int = 0
    tries: int = 0
    paused: float = 0.0


def swap(
    connection: Connection,
    progress: Callable[[int, int], None] | None = None,
    archived: Archived | None = None,
) -> Swapped:
    """Rebuild all projections by the rules that hold now, and put them in place.

    Args:
        connection: Where the log is, as whoever owns the tables; in no transaction.
        progress: Told now and then how many positions are done, and of how many.
        archived: Gives the lines of an archive; None where there is none to be read.

    Raises:
        PartlyArchivedError: There are archives, and nobody gives their lines.
        SwapError: Another swap runs, the rules have changed meanwhile, or the locks were not to be
            had because something has kept reading or appending in one transaction.
    """
    restored_through = restore.begin(connection).restored_through
    seen = _build(connection, progress, archived)
    try:
        return _put_in_place(connection, seen, restored_through)
    finally:
        if not connection.broken:
            connection.execute("drop schema if exists outbox_swap cascade")


def _build(
    connection: Connection,
    progress: Callable[[int, int], None] | None,
    archived: Archived | None,
) -> str:
    """Build the new projections, as a whole or not at all; return the snapshot that they show.

    The schema's name holds off other swaps from then on, and before that a lock of the transaction
    does: one of the session would not be this one's behind a pooler.
    """
    try:
        with one_snapshot(connection):
            if not _row(connection, "select pg_try_advisory_xact_lock(hashtext('outbox swap'))")[0]:
                raise SwapError("Another swap of this database's projections is running")
            made_at = _row(connection, "select statement_timestamp()")[0].isoformat()
            rebuild(connection, _SCHEMA, None, progress, {"made_at": made_at}, archived)
            connection.execute("select outbox.finish_replay(%s, true)", (_SCHEMA,))
            return str(_row(connection, "select outbox.current_snapshot()::text")[0])
    except psycopg.errors.DuplicateSchema:
        raise SwapError(
            f"Another swap is running, or was killed; if none is, drop what it has left: "
            f"outbox replay --drop {_SCHEMA}"
        ) from None


def _put_in_place(connection: Connection, seen: str, restored_through: int) -> Swapped:
    """Catch up and try, again and again, until there was a moment that let it through."""
    result = Swapped()
    wait = 0.1
    while True:
        seen, events = _catch_up(connection, seen, restored_through)
        result.caught_up += events
        if events > _FEW:
            continue
        result.tries += 1
        began = time.monotonic()
        try:
            with connection.transaction():
                connection.execute(f"set local lock_timeout = '{_LOCK_TIMEOUT}'")
                connection.execute(f"set local statement_timeout = '{_PAUSE_LIMIT}'")
                result.at_last = _row(connection, _SWAP, _SCHEMA, seen, restored_through)[0]
        except (
            psycopg.errors.LockNotAvailable,
            psycopg.errors.QueryCanceled,
            psycopg.errors.DeadlockDetected,
        ) as error:
            if result.tries == _TRIES:
                raise SwapError(
                    f"The projections are as they were: in {_TRIES} tries there was no moment at "
                    f"which nobody held them; look for transactions that stay open with: outbox "
                    f"doctor"
                ) from error
        except psycopg.errors.ObjectNotInPrerequisiteState as error:
            raise SwapError(
                f"The projections are as they were: {error.diag.message_primary}; run it again"
            ) from None
        except psycopg.errors.DependentObjectsStillExist as error:
            raise SwapError(
                f"The projections are as they were: {error.diag.message_primary}; "
                f"{error.diag.message_detail}"
            ) from None
        else:
            result.paused = time.monotonic() - began
            return result
        time.sleep(wait)
        wait = min(wait * 1.5, _LONGEST_WAIT)


def _catch_up(connection: Connection, seen: str, restored_through: int) -> tuple[str, int]:
    row = _row(connection, _SINCE, _SCHEMA, seen, restored_through)
    return str(row[0]), int(row[1])


_SINCE = "select seen::text, events from outbox.replay_since(%s, %s::pg_snapshot, %s)"
_SWAP = "select outbox.swap_replay(%s, %s::pg_snapshot, %s)"


def _row(connection: Connection, statement: LiteralString, *parameters: object) -> tuple[Any, ...]:
    row = connection.execute(statement, parameters).fetchone()
    if row is None:
        raise RuntimeError(f"no row: {statement}")
    return row
