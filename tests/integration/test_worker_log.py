"""What a worker's log tells: how each notification and connection fared, and nothing of anybody."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from outbox.session.phone import Fault, Phone

PATIENCE = 20.0
SECRETS = (
    *("447700900", "whatsapp.net", "@lid", "@g.us"),
    *("Confidential", "Ann Example", "Meet me", "Which day"),
)
"""Parts of numbers, JIDs, names and bodies."""
CONTENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("+447700900101", {"kind": "text", "text": "Confidential: Meet me"}),
    ("+447700900102", {"kind": "text", "text": "Confidential, too"}),
    ("+447700900103", {"kind": "text", "text": "Confidential as well"}),
    ("123456789@lid", {"kind": "text", "text": "Confidential for a lid"}),
    ("120363041234567890@g.us", {"kind": "text", "text": "Confidential for a group"}),
    ("+447700900104", {"kind": "poll", "question": "Which day?", "options": ["one", "two"]}),
    (
        "+447700900105",
        {"kind": "contact", "name": "Ann Example", "number": "+447700900199"},
    ),
)


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    """A phone to deliver to, with which much goes wrong."""
    with Phone.start(tmp_path) as phone:
        refused = "server refused 447700900102@s.whatsapp.net"
        with phone.control() as control:
            control.behave(delivered=0.0)
            control.fault(Fault("reject", jid="447700900102@*", error=refused))
            failed = "no session with 447700900103@s.whatsapp.net"
            control.fault(Fault("fail", jid="447700900103@*", error=failed, times=2))
            control.fault(Fault("drop_after_frame", jid="447700900104@*"))
        yield phone


def _run_until_nothing_waits(
    url: str, phone: Phone, connection: psycopg.Connection, log: Path
) -> list[dict[str, Any]]:
    with log.open("w", encoding="utf-8") as stream:
        worker = subprocess.Popen(
            [sys.executable, "-m", "outbox", "worker", "--json"],
            env={
                **os.environ,
                "DATABASE_URL": url,
                "OUTBOX_SESSION": phone.url,
                "OUTBOX_LOG_LEVEL": "debug",
            },
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + PATIENCE
        waiting = "select 1 from outbox.notification where state in ('pending', 'sending')"
        while connection.execute(waiting).fetchone():
            assert time.monotonic() < until, log.read_text("utf-8")
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    finally:
        worker.kill()
        worker.wait()
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


def test_everything_is_told_and_nobody_is_named(
    database_url: str, phone: Phone, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """At the level debug, of a run with receipts, failures, a lost connection and dead letters."""
    ids = {}
    for to, content in CONTENTS:
        row = connection.execute(
            "select outbox.enqueue(%s, %s::jsonb, max_attempts => 2, retry_after => '10 ms')",
            (to, json.dumps(content)),
        ).fetchone()
        assert row is not None
        ids[to] = str(row[0])
    log = tmp_path / "worker.log"
    entries = _run_until_nothing_waits(database_url, phone, connection, log)
    said = log.read_text("utf-8")
    for secret in SECRETS:
        assert secret not in said, re.findall(f".*{secret}.*", said)

    told = [(one["level"], one["event"], one.get("notification")) for one in entries]
    assert ("debug", "sent", ids["+447700900101"]) in told
    assert ("warning", "rejected", ids["+447700900102"]) in told
    assert ("warning", "attempt failed", ids["+447700900103"]) in told
    assert ("warning", "exhausted", ids["+447700900103"]) in told
    assert ("warning", "outcome unknown", ids["+447700900104"]) in told
    events = [event for _, event, _ in told]
    assert events.count("connected") == 2
    assert "disconnected" in events
    sent = next(one for one in entries if one["event"] == "sent")
    assert sent["message_id"]
    assert (sent["account"], sent["attempt"]) == ("main", 1)
    rejected = next(one for one in entries if one["event"] == "rejected")
    assert rejected["reason"] == "server refused (hidden)"
