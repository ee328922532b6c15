"""`outbox enqueue`: what it takes, what it refuses, and how it ends."""

import csv
import json
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from tests.cli_runner import Session, enqueue, run

TO = "+447700900123"


def _count(connection: psycopg.Connection) -> int:
    row = connection.execute("select count(*) from outbox.notification").fetchone()
    assert row is not None
    return int(row[0])


def test_a_text_is_accepted(database_url: str, connection: psycopg.Connection) -> None:
    """The id is all of stdout, so that a script can take it."""
    ran = run("enqueue", TO, "--text", "hello", url=database_url)
    assert (ran.code, ran.err) == (0, "")
    row = connection.execute(
        "select body from outbox.notification n join outbox.content c on c.digest = n.content "
        "where id = %s",
        (UUID(ran.out.strip()),),
    ).fetchone()
    assert row == ({"kind": "text", "text": "hello"},)


def test_json_says_the_id_and_the_account(database_url: str) -> None:
    """With --json stdout is one document."""
    ran = run("enqueue", TO, "--text", "hello", "--account", "second", "--json", url=database_url)
    assert ran.json.keys() == {"id", "account"}
    assert ran.json["account"] == "second"


def test_every_option_arrives(database_url: str, connection: psycopg.Connection) -> None:
    """What the options say is what the notification has; durations are PostgreSQL's."""
    options = ["--key", "k1", "--priority", "5", "--send-at", "2h", "--expires-in", "1 day"]
    options += ["--max-attempts", "3", "--on-unknown", "hold", "--metadata", '{"order": 7}']
    ran = run("enqueue", TO, "--text", "hello", *options, url=database_url)
    assert ran.code == 0
    row = connection.execute(
        "select n.priority, n.max_attempts, n.on_unknown, n.deferred, e.metadata, "
        "  round(extract(epoch from n.due_at - n.enqueued_at) / 60)::integer, "
        "  n.expires_at - n.due_at = '1 day' "
        "from outbox.notification n join outbox.event e on e.stream = n.id"
    ).fetchone()
    assert row == (5, 3, "hold", True, {"order": 7}, 120, True)
    again = run("enqueue", TO, "--text", "hello", "--key", "k1", url=database_url)
    assert again.out == ran.out


def test_a_picture_is_stored_and_sent(
    database_url: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """A file's type is guessed from its name."""
    picture = tmp_path / "parcel.png"
    picture.write_bytes(b"\x89PNG and so on")
    ran = run("enqueue", TO, "--image", picture, "--caption", "Your parcel", url=database_url)
    assert ran.code == 0
    row = connection.execute(
        "select c.body->>'kind', c.body->>'caption', m.mime, m.size from outbox.content c "
        "join outbox.media m on m.digest = decode(c.body->>'media', 'hex')"
    ).fetchone()
    assert row == ("image", "Your parcel", "image/png", 14)


def test_a_document_keeps_its_name(
    database_url: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """The recipient sees the name that the file has."""
    (tmp_path / "bill.pdf").write_bytes(b"%PDF")
    ran = run("enqueue", TO, "--document", tmp_path / "bill.pdf", url=database_url)
    assert ran.code == 0
    row = connection.execute("select body->>'filename' from outbox.content").fetchone()
    assert row == ("bill.pdf",)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["447700900123", "--text", "x"], "Not a recipient: 447700900123. Did you mean +447700"),
        ([TO, "--text", " "], "Nothing to be seen in text."),
        ([TO, "--content", '{"kind": "smoke"}'], "Unknown kind of content: smoke."),
        ([TO, "--text", "x", "--priority", "40000"], "Not a priority: 40000."),
        ([TO, "--text", "x", "--account", "No!"], "Not a name of an account: No!."),
        ([TO, "--text", "x", "--on-unknown", "pray"], "Not a policy for an unknown outcome: pray"),
        ([TO, "--text", "x", "--expires-in", "-1h"], "Expiry in the past:"),
    ],
)
def test_what_the_outbox_refuses_ends_with_3(
    database_url: str, connection: psycopg.Connection, arguments: list[str], sentence: str
) -> None:
    """The sentence is the outbox's own, with the value and the way out, and says no batch."""
    ran = run("enqueue", *arguments, url=database_url)
    assert ran.code == 3
    assert ran.err.startswith(f"error: {sentence}")
    assert "batch" not in ran.err
    assert ran.err.count("\n") == 1
    assert ran.out == ""
    assert _count(connection) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give a RECIPIENT, or --file"),
        ([TO], "Give one of --text, --image, --document, --content"),
        ([TO, "--text", "x", "--content", "{}"], "Give one of --text"),
        ([TO, "--text", "x", "--caption", "y"], "--caption goes with --image or --document"),
        ([TO, "--text", "x", "--keep-going"], "--keep-going goes with --file"),
        ([TO, "--content", "{"], "--content is not JSON"),
        ([TO, "--text", "x", "--metadata", "{"], "--metadata is not JSON"),
        ([TO, "--text", "x", "--send-at", "soon"], "--send-at: 'soon' is neither a time"),
        ([TO, "--text", "x", "--wait", "a while"], "--wait: 'a while' is no duration"),
        ([TO, "--image", "/nowhere.png"], "/nowhere.png cannot be read: No such file"),
        (["--file", "/nowhere.csv"], "/nowhere.csv cannot be read: No such file"),
        (["--file", "-", "--text", "x"], "With --file each line says it, so --text cannot"),
        ([TO, "--text", "x", "--priority", "high"], "Invalid value for '--priority': "),
    ],
)
def test_what_cannot_be_meant_ends_with_2(
    database_url: str, arguments: list[str], sentence: str
) -> None:
    """Nothing is guessed, and nothing was accepted."""
    ran = run("enqueue", *arguments, url=database_url)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {sentence}")


