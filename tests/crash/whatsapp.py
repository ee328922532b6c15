"""A run over neonize's own library, with a WhatsApp of the tests' on the other side."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
import psycopg

from outbox.log.login import record_login
from outbox.session.phone import Frame
from outbox.session.port import attempt_secret
from tests.crash.stage import Stage
from tests.whatsapp.device import pair_device
from tests.whatsapp.processes import session_processes
from tests.whatsapp.server import WhatsApp

POINTS = (
    "before turning",  # the process has the attempt, and has done nothing about it
    "before frame",  # it has said that it hands the message to whatsmeow, and has not
    "after acknowledgement",  # whatsmeow has the acknowledgement, nobody else knows
    "after outcome",  # it has told its worker
)
"""Of a message, in its session's process; `mortal` knows them."""
_MOST_ATTEMPTS = 50


class WhatsappStage(Stage):
    """A run with WhatsApp.

    Args:
        url: A database at the newest revision and with whatsmeow's tables, for this run alone.
        server: WhatsApp; the run uses an account of its own.
        number: The account's number.
        seed: Of everything that is drawn by lot.
        folder: Where the workers' logs go.
    """

    def __init__(self, url: str, server: WhatsApp, number: int, seed: int, folder: Path) -> None:
        jid = f"{number}:5@s.whatsapp.net"
        self.other_side = server.account(jid)
        self.other_side.deliver_within = 0.02
        self._server = server
        self._mortal: dict[str, str] = {}
        super().__init__(url, f"run-{number}", seed, folder)
        self.policy(pace=1_000_000, burst=1_000_000, strangers_a_day=1_000_000)
        with psycopg.connect(url, autocommit=True) as connection:
            pair_device(connection, "whatsapp", jid)
            record_login(connection, self.account, jid)

    def session(self) -> Mapping[str, str]:
        """Return how the session's process finds WhatsApp, and perhaps its end."""
        return {
            "OUTBOX_SESSION": "whatsapp:?close_within=1",
            **self._server.environment,
            **self._mortal,
        }

    def doom(self, point: str, who: str, passage: int) -> None:
        """Let whom it concerns be killed once, at the nth passage of a point of `mortal`.

        Args:
            point: Of `POINTS`.
            who: "worker", "process" or "both".
            passage: Counted over all processes that the workers start.
        """
        self._mortal = {
            "OUTBOX_TEST_POINT": point,
            "OUTBOX_TEST_WHO": who,
            "OUTBOX_TEST_PASSAGE": str(passage),
            "OUTBOX_TEST_PASSED": str(self.folder / "passed"),
        }

    def frames(self) -> Sequence[Frame]:
        """Return what WhatsApp received, each with the attempt whose secret it carries."""
        rows = self.database.execute("select id, attempts from outbox.notification").fetchall()
        attempts = {
            attempt_secret(id_, number): (id_, number)
            for id_, most in rows
            for number in range(1, min(most, _MOST_ATTEMPTS) + 1)
        }
        frames: list[Frame] = []
        for received in self.other_side.received():
            secret = next(s for s in attempts if s in received.content)
            notification, number = attempts[secret]
            frames.append(
                Frame(
                    sequence=len(frames) + 1,
                    received_at=datetime.fromtimestamp(received.at, UTC),
                    account=self.account,
                    jid=received.jid,
                    notification=notification,
                    attempt=number,
                    message_id=received.message_id,
                    secret=secret.hex(),
                    body={},
                    media=(),
                )
            )
        return frames

    def processes(self) -> list[psutil.Process]:
        """Return the session processes of the workers that live."""
        return [
            process
            for worker in self._workers
            if worker.is_alive()
            for process in session_processes(worker.pid)
        ]

    def kill_now(self, worker: BaseProcess, who: str) -> None:
        """Kill a worker, its session's process, or both, the process first."""
        if who in {"process", "both"}:
            for process in self.processes():
                process.kill()
        if who in {"worker", "both"}:
            self.kill(worker)

    def connection_has(self, type_: str) -> bool:
        """Whether there is such an event of the connection."""
        return bool(
            self.database.execute(
                "select 1 from outbox.event where type = %s limit 1", (type_,)
            ).fetchone()
        )
