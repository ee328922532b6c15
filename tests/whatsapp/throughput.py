"""How much of neonize's own speed is left when the outbox sends.

`python -m tests.whatsapp.throughput [MESSAGES [ROUNDS [LATENCY]]]` lets a bare loop over
`send_message` and the outbox send the same texts to the same recipients by turns, to the same
server, and prints as JSON what each came to a second, and the ratio of each round. The time runs
from the first message that the server has to the last. LATENCY is how many milliseconds a message
and its acknowledgement are on their way, as they would be to a server that is not on this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psycopg

from outbox.log.migrate import upgrade
from tests.databases import database, embedded_server
from tests.whatsapp.device import create_store, store_url
from tests.whatsapp.server import WhatsApp
from tests.whatsapp.worker import pair_account, running_worker

if TYPE_CHECKING:
    from tests.whatsapp.account import Account

_RECIPIENTS = 50
_PATIENCE = 300.0


def main(messages: int = 2000, rounds: int = 3, latency: int = 10) -> None:
    """Measure, and print what came out."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(WhatsApp.start(folder))
        given = os.environ.get("DATABASE_URL")
        postgres = given or stack.enter_context(embedded_server())
        url = stack.enter_context(database(postgres, "throughput"))
        upgrade(url)
        create_store(url, "whatsapp")
        found = []
        for nth in range(rounds):
            # Each has a device that has sent nothing yet.
            bare = _rate(_bare(server, url, 2 * nth, messages, latency), messages)
            ours = _rate(_outbox(server, url, 2 * nth + 1, messages, latency), messages)
            found.append({"bare": bare, "outbox": ours, "ratio": ours / bare})
    summary = {
        "messages": messages,
        "latency_ms": latency,
        "rounds": found,
        "bare": median(one["bare"] for one in found),
        "outbox": median(one["outbox"] for one in found),
        "ratio": median(one["ratio"] for one in found),
    }
    print(json.dumps(summary, indent=2))  # noqa: T201  # it is a program


def _rate(account: Account, messages: int) -> float:
    received = account.received()
    if len(received) != messages:
        raise RuntimeError(f"{len(received)} messages were received, and {messages} were sent")
    return (messages - 1) / (received[-1].at - received[0].at)


def _paired(url: str, nth: int) -> str:
    jid = f"{31_900_000_000 + nth}:5@s.whatsapp.net"
    pair_account(url, f"account-{nth}", jid)
    return jid


def _bare(server: WhatsApp, url: str, nth: int, messages: int, latency: int) -> Account:
    jid = _paired(url, nth)
    server.account(jid).latency = latency / 1000
    program = [sys.executable, "-m", "tests.whatsapp.bare", store_url(url, "whatsapp")]
    subprocess.run(
        [*program, jid, str(messages), str(_RECIPIENTS)],
        check=True,
        capture_output=True,
        timeout=_PATIENCE,
        env={**os.environ, **server.environment},
    )
    return server.account(jid)


def _outbox(server: WhatsApp, url: str, nth: int, messages: int, latency: int) -> Account:
    jid = _paired(url, nth)
    account = server.account(jid)
    account.latency = latency / 1000
    with psycopg.connect(url, autocommit=True) as connection:
        items = [
            {
                "recipient": f"+4477009{number % _RECIPIENTS:05d}",
                "content": {"kind": "text", "text": f"order {number} shipped"},
            }
            for number in range(messages)
        ]
        connection.execute(
            "select count(*) from outbox.enqueue_batch(%s, %s)",
            (json.dumps(items), f"account-{nth}"),
        )
        # Nobody asks the bare loop's server whether its recipients are there.
        connection.execute("update outbox.identity set registered = true, checked_at = now()")
    folder = Path(tempfile.mkdtemp())
    with running_worker(url, f"account-{nth}", server.environment, folder):
        account.wait_received(messages, _PATIENCE)
    return account


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