def test_a_key_that_stands_for_something_else_is_refused(database_url: str) -> None:
    """An idempotency key is no way to change what was accepted."""
    assert run("enqueue", TO, "--text", "one", "--key", "k", url=database_url).code == 0
    ran = run("enqueue", TO, "--text", "two", "--key", "k", url=database_url)
    assert ran.code == 3
    assert ran.err.startswith("error: Idempotency key already used for something else: k.")


# --wait


def test_waiting_in_vain_ends_with_7(database_url: str) -> None:
    """Without a worker it stays queued: the sentence names the id and what it waits for."""
    ran = run("enqueue", TO, "--text", "x", "--wait", "100ms", "--json", url=database_url)
    assert ran.code == 7
    assert ran.json["state"] == "pending"
    assert f"{ran.json['id']} is queued, not sent within 100 ms" in ran.err
    assert "none owns account main; run: outbox worker --account main" in ran.err


def test_waiting_ends_when_it_is_sent(database_url: str, connection: psycopg.Connection) -> None:
    """Sent is success, whichever call has enqueued it."""
    first = enqueue(connection, idempotency_key="k")
    Session(connection).end("sent", first)
    ran = run(
        *("enqueue", TO, "--text", "hello", "--key", "k", "--wait", "5s", "--json"),
        url=database_url,
    )
    assert ran.code == 0
    assert ran.json == {
        "id": str(first),
        "account": "main",
        "state": "sent",
        "message_id": f"3EB0{first.hex[-12:].upper()}",
        "last_error": None,
        "waited": ran.json["waited"],
    }


def test_what_is_rejected_while_waited_for_ends_with_8(
    database_url: str, connection: psycopg.Connection
) -> None:
    """It was accepted, so it is no refusal; and it will not be sent by itself."""
    first = enqueue(connection, idempotency_key="k")
    Session(connection).end("rejected", first, error="server returned error 400")
    ran = run("enqueue", TO, "--text", "hello", "--key", "k", "--wait", "5s", url=database_url)
    assert ran.code == 8
    assert f"{first} is rejected, refused for good: server returned error 400" in ran.err
    assert f"outbox requeue {first}" in ran.err


# --file


def _rows(count: int) -> list[dict[str, object]]:
    return [
        {"recipient": f"+4477009{number:05d}", "text": f"hello {number}", "priority": number % 3}
        for number in range(count)
    ]


