"""The story that the demo tells, from the first notification to the reckoning."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from outbox.caller.enqueue import enqueue, enqueue_many
from outbox.demo import ground, mix
from outbox.demo.reckoning import Reckoning
from outbox.log.database import connect
from outbox.session.phone import Behaviour, Fault, Phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from uuid import UUID

    from rich.console import RenderableType

    from outbox.demo.mix import Told
    from outbox.log.database import Connection

_LEASE_SECONDS = 2
_PATIENCE = 60.0
"""Seconds after which the story is broken off."""
_BEHAVIOUR = Behaviour(latency=0.1, jitter=0.05, delivered=0.2, read=0.6)
_WIDTH = 96


def run(url: str | None, console: Console, *, svg: Path | None = None) -> bool:
    """Tell the story, and leave the database to be looked at.

    Args:
        url: Of a database on the server to use, where the demo makes one of its own and touches no
            other; None for the embedded server.
        console: Where it is told.
        svg: Where a picture of what was told is written.

    Returns:
        Whether everything adds up: nothing lost, nothing doubled without the log saying why.

    Raises:
        EmbeddedError: The embedded server is not installed or did not start.
        psycopg.Error: The server cannot be reached, or refuses to make a database.
        TimeoutError: It has not come to its end within a minute.
    """
    picture = Console(record=True, file=io.StringIO(), width=_WIDTH, force_terminal=True)
    folder = Path(tempfile.mkdtemp(prefix="outbox-demo-"))
    with ExitStack() as stack:
        story = _Story(url, [console, picture] if svg else [console], folder, stack)
        story.tell(console)
    story.conclude()
    if svg:
        svg.write_text(picture.export_svg(title="outbox demo"), "utf-8")
    return not story.reckoning.wrong


class _Story:
    def __init__(
        self, url: str | None, consoles: list[Console], folder: Path, stack: ExitStack
    ) -> None:
        self.reckoning = Reckoning()
        self._consoles = consoles
        self._folder = folder
        self._stack = stack
        self._began = time.monotonic()
        self._ground = ground.lay(url)
        self._say(f"{self._ground.server}, database {self._ground.name}, schema migrated")
        self._phone = stack.enter_context(Phone.start(folder, behaviour=_BEHAVIOUR))
        self._workers: list[subprocess.Popen[bytes]] = []
        self._connection: Connection = stack.enter_context(connect(self._ground.url, "the shop"))

    def tell(self, console: Console) -> None:
        """Tell everything but the end."""
        with Progress(
            TextColumn("  on the phone"),
            BarColumn(40),
            MofNCompleteColumn(),
            console=console,
            transient=True,
        ) as progress:
            self._progress = progress
            self._bar = progress.add_task("", total=None)
            worker = self._start_worker()
            self._accept_batch()
            self._accept(mix.singles(6), pause=0.01)
            self._accept_none()

            self._until(lambda: self._arrived() >= len(self.reckoning.names) // 3, "a third")
            worker.kill()
            worker.wait()
            self._say(
                f"[red]SIGKILL[/] to worker 1 while {self._sending()} attempts were on their way"
            )
            self._start_worker(
                f"waits until the lease of the dead one has lapsed, {_LEASE_SECONDS} s"
            )
            self._accept(mix.singles(6, 1000), pause=0.02)
            self._say("the shop goes on: what it commits is accepted, whoever is dead")

            self._until(lambda: self._arrived() >= len(self.reckoning.names) * 2 // 3, "two thirds")
            with self._phone.control() as control:
                control.fault(Fault("drop_after_frame"))
                self._until(lambda: control.stats().get("dropped"), "the connection drops")
                control.stand("offline", seconds=2.5)
                self._say("[red]the connection drops[/] after a frame, before its answer; offline")
                self._accept_late()
            self._until(lambda: not self._open(), "everything has ended")
        self._stop(self._workers[-1])
        self.reckoning.take(self._phone.ledger, self._connection)

    def conclude(self) -> None:
        """Tell the end: the table, what it proves, and where to look."""
        reckoning, total = self.reckoning, self.reckoning.total
        self._print("")
        self._print(reckoning.table())
        self._print("")
        for wrong in reckoning.wrong:
            self._print(f"[bold red]wrong:[/] {wrong}")
        self._print(
            f"[bold]{total['lost']} lost[/], of {total['accepted']} accepted."
            f" {len(reckoning.rolled_back)} rolled back, none of it arrived."
        )
        self._print(
            f"[bold]{total['doubled']} doubled.[/] The outcome of {reckoning.doubts} attempts was"
            " unknown for a while: settled by traces and receipts"
            + (
                ", or sent again where neither came, as the log says."
                if reckoning.doubled
                else ", nothing was sent twice."
            )
        )
        self._print(
            f"{total['expired']} expired: a code that was good for a second, while there was no"
            " connection. It can be read, counted and requeued."
        )
        self._show_where_to_look()

    # The shop.

    def _accept_batch(self) -> None:
        with self._connection.transaction():
            rows = self._connection.execute(
                enqueue_many(mix.batch(), account=mix.ACCOUNT)
            ).fetchall()
        self._note([id_ for (id_,) in rows], "Order shipped, one batch")
        self._say(f"{len(rows)} notifications accepted in one transaction, a batch")

    def _accept(self, told: Iterable[Told], pause: float) -> None:
        before = len(self.reckoning.names)
        for one in told:
            with self._connection.transaction():
                id_ = self._order(one)
            self._note([id_], one.name)
            self._show()
            time.sleep(pause)
        count = len(self.reckoning.names) - before
        self._say(f"{count} more, each in the transaction of its order")

    def _accept_none(self) -> None:
        with self._connection.transaction(force_rollback=True):
            self.reckoning.rolled_back += [self._order(one) for one in mix.singles(1, 5000)]
        self._say(f"{len(self.reckoning.rolled_back)} enqueued and [yellow]rolled back[/]")

    def _accept_late(self) -> None:
        row = self._connection.execute(
            enqueue(
                to=mix.number(7),
                text="246810 is your code. It is good for one second.",
                account=mix.ACCOUNT,
                priority=10,
                expires_in=mix.timedelta(seconds=1),
            )
        ).fetchone()
        self._note([row[0]] if row else [], "A code good for a second")
        self._say("a code that is good for one second is enqueued: it will be too late")

    def _order(self, told: Told) -> UUID:
        customer = mix.number(told.order)
        self._connection.execute(
            'insert into shop."order" (number, customer) values (%s, %s)', (told.order, customer)
        )
        row = self._connection.execute(
            enqueue(to=customer, account=mix.ACCOUNT, **told.given)
        ).fetchone()
        id_: UUID = row[0] if row else None
        return id_

    def _note(self, accepted: list[UUID], name: str) -> None:
        self.reckoning.names.update(dict.fromkeys(accepted, name))

    # Workers.

    def _start_worker(self, more: str = "") -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "DATABASE_URL": self._ground.url,
            "OUTBOX_ACCOUNTS": mix.ACCOUNT,
            "OUTBOX_SESSION": f"{self._phone.url}?capacity=12",
            "OUTBOX_LEASE_SECONDS": str(_LEASE_SECONDS),
        }
        nth = len(self._workers) + 1
        with (self._folder / f"worker-{nth}.log").open("wb") as log:
            worker = subprocess.Popen(  # noqa: S603 - our own program, without a shell
                [sys.executable, "-m", "outbox", "worker"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._workers.append(worker)
        self._stack.callback(worker.kill)
        self._say(f"worker {nth} starts" + (f", and {more}" if more else ""))
        return worker

    def _stop(self, worker: subprocess.Popen[bytes]) -> None:
        worker.send_signal(signal.SIGTERM)
        if worker.wait(_PATIENCE) != 0:
            self.reckoning.wrong.append(f"the worker ended with {worker.returncode}")
        self._say("SIGTERM: the worker gives its account back, and ends")

    # Progress.

    def _until(self, happened: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not happened():
            if time.monotonic() > deadline:
                raise TimeoutError(f"it did not come to this: {what}; see {self._folder}")
            if self._workers[-1].poll() is not None:
                raise TimeoutError(f"the worker has ended by itself; see {self._folder}")
            self._show()
            time.sleep(0.05)

    def _show(self) -> None:
        self._progress.update(self._bar, completed=self._arrived(), total=len(self.reckoning.names))

    def _arrived(self) -> int:
        return len({frame.notification for frame in self._phone.frames()})

    def _sending(self) -> int:
        return self._count("state = 'sending'")

    def _open(self) -> int:
        return self._count("open")

    def _count(self, which: str) -> int:
        row = self._connection.execute(
            f"select count(*) from outbox.notification where {which}"  # noqa: S608 - ours
        ).fetchone()
        return int(row[0]) if row else 0

    # Telling.

    def _say(self, what: str) -> None:
        self._print(f"[dim]{time.monotonic() - self._began:5.1f} s[/]  {what}")

    def _print(self, what: RenderableType) -> None:
        for console in self._consoles:
            console.print(what, highlight=False)

    def _show_where_to_look(self) -> None:
        url = self._ground.url
        row = self._connection_row()
        self._print("\nThe database is left for you to look at:\n")
        self._print(f"  [bold]export DATABASE_URL='{url}'[/]")
        self._print(f"  [bold]outbox show {row}[/]     what befell one of them")
        self._print("  [bold]outbox status[/]")
        self._print('  [bold]psql "$DATABASE_URL" -c "select * from outbox.event"[/]')
        self._print(f"  [bold]less {self._phone.ledger}[/]     what the phone received\n")

    def _connection_row(self) -> UUID:
        with connect(self._ground.url, "the shop") as connection:
            row = connection.execute(
                "select stream from outbox.event"
                " where type in ('attempt_unknown', 'sent')"
                " order by type, (data->>'evidence') is null, position limit 1"
            ).fetchone()
        id_: UUID = row[0] if row else None
        return id_
