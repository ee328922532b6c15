"""`outbox forget` and `outbox export` on the command line."""

import base64
import json
from pathlib import Path

import psycopg

from outbox.log.intake import store_media
from tests.cli_runner import Session, enqueue, run

NUMBER = "+447700900123"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1000


def with_a_past(connection: psycopg.Connection) -> None:
    """Let there be a person to whom something was sent, and something waits."""
    session = Session(connection)
    sent = enqueue(connection, NUMBER, idempotency_key="mine")
    session.end("sent", sent)
    digest = store_media(connection, PNG, "image/png")
    connection.execute(
        "select outbox.enqueue(%s, %s::jsonb)",
        (NUMBER, json.dumps({"kind": "image", "media": digest})),
    )
    enqueue(connection, "+447700900124")


def test_forget_asks_first(connection: psycopg.Connection, database_url: str) -> None:
    """Whoever says no has lost nothing; --yes is for scripts."""
    with_a_past(connection)
    ran = run("forget", NUMBER, url=database_url, stdin="n\n")
    assert ran.code == 130
    assert f"Erase everything that is held of {NUMBER}?" in ran.err
    ran = run("forget", NUMBER, "--yes", "--reason", "asked", "--json", url=database_url)
    assert ran.code == 0
    assert ran.json == {
        "erased": True,
        "cancelled": 1,
        "sending": 0,
        "contents": 1,
        "media": 1,
        "keys": 1,
        "whatsapp": 0,
        "named_elsewhere": 0,
    }


def test_forget_says_what_it_did(connection: psycopg.Connection, database_url: str) -> None:
    """In a sentence; and of whom nothing is held it says so, with a code of its own."""
    with_a_past(connection)
    ran = run("forget", NUMBER, "--yes", url=database_url)
    assert ran.out == (
        "Forgotten: 1 notification cancelled, 1 body, 1 medium, 1 idempotency key, "
        "0 rows of whatsmeow's.\n"
    )
    ran = run("forget", NUMBER, "--yes", url=database_url)
    assert ran.code == 4
    assert ran.err.startswith(f"error: Nothing is held of this recipient: {NUMBER}.")


def test_forget_waits_no_longer_than_it_may(
    connection: psycopg.Connection, database_url: str
) -> None:
    """What is being sent has to end first."""
    session = Session(connection)
    session.start(enqueue(connection, NUMBER))
    ran = run("forget", NUMBER, "--yes", "--wait", "0", url=database_url)
    assert ran.code == 5
    assert "1 of the recipient's are being sent" in ran.err


def test_export_is_complete(
    connection: psycopg.Connection, database_url: str, tmp_path: Path
) -> None:
    """Number, counters, keys, every notification with body and events, media: one document."""
    with_a_past(connection)
    ran = run("export", NUMBER, url=database_url)
    assert ran.code == 0
    found = ran.json
    assert [one["jid"] for one in found["recipients"]] == ["447700900123@s.whatsapp.net"]
    assert [one["account"] for one in found["counters"]] == ["main"]
    assert [one["key"] for one in found["idempotency_keys"]] == ["mine"]
    first, second = found["notifications"]
    assert first["body"] == {"kind": "text", "text": "hello"}
    assert [one["type"] for one in first["events"]] == ["enqueued", "attempt_started", "sent"]
    assert second["body"]["media"] == found["media"][0]["digest"]
    assert base64.b64decode(found["media"][0]["data"]) == PNG
    assert found["suppressions"] == found["whatsapp"] == found["events"] == []
    file = tmp_path / "person.json"
    assert run("export", NUMBER, "--to", file, url=database_url).code == 0
    written = json.loads(file.read_text("utf-8"))
    assert {**written, "exported_at": found["exported_at"]} == found
    assert file.stat().st_mode & 0o077 == 0
    again = run("export", NUMBER, "--to", file, url=database_url)
    assert again.code == 2
    assert "File exists" in again.err


def test_export_of_nobody_makes_no_file(database_url: str, tmp_path: Path) -> None:
    """Of whom nothing is held there is nothing to write."""
    file = tmp_path / "person.json"
    assert run("export", NUMBER, "--to", file, url=database_url).code == 4
    assert not file.exists()
