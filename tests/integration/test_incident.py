"""The report of an incident: what happened, who was affected, why, and what was how late."""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from outbox.cli.exits import ExitCode, Failure
from outbox.cli.replaying.reporting import report
from outbox.incident import answers, tables, telling, writing
from outbox.log import incident as log
from outbox.log import replay
from outbox.log.findings import Incident
from outbox.log.replay import PartlyArchivedError
from tests.cli_runner import run
from tests.databases import database
from tests.day import DAY, Day
from tests.integration.test_audit_connection import connect, lose
from tests.log_story import answered
from tests.outage_story import SINCE, UNTIL, tell_the_outage

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "incident.md"


def at(clock: str) -> datetime:
    """Return a moment of the day."""
    return datetime.fromisoformat(f"{DAY}T{clock}+00:00")


def gather(
    connection: psycopg.Connection, since: str, until: str, account: str | None = None
) -> Incident:
    """Return what a part of the day holds."""
    with log.snapshot(connection):
        return log.gather(connection, at(since), at(until), account)


@pytest.fixture(scope="module")
def told_url(server_url: str, template: str) -> Iterator[str]:
    """A database in which the outage has happened."""
    with database(server_url, "incident", template) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            tell_the_outage(connection)
        yield url


@pytest.fixture
def told(told_url: str) -> Iterator[psycopg.Connection]:
    """A connection to it."""
    with psycopg.connect(told_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def incident(told: psycopg.Connection) -> Incident:
    """What it holds from ten to twelve until one."""
    return gather(told, "11:50", "13:00")


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The reader is in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def said(incident: Incident, question: str) -> str:
    """Return how a question is answered."""
    return " ".join(dict(answers.answers(incident))[question])


def rows(incident: Incident, name: str) -> list[list[str]]:
    """Return the rows of a list."""
    return next(one.rows for one in tables.tables(incident) if one.name == name)


def test_it_says_what_happened_and_why(incident: Incident) -> None:
    """Both outages with their first causes, and both restarts with what was restarted."""
    happened, why = said(incident, "What happened"), said(incident, "Why")
    assert "not connected from 12:00:00 to 12:20:00, for 20 min; 2 tries to connect failed" in (
        happened
    )
    assert "not connected from 12:41:00 to 12:41:06, for 6 s." in happened
    assert "At 12:07:09 worker.1 came back with release v42 in place of v41." in happened
    assert "worker.2 took over from worker.1, which had not renewed its lease." in happened
    assert "12:00:00: the connection is lost: keep-alive lost." in why
    assert "12:41:00: its worker did not renew the lease in time" in why
    assert "3 attempts of 1 notification went wrong: server returned error 479." in why


def test_it_says_who_was_affected(incident: Incident) -> None:
    """By the outages, and in all; each with what befell them."""
    who = said(incident, "Who was affected")
    assert "held up 7 notifications to 6 recipients of account main." in who
    assert "In all 8 recipients were affected" in who
    affected = {
        one.jid: (one.held_up, one.failed, one.rejected, one.doubted, one.lost)
        for one in incident.recipients.rows
    }
    assert affected == {
        f"4477009001{number:02}@s.whatsapp.net": counts
        for number, counts in {
            1: (2, 0, 0, 0, 0),
            2: (1, 0, 0, 0, 0),
            3: (1, 0, 0, 0, 1),
            4: (1, 0, 0, 0, 1),
            5: (1, 3, 0, 0, 1),
            6: (1, 1, 0, 1, 0),
            7: (0, 0, 0, 1, 0),
            8: (0, 0, 1, 0, 1),
        }.items()
    }


def test_it_says_what_was_late_by_how_much(incident: Incident) -> None:
    """From when each was due; the latest first; half and most in a sentence."""
    late = said(incident, "What was late, and by how much")
    assert "half were 5 min 7 s late or more, the latest 18 min 2 s" in late
    assert "5 sent in the end, 2 ended without success" in late
    assert [(row[0], row[1], row[3]) for row in rows(incident, "late")] == [
        ("18 min 2 s", "+447700900101", "sent"),
        ("16 min 3 s", "+447700900102", "sent"),
        ("8 min 4 s", "+447700900101", "sent"),
        ("5 min 7 s", "+447700900105", "exhausted"),
        ("5 min 5 s", "+447700900103", "expired"),
        ("5 min 5 s", "+447700900104", "sent"),
        ("1 min 8 s", "+447700900106", "sent"),
    ]


def test_every_failure_has_its_first_cause(incident: Incident) -> None:
    """What expired during an outage did so because of the outage; a withdrawal has its reason."""
    assert [(row[1], row[2], row[3]) for row in rows(incident, "losses")] == [
        ("expired", "+447700900103", "the connection is lost: keep-alive lost"),
        ("exhausted", "+447700900105", "server returned error 479"),
        ("rejected", "+447700900108", "not on WhatsApp"),
        ("cancelled", "+447700900104", "withdrawn: wrong person"),
    ]
    assert [
        (one.type, one.error, one.times, one.notifications, one.in_outage)
        for one in incident.causes.rows
    ] == [
        ("expired", "keep-alive lost", 1, 1, 1),
        ("attempt_failed", "server returned error 479", 3, 1, 0),
        ("attempt_unknown", "the worker that was sending it lost its lease", 2, 2, 2),
        ("rejected", "not on WhatsApp", 1, 1, 0),
    ]


def test_an_error_before_the_outage_is_the_first_cause(connection: psycopg.Connection) -> None:
    """Of what expires during an outage after it had failed, the failure came first."""
    day = Day(connection)
    connect(day, "08:00")
    stream = day.enqueue("08:30", "1", "fails first", expires_at=f"{DAY} 09:10Z")
    day.start("08:30:01", stream)
    day.end(
        "08:30:02",
        stream,
        "attempt_failed",
        **{"class": "transient"},
        error="server returned error 500 for 3EB0AA",
        retry_at=f"{DAY} 09:05Z",
        recipient_failures=1,
    )
    lose(day, "09:00", "gone")
    day.tell("09:10:01", stream, "expired", {"state": "pending"})
    connect(day, "09:30")
    found = gather(connection, "08:00", "10:00")
    assert [one.error for one in found.losses.rows] == ["server returned error 500 for 3EB0AA"]
    # The same error of another message is the same cause.
    assert [one.error for one in found.causes.rows] == ["server returned error 500 for #"]


def test_what_may_be_doubled_or_is_in_doubt_is_named(incident: Incident) -> None:
    """With both message ids; and what waits for an operator."""
    assert "1 notification: it was sent again" in said(incident, "What may have arrived twice")
    [twice] = incident.doubled.rows
    assert (twice.first_message_id, twice.second_message_id) == ("3EB0D0", "3EB0D5")
    assert "1 notification may have arrived or not; what is held waits for you" in said(
        incident, "What is still open"
    )
    assert [(one.jid, one.held) for one in incident.doubts.rows] == [
        ("447700900107@s.whatsapp.net", True)
    ]


def test_the_timeline_tells_it_in_order(incident: Incident) -> None:
    """Losses, restarts, the first of each cause, and who did what; not each try to connect."""
    assert [(row[0], row[1]) for row in rows(incident, "timeline")] == [
        ("12:00:00", "disconnected"),
        ("12:07:00", "draining"),
        ("12:07:01", "lease_released"),
        ("12:07:09", "lease_acquired"),
        ("12:10:05", "expired"),
        ("12:20:00", "connected"),
        ("12:20:06", "attempt_failed"),
        ("12:41:00", "lease_lost"),
        ("12:41:00", "attempt_unknown"),
        ("12:41:02", "lease_acquired"),
        ("12:41:06", "connected"),
        ("12:50:02", "rejected"),
        ("12:58:00", "cancelled"),
    ]


def test_the_depth_is_right_from_the_beginning(
    told: psycopg.Connection, incident: Incident
) -> None:
    """What was open when a period began is told by the log, wherever it begins."""
    assert incident.step == timedelta(minutes=1)
    assert len(incident.steps) == 70
    assert incident.steps[0].open_before == 1
    assert max(one.open for one in incident.steps) == 6
    assert incident.steps[-1].open == 3
    for step, following in zip(incident.steps, incident.steps[1:], strict=False):
        later = gather(told, f"{following.at:%H:%M}", "13:00")
        assert later.steps[0].open_before == step.open, following.at


def test_a_new_start_opens_again(connection: psycopg.Connection) -> None:
    """What was requeued is open, also where a period begins; what was in doubt had been open."""
    day = Day(connection)
    connect(day, "08:00")
    again = day.enqueue("08:10", "1", "again")
    day.tell("08:20", again, "cancelled", {})
    day.requeue("08:40", again, "cancelled")
    doubt = day.enqueue("08:11", "2", "doubt", on_unknown="hold")
    day.start("08:12", doubt)
    day.end("08:13", doubt, "attempt_unknown", error="lost")
    day.requeue("08:45", doubt, "unknown")
    found = gather(connection, "08:00", "09:00")
    opened = {f"{one.at:%H:%M}": one.open for one in found.steps}
    assert [opened[one] for one in ("08:15", "08:30", "08:50")] == [2, 1, 2]
    for moment, number in (("08:15", 2), ("08:30", 1), ("08:50", 2)):
        assert gather(connection, moment, "09:00").steps[0].open_before == number


def test_attempts_and_outcomes_are_counted_in_their_steps(incident: Incident) -> None:
    """Each where it happened; a trace that is found is no second doubt."""
    names = ("enqueued", "started", "sent", "failed", "doubted", "dead")
    steps = {
        f"{one.at:%H:%M}": tuple(getattr(one, name) for name in names) for one in incident.steps
    }
    assert steps["12:20"] == (0, 5, 4, 1, 0, 0)
    assert steps["12:39"] == (2, 0, 0, 0, 0, 0)
    assert steps["12:41"] == (0, 0, 0, 0, 2, 0)
    assert tuple(map(sum, zip(*steps.values(), strict=True))) == (13, 13, 7, 4, 2, 4)


def test_an_outage_that_lasts_is_said_to_last(connection: psycopg.Connection) -> None:
    """It has no end, what it holds up still waits, and who was erased since has no number."""
    day = Day(connection)
    connect(day, "08:00")
    lose(day, "09:00", "gone")
    day.enqueue("09:10", "447700900101", "waits")
    connection.execute("delete from outbox.identity")
    found = gather(connection, "08:30", "10:00")
    assert "Account main has not been connected since 09:00:00" in said(found, "What happened")
    still = said(found, "What is still open")
    assert "Account main is still not connected." in still
    assert "1 notification of account main that an outage held up waits to this day." in still
    assert "Of these recipients 1 has been erased since." in said(found, "Who was affected")
    assert rows(found, "late")[0][1:4:2] == ["(erased)", "still waits"]


def test_who_was_forgotten_is_not_in_it(connection: psycopg.Connection, tmp_path: Path) -> None:
    """What happened stays, the number is nowhere, and the sentences say that somebody is gone."""
    tell_the_outage(connection)
    connection.execute("select outbox.forget('+447700900101')")
    written = writing.write(connection, tmp_path, at("11:50"), at("13:00"))
    assert "Of these recipients 1 has been erased since." in said(
        written.incident, "Who was affected"
    )
    assert [row[1] for row in rows(written.incident, "late")][:3] == [
        "(erased)",
        "+447700900102",
        "(erased)",
    ]
    for path in tmp_path.iterdir():
        assert "447700900101" not in path.read_text("utf-8")


def test_many_outages_are_told_in_sum(connection: psycopg.Connection) -> None:
    """How many, how long in all, the longest of them, and how often for which reason."""
    day = Day(connection)
    connect(day, "08:00")
    for hour in range(9, 16):
        lose(day, f"{hour:02}:00", "gone")
        connect(day, f"{hour:02}:{hour:02}")
    found = gather(connection, "08:30", "16:30")
    happened = said(found, "What happened")
    assert "There were 7 outages, 1 h 24 min in all; the longest of them:" in happened
    assert "from 15:00:00 to" in happened
    assert "from 10:00:00 to" not in happened
    assert said(found, "Why") == "7 outages: the connection is lost: gone."


def test_what_is_of_several_days_is_dated(connection: psycopg.Connection) -> None:
    """A time of day alone would not say of which."""
    day = Day(connection)
    connect(day, "08:00")
    lose(day, "09:00", "gone")
    connect(day, "09:30")
    with log.snapshot(connection):
        found = log.gather(connection, at("00:00"), at("00:00") + timedelta(days=2))
    assert f"from {DAY} 09:00:00 to {DAY} 09:30" in said(found, "What happened")
    assert telling.title(found) == "Incident of account main, 2026-03-10 00:00 to 2026-03-12 00:00"


def test_of_many_the_first_are_listed(connection: psycopg.Connection, tmp_path: Path) -> None:
    """Lists are bounded and say what they leave out; the figures count all."""
    day = Day(connection)
    connect(day, "08:00")
    lose(day, "09:00", "gone")
    for number in range(log.MOST + 30):
        day.enqueue("09:10", f"44770090{number:04}", "waits")
    connect(day, "10:00")
    written = writing.write(connection, tmp_path, at("08:30"), at("10:30"))
    assert len(written.incident.late.rows) == log.MOST
    assert written.incident.held[0].notifications == log.MOST + 30
    assert "And 30 more; see incident-" in written.html.read_text("utf-8")
    assert "And 30 more; see `incident-" in written.markdown.read_text("utf-8")
    assert len(written.events.read_text("utf-8").splitlines()) == written.incident.events


def test_two_accounts_are_told_apart(connection: psycopg.Connection) -> None:
    """Each has its own figures; asked for one, the other is not there."""
    for account, first in (("main", 1), ("other", 501)):
        day = Day(connection, account, first)
        connect(day, "08:00")
        lose(day, "09:00", f"{account} lost")
        for number in range(1 if account == "main" else 3):
            day.enqueue("09:10", f"{number}", "waits")
        connect(day, "10:00")
    both = gather(connection, "08:30", "10:30")
    assert [(one.account, one.notifications) for one in both.held] == [("main", 1), ("other", 3)]
    assert {row[-2] for row in rows(both, "late")} == {"main", "other"}
    alone = gather(connection, "08:30", "10:30", "other")
    assert [one.reason for one in alone.outages] == ["other lost"]
    assert (both.steps[-1].open, alone.steps[-1].open) == (4, 3)
    assert telling.title(alone).startswith("Incident of account other, ")


def test_the_files_hold_what_they_may(told: psycopg.Connection, tmp_path: Path) -> None:
    """Numbers only where people read, bodies nowhere, and each event of the period as a line."""
    written = writing.write(told, tmp_path, at("11:50"), at("13:00"))
    names = sorted(one.name for one in tmp_path.iterdir())
    assert names == [f"incident-{DAY}T1150Z.{end}" for end in ("html", "jsonl", "md")]
    html, markdown, events = (
        path.read_text("utf-8") for path in (written.html, written.markdown, written.events)
    )
    for text in (html, markdown):
        assert "+447700900101" in text
        assert "Your table" not in text
    assert "http://" not in html + markdown
    assert "https://" not in html + markdown
    assert "<script" not in html
    assert "4477009" not in events
    lines = [json.loads(line) for line in events.splitlines()]
    assert [line["position"] for line in lines] == sorted(line["position"] for line in lines)
    row = told.execute(
        "select count(*) from outbox.event where recorded_at >= %s and recorded_at < %s",
        (at("11:50"), at("13:00")),
    ).fetchone()
    assert row == (len(lines),)


def test_what_was_written_by_others_is_text(connection: psycopg.Connection, tmp_path: Path) -> None:
    """A reason is shown as it is, and is neither HTML nor Markdown."""
    day = Day(connection)
    connect(day, "08:00")
    lose(day, "09:00", "<script>alert(1)</script> | *gone*")
    written = writing.write(connection, tmp_path, at("08:30"), at("10:00"))
    assert "<script" not in written.html.read_text("utf-8")
    assert r"\<script\>alert(1)\</script\> \| \*gone\*" in written.markdown.read_text("utf-8")


def test_the_command_prints_answers_and_paths(
    told_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people; as JSON the figures, which name no recipient."""
    report(told_url, SINCE, UNTIL, to=str(tmp_path))
    out = capsys.readouterr().out
    assert "Account main was not connected from 12:00:00 to 12:20:00" in out
    assert str(tmp_path / f"incident-{DAY}T1150Z.html") in out
    report(told_url, SINCE, UNTIL, to=str(tmp_path), account="main", json=True)
    out = capsys.readouterr().out
    assert "4477009" not in out
    found = json.loads(out)
    assert Path(found["jsonl"]).name == f"incident-{DAY}T1150Z-main.jsonl"
    assert [one["held_up"] for one in found["outages"]] == [6, 1]
    assert found["held_up"][0]["longest_late_seconds"] == 1081.8
    assert (found["open_before"], found["open_at_most"], found["open_after"]) == (1, 6, 3)


@pytest.mark.parametrize(
    ("since", "until", "more", "code", "sentence"),
    [
        (UNTIL, SINCE, {}, ExitCode.USAGE, "The period ends before it begins"),
        (SINCE, SINCE, {}, ExitCode.USAGE, "The period ends before it begins"),
        ("2025-01-01", "2025-01-02", {}, ExitCode.NOT_FOUND, "The log has nothing from 2025-01-01"),
        ("2999-01-01", "2999-01-02", {}, ExitCode.NOT_FOUND, "The log has nothing from 2999-01-01"),
        (SINCE, UNTIL, {"account": "none"}, ExitCode.NOT_FOUND, "nothing of account none from"),
        (SINCE, UNTIL, {"to": "/nowhere"}, ExitCode.USAGE, "/nowhere is no folder"),
        (SINCE, UNTIL, {"to": "/proc"}, ExitCode.USAGE, "cannot be written to"),
    ],
)
def test_what_cannot_be_reported_is_a_sentence(
    told_url: str, since: str, until: str, more: dict[str, str], code: ExitCode, sentence: str
) -> None:
    """With the values, and what to do."""
    with pytest.raises(Failure, match=sentence) as failure:
        report(told_url, since, until, **more)  # type: ignore[arg-type]
    assert failure.value.code == code


def test_a_month_that_was_archived_is_put_back_first(connection: psycopg.Connection) -> None:
    """A report of a part of the period would be wrong; it says which month is missing."""
    tell_the_outage(connection)
    connection.execute(
        "insert into outbox.archive (partition, began_at, ended_at, events, positions, location,"
        " size, sha256, dropped_at) values ('event_2026_03', '2026-03-01Z', '2026-04-01Z', 1,"
        " '{[1,2)}', 'file:///nowhere', 1, '', now())"
    )
    with pytest.raises(PartlyArchivedError, match="outbox archive restore 2026-03"):
        gather(connection, "11:50", "13:00")


@pytest.mark.parametrize(
    ("length", "step"),
    [
        (timedelta(seconds=1), timedelta(seconds=1)),
        (timedelta(hours=1), timedelta(seconds=30)),
        (timedelta(days=1), timedelta(minutes=15)),
        (timedelta(days=31), timedelta(hours=12)),
        (timedelta(days=121), timedelta(days=2)),
        (timedelta(days=366), timedelta(days=4)),
    ],
)
def test_steps_are_such_as_clocks_have(length: timedelta, step: timedelta) -> None:
    """And at most 120 of them make a period."""
    assert log._step(length) == step


def test_it_is_a_way_to_replay(told_url: str, tmp_path: Path) -> None:
    """Of the other ways none takes a folder, and two at once are not one."""
    ran = run(
        *("replay", "--incident", SINCE, UNTIL, "--to", tmp_path, "--account", "main", "--json"),
        url=told_url,
    )
    assert ran.code == 0, ran.err
    assert Path(ran.json["html"]).is_file()
    ran = run("replay", "--check", "--to", tmp_path, url=told_url)
    assert (ran.code, ran.err) == (2, "error: --check takes no --to\n")
    ran = run("replay", "--check", "--incident", SINCE, UNTIL, url=told_url)
    assert ran.code == 2
    assert "not --check and --incident" in ran.err


def test_the_document_shows_what_is_answered(
    told_url: str,
    told: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every answer of docs/incident.md is the one that its question has."""
    text = DOCUMENT.read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    report(told_url, SINCE, UNTIL, account="main")
    assert f"--account main\n{capsys.readouterr().out}```" in text
    with replay.scratch(told, until=at("12:19")) as schema:
        asked = text.replace("before_it_came_back.", f"{schema}.")
        assert answered(told, asked) == asked