def _jsonl(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_file_of_json_lines_is_accepted(
    database_url: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """More lines than one statement takes are still one transaction."""
    file = tmp_path / "many.jsonl"
    file.write_text(_jsonl(_rows(2345)))
    ran = run("enqueue", "--file", file, url=database_url)
    assert (ran.code, ran.out) == (0, "Accepted 2,345 notifications.\n")
    assert _count(connection) == 2345
    row = connection.execute("select count(distinct xid) from outbox.event").fetchone()
    assert row == (1,)


def test_a_file_of_csv_is_accepted(
    database_url: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    """The first line names the columns, an empty cell is not given, JSON is a cell."""
    file = tmp_path / "many.csv"
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["recipient", "text", "content", "priority", "expires_in", "metadata"])
        writer.writerow([TO, "a, b\nand c", "", "", "", '{"n": 1}'])
        writer.writerow([TO, "", '{"kind": "text", "text": "json"}', "7", "2 hours", ""])
    ran = run("enqueue", "--file", file, "--json", url=database_url)
    assert ran.code == 0
    assert [one["line"] for one in ran.json["accepted"]] == [3, 4]
    rows = connection.execute(
        "select c.body->>'text', n.priority from outbox.notification n "
        "join outbox.content c on c.digest = n.content order by n.position"
    ).fetchall()
    assert rows == [("a, b\nand c", 0), ("json", 7)]


def test_stdin_is_a_file(database_url: str) -> None:
    """The name - stands for stdin."""
    ran = run("enqueue", "--file", "-", "--json", url=database_url, stdin=_jsonl(_rows(2)))
    assert ran.code == 0
    assert ran.json["refused"] == []
    assert len({one["id"] for one in ran.json["accepted"]}) == 2


def test_an_empty_file_is_accepted(database_url: str) -> None:
    """Nothing to do is no mistake."""
    ran = run("enqueue", "--file", "-", url=database_url, stdin="")
    assert (ran.code, ran.out) == (0, "Accepted 0 notifications.\n")


BAD = [
    ({"recipient": "12345", "text": "x"}, "Not a recipient: 12345."),
    ({"recipient": TO}, "It has neither a text nor a content"),
    ({"recipient": TO, "text": "x", "prio": 1}, "Unknown option"),
    ({"recipient": TO, "text": "x", "max_attempts": 0}, "Not a number of attempts: 0."),
    ({"recipient": TO, "text": "x", "priority": "high"}, "Not a priority: high."),
    ({"recipient": TO, "text": "x", "send_at": "soon"}, ""),
    ({"recipient": TO, "text": "x", "content": {}}, "It has a text and a content"),
    (["no object"], "Not a JSON object"),
]


@pytest.mark.parametrize(("bad", "sentence"), BAD)
def test_one_bad_line_refuses_all(
    database_url: str, connection: psycopg.Connection, bad: object, sentence: str
) -> None:
    """The line is named, and nothing was accepted, however many lines came before."""
    lines = _jsonl(_rows(1200)) + json.dumps(bad) + "\n" + _jsonl(_rows(3))
    ran = run("enqueue", "--file", "-", url=database_url, stdin=lines)
    assert ran.code == 3
    assert ran.err.startswith(f"error: Line 1201: {sentence}")
    assert ran.err.endswith("Nothing was accepted.\n")
    assert _count(connection) == 0


def test_keep_going_accepts_the_good_lines(
    database_url: str, connection: psycopg.Connection
) -> None:
    """It ends with 9, and says of each refused line why, with its number in the file."""
    lines = _jsonl(_rows(10)) + "".join(json.dumps(bad) + "\n" for bad, _ in BAD)
    lines += "{not json\n" + _jsonl(_rows(10))
    ran = run("enqueue", "--file", "-", "--keep-going", "--json", url=database_url, stdin=lines)
    assert ran.code == 9
    assert [one["line"] for one in ran.json["refused"]] == list(range(11, 20))
    for (_, sentence), refused in zip(BAD, ran.json["refused"], strict=False):
        assert refused["sentence"].startswith(sentence)
        assert "batch" not in refused["sentence"]
    assert len(ran.json["accepted"]) == 20 == _count(connection)
    assert "9 lines refused, 20 accepted" in ran.err


def test_keep_going_with_nothing_good_ends_with_3(database_url: str) -> None:
    """Nothing was accepted, so nothing was done in part."""
    ran = run("enqueue", "--file", "-", "--keep-going", url=database_url, stdin='{"text": "x"}\n')
    assert ran.code == 3
    assert "line 1: Not a recipient" in ran.err


def test_a_heading_that_names_no_recipient_ends_with_2(database_url: str) -> None:
    """A CSV without its heading would otherwise lose its first line."""
    ran = run("enqueue", "--file", "-", url=database_url, stdin=f"{TO},hello\n")
    assert ran.code == 2
    assert "The first line names +447700900123, hello: it has to name columns" in ran.err
