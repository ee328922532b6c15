"""The least that a queue can do that records what it does: a claim, and an end, each committed.

`bare` keeps its transaction open while it works, and a crash leaves no sign of what was begun. Here
the claim is committed before a job is handed over and its end is recorded after, as a queue must
that is to say what it was doing; the ends of one batch share a commit with the claims of the next.
Otherwise as `bare`: no attempts, no retries, no order per recipient, no history.
"""

from collections.abc import Callable
from typing import LiteralString

from outbox.bench.peers.bare import BATCH, Bare, Connection
from outbox.bench.workload import Payload

_TABLE = """
create table job (
    id bigint generated always as identity primary key,
    state text not null default 'pending',
    payload jsonb not null
);
create index job_pending on job (id) where state = 'pending'
"""
_CLAIM = """
update job set state = 'running'
where id = any(array(
    select id from job where state = 'pending' order by id limit %s for update skip locked))
returning id, payload
"""
_END = "update job set state = 'done' where id = any(%s)"


class Claims(Bare):
    """A table whose rows are pending, running, done."""

    name = "claims"
    settings = "skip locked, claims and ends committed, batches of 100, one connection, psycopg"
    table: LiteralString = _TABLE

    def __init__(self) -> None:
        super().__init__()
        self._running: list[int] = []

    def work(self, connection: Connection, handle: Callable[[Payload], None]) -> int:
        """End the last batch and claim the next in one commit; return how many it holds."""
        with connection.transaction():
            if self._running:
                connection.execute(_END, (self._running,), prepare=True)
            claimed = connection.execute(_CLAIM, (BATCH,), prepare=True).fetchall()
        for _, job in claimed:
            handle(job)
        self._running = [number for number, _ in claimed]
        return len(claimed)
