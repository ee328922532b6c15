"""How much memory `outbox run` takes with one account, over neonize itself and under load.

`python -m tests.deployment.memory [SECONDS [A_SECOND]]` posts notifications to the HTTP API of an
`outbox run` whose session takes the tests' server for WhatsApp, and prints as JSON what its process
group came to, in MiB: what is resident, each process for itself, and their shares (PSS), of which
what they have in common is counted once, as a dyno counts it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import psutil
import psycopg

from outbox.log import tokens
from outbox.log.migrate import upgrade
from tests.databases import database, embedded_server
from tests.running import PATIENCE, Running
from tests.whatsapp.device import create_store
from tests.whatsapp.server import WhatsApp
from tests.whatsapp.worker import pair_account

_MEBIBYTE = 1 << 20
_LOOK_SECONDS = 5.0
_ROOT = Path(__file__).parents[2]

# `outbox run` itself, but for the worker, which has to believe the tests' server.
_RUN = """
import subprocess, sys
from outbox.group import processes
start = processes._start
def trusting(command, environment):
    if command[0] != "worker":
        return start(command, environment)
    program = [sys.executable, "-m", "tests.whatsapp.worker"]
    return subprocess.Popen(program, env=environment, stdin=subprocess.PIPE)
processes._start = trusting
from outbox.cli import main
sys.argv = ["outbox", "run", "--port", "0"]
main()
"""


def main(seconds: int = 120, a_second: int = 10) -> None:
    """Measure, and print what came out."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(WhatsApp.start(folder))
        postgres = os.environ.get("DATABASE_URL") or stack.enter_context(embedded_server())
        url = stack.enter_context(database(postgres, "memory"))
        upgrade(url)
        create_store(url, "whatsapp")
        pair_account(url, "main", "31900000001:5@s.whatsapp.net")
        with psycopg.connect(url, autocommit=True) as connection:
            secret = tokens.create(connection, "load", ["enqueue"]).secret
        group = _Group(folder, {"DATABASE_URL": url, **server.environment})
        stack.callback(group.end)
        print(json.dumps(group.under_load(secret, seconds, a_second), indent=2))  # noqa: T201
        with psycopg.connect(url) as connection:
            states = connection.execute(
                "select state, count(*) from outbox.notification group by 1"
            ).fetchall()
            print(json.dumps(dict(states)))  # noqa: T201  # it is a program


class _Group(Running):
    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.log = folder / "run.log"
        with self.log.open("w", encoding="utf-8") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _RUN],
                env={
                    **os.environ,
                    "OUTBOX_WEB_REQUESTS_A_MINUTE": "1000000",
                    "PYTHONPATH": str(_ROOT),
                    **environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd=folder,
            )

    def end(self) -> None:
        """Tell it to stop."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    def under_load(self, secret: str, seconds: int, a_second: int) -> dict[str, object]:
        """Return the greatest and the last sum of its processes' memory."""
        port = self.wait_for(r"event=started host=\S+ port=(\d+)")[1]
        self.wait_for("event=connected")
        client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {secret}"}
        )
        shares: list[float] = []
        begun = looked = time.monotonic()
        number = 0
        while (now := time.monotonic()) - begun < seconds:
            number += 1
            given = {"recipient": f"+4477009{number % 500:05d}", "text": f"order {number}"}
            client.post("/v1/notifications", json=given).raise_for_status()
            if now - looked > _LOOK_SECONDS:
                looked = now
                shares.append(sum(one["pss"] for one in self._processes()))
            time.sleep(max(begun + number / a_second - time.monotonic(), 0))
        return {
            "seconds": seconds,
            "requests": number,
            "most": round(max(shares), 1),
            "last": round(shares[-1], 1),
            "processes": self._processes(),
        }

    def _processes(self) -> list[dict[str, Any]]:
        root = psutil.Process(self.process.pid)
        found: list[dict[str, Any]] = []
        for one in (root, *root.children(recursive=True)):
            if one.status() == psutil.STATUS_ZOMBIE:
                continue
            memory = one.memory_full_info()
            found.append(
                {
                    "command": " ".join(one.cmdline()[1:4])[:60].replace("\n", " "),
                    "rss": round(memory.rss / _MEBIBYTE, 1),
                    "pss": round(memory.pss / _MEBIBYTE, 1),
                }
            )
        return found


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
