"""The product's worker in a process of its own, whose sessions take the tests' server for WhatsApp.

`python -m tests.whatsapp.worker` is `outbox worker` for the environment's settings.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from outbox import logs
from outbox.delivery.worker import run_worker
from outbox.log.login import record_login
from outbox.log.store import SCHEMA, WhatsmeowStore
from outbox.session.whatsapp.session import open_whatsapp
from outbox.settings import Settings
from tests.whatsapp.device import pair_device
from tests.whatsapp.trusting import TRUSTING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROOT = Path(__file__).parents[2]
_STOP_SECONDS = 20.0


@contextmanager
def running_worker(
    url: str, account: str, environment: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run a worker until the end of the block, where it is told to stop.

    Args:
        url: Its database, with whatsmeow's tables.
        account: What it serves.
        environment: What it and its session need to find the server.
        folder: Where it runs; its log comes beside.
    """
    settings = {
        "DATABASE_URL": url,
        "OUTBOX_ACCOUNTS": account,
        "OUTBOX_LEASE_SECONDS": "1",
        "HOME": str(folder),
        "PYTHONPATH": str(_ROOT),
    }
    log = folder.with_suffix(".log")
    with (
        log.open("a") as told,
        subprocess.Popen(
            [sys.executable, "-m", "tests.whatsapp.worker"],
            env={**os.environ, **settings, **environment},
            cwd=folder,
            stdout=told,
            stderr=told,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def pair_account(url: str, account: str, jid: str) -> None:
    """Let an account be paired, and as fast as the machine."""
    with psycopg.connect(url, autocommit=True) as connection:
        pair_device(connection, SCHEMA, jid)
        record_login(connection, account, jid)
        connection.execute(
            "update outbox.policy set pace = 1e6, burst = 1000000, strangers_a_day = 1000000"
        )


def main() -> None:
    """Be a worker."""
    settings = Settings()  # type: ignore[call-arg]  # the rest comes from the environment
    logs.configure("logfmt", "info")
    store = WhatsmeowStore(settings.database_url)
    run_worker(settings, open_whatsapp(settings.session, store, program=TRUSTING))


if __name__ == "__main__":
    main()
