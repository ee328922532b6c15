"""The story that the demo tells, from the first notification to the reckoning."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from outbox.demo import ground, mix
from outbox.demo.reckoning import Reckoning
from outbox.demo.shop import Shop
from outbox.demo.telling import Telling
from outbox.demo.workers import LEASE_SECONDS, Workers
from outbox.log.database import connect
from outbox.session.phone import Behaviour, Fault, Phone

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from outbox.demo.ground import Ground
    from outbox.log.database import Connection

_PATIENCE = 60.0
"""Seconds after which the story is broken off."""
_OFFLINE_SECONDS = 2.5
_BEHAVIOUR = Behaviour(latency=0.1, jitter=0.05, delivered=0.2, read=0.6)


def run(url: str | None, console: Console, *, svg: Path | None = None) -> bool:
    """Tell the story, and leave the database to be looked at.

    Args:
        url: Of a database on the server to use, where the demo makes one of its own and touches no
            other; None for the embedded server, which goes on running.
        console: Where it is told.
        svg: Where a picture of what was told is written; it names no path of this machine.

    Returns:
        Whether everything adds up: nothing lost, nothing doubled without the log saying why.

    Raises:
        EmbeddedError: The embedded server is not installed or did not start.
        psycopg.Error: The server cannot be reached, or refuses to make a database.
        TimeoutError: It has not come to its end within a minute.
    """
    telling, reckoning = Telling(console), Reckoning()
    folder = Path(tempfile.mkdtemp(prefix="outbox-demo-"))
    with ExitStack() as stack:
        laid = ground.lay(url)
        telling.say(f"{laid.server}, database {laid.name}, schema migrated")
        phone = stack.enter_context(Phone.start(folder, behaviour=_BEHAVIOUR))
        connection = stack.enter_context(closing(connect(laid.url, "outbox demo")))
        workers = Workers(laid.url, phone.url, folder)
        stack.callback(workers.end)
        with telling:
            _Story(telling, reckoning, phone, workers, connection).tell()
        expired = reckoning.read(connection)
        reckoning.judge(phone.frames(), expired)
    _conclude(telling, reckoning)
    if svg:
        telling.draw(svg)
    _show_where_to_look(telling, reckoning, laid, phone.ledger)
    return not reckoning.wrong


class _Story:
    def __init__(
        self,
        telling: Telling,
        reckoning: Reckoning,
        phone: Phone,
        workers: Workers,
        connection: Connection,
    ) -> None:
        self._telling = telling
        self._reckoning = reckoning
        self._phone = phone
        self._workers = workers
        self._connection = connection
        self._shop = Shop(connection, reckoning)

    def tell(self) -> None:
        say = self._telling.say
        self._workers.start()
        say("worker 1 starts")
        say(f"{self._shop.ship()} notifications accepted in one transaction, a batch")
        say(f"{self._sell(6, 0.01)} more, each in the transaction of its order")
        for told in mix.singles(1):
            self._shop.fail_to_sell(told)
        say(f"{len(self._reckoning.rolled_back)} enqueued and [yellow]rolled back[/]")
        self._until_arrived(1 / 3)

        self._workers.kill()
        say(f"[red]worker 1 is killed[/], SIGKILL, with {self._sending()} of them on their way")
        self._workers.start()
        say(
            f"worker 2 starts, and waits until the dead one's lease of {LEASE_SECONDS} s has lapsed"
        )
        say(f"{self._sell(6, 0.02)} more are accepted meanwhile: the shop notices nothing")
        self._until_arrived(2 / 3)

        with self._phone.control() as control:
            control.fault(Fault("drop_after_frame"))
            self._until(lambda: control.stats().get("dropped"), "the connection drops")
            control.stand("offline", seconds=_OFFLINE_SECONDS)
        say("[red]the connection drops[/] between a message and its acknowledgement")
        self._shop.send_code()
        say(
            f"a code good for one second is enqueued, and WhatsApp is away for {_OFFLINE_SECONDS} s"
        )
        self._until(lambda: not self._count("open"), "everything has ended")

        ended = self._workers.stop()
        if ended != 0:
            self._reckoning.wrong.append(f"the worker ended with {ended}")
        say("SIGTERM: worker 2 gives its account back, and ends")

    def _sell(self, rounds: int, pause: float) -> int:
        first = mix.BATCH + len(self._reckoning.names)
        orders = list(mix.singles(rounds, first))
        for told in orders:
            self._shop.sell(told)
            self._show()
            time.sleep(pause)
        return len(orders)

    def _until_arrived(self, share: float) -> None:
        wanted = int(len(self._reckoning.names) * share)
        self._until(lambda: self._arrived() >= wanted, f"{wanted} have arrived")

    def _until(self, happened: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not happened():
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"it did not come to this: {what}; see {self._phone.ledger.parent}"
                )
            if not self._workers.is_alive:
                raise TimeoutError(
                    f"the worker has ended by itself; see {self._phone.ledger.parent}"
                )
            self._show()
            time.sleep(0.05)

    def _show(self) -> None:
        self._telling.show(self._arrived(), len(self._reckoning.names))

    def _arrived(self) -> int:
        return len({frame.notification for frame in self._phone.frames()})

    def _sending(self) -> int:
        return self._count("state = 'sending'")

    def _count(self, which: str) -> int:
        row = self._connection.execute(
            f"select count(*) from outbox.notification where {which}"  # noqa: S608 - our own words
        ).fetchone()
        return int(row[0]) if row else 0


def _conclude(telling: Telling, reckoning: Reckoning) -> None:
    put, total = telling.put, reckoning.total
    put()
    put(reckoning.table())
    put()
    for wrong in reckoning.wrong:
        put(f"[bold red]wrong:[/] {wrong}")
    put(
        f"[bold]{total['lost']} lost[/] of {total['accepted']} accepted."
        f" Of the {len(reckoning.rolled_back)} that were rolled back none arrived."
        if not reckoning.wrong
        else "[bold red]It does not add up.[/]"
    )
    how = "a trace, a receipt or the policy" if total["doubled"] else "a trace or a receipt"
    put(
        f"[bold]{total['doubled']} doubled.[/] After the kill and the drop nobody knew of"
        f" {len(reckoning.doubts)} whether they had arrived: {how} settled it."
    )
    put(
        f"{total['expired']} expired: the code that was good for a second. It is a dead letter,"
        " to be read, counted and requeued."
    )


def _show_where_to_look(telling: Telling, reckoning: Reckoning, laid: Ground, ledger: Path) -> None:
    put = telling.put
    one = next((id_ for id_, _ in reckoning.doubts), next(iter(reckoning.names)))
    put("\nThe database is left to be looked at:\n")
    put(f"  export DATABASE_URL='{laid.url}'", whole=True)
    put(f"  outbox show {one}   # what befell one of them", whole=True)
    put("  outbox status")
    put('  psql "$DATABASE_URL" -c "select * from outbox.event order by position"', whole=True)
    put(f"  less {ledger}   # what the phone received\n", whole=True)
