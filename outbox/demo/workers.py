"""The demo's workers: processes of `outbox worker`, as an operator would start them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from outbox.demo import mix

if TYPE_CHECKING:
    from pathlib import Path

LEASE_SECONDS = 2
_PATIENCE = 30.0


class Workers:
    """One worker after the other, none of which outlives the demo.

    Args:
        database: The URL.
        session: The URL of the phone.
        folder: Where their logs go.
    """

    def __init__(self, database: str, session: str, folder: Path) -> None:
        self._environment = {
            **os.environ,
            "DATABASE_URL": database,
            "OUTBOX_ACCOUNTS": mix.ACCOUNT,
            "OUTBOX_SESSION": f"{session}?capacity=12",
            "OUTBOX_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        self._folder = folder
        self._all: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the next one."""
        with (self._folder / f"worker-{len(self._all) + 1}.log").open("wb") as log:
            worker = subprocess.Popen(  # our own program, without a shell
                [sys.executable, "-m", "outbox", "worker"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._all.append(worker)

    @property
    def is_alive(self) -> bool:
        """Whether the latest one runs."""
        return self._all[-1].poll() is None

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self._all[-1].kill()
        self._all[-1].wait()

    def stop(self) -> int:
        """Stop it with SIGTERM; return what it ended with."""
        self._all[-1].send_signal(signal.SIGTERM)
        return self._all[-1].wait(_PATIENCE)

    def end(self) -> None:
        """Kill whatever still runs."""
        for worker in self._all:
            worker.kill()
            worker.wait()
