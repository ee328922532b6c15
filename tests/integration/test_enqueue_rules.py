"""The same rules through every way in: Python, one at a time in SQL, and a batch in SQL."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import sql

from outbox import Notification, digest, enqueue, enqueue_many, errors, store_media
from outbox.caller.media import _FITS, LIMITS
from tests.account import Account
from tests.content_examples import BAD, GOOD

TO = "+44 7700 900123"
PNG = b"\x89PNG\r\n\x1a\n"

# An enqueue as JSON, which SQL is given, and the rule that it breaks.
OPTIONS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"idempotency_key": "x" * 255}, None),
    ({"idempotency_key": ""}, "bad_idempotency_key"),
    ({"idempotency_key": "x" * 256}, "bad_idempotency_key"),
    ({"priority": -32768}, None),
    ({"priority": 32767}, None),
    ({"priority": -32769}, "bad_priority"),
    ({"priority": 32768}, "bad_priority"),
    ({"send_at": "1999-01-01T00:00:00+00:00"}, None),
    ({"send_at": "2999-12-31T23:59:59.999999+00:00"}, None),
    ({"send_at": "3000-01-01T00:00:00+00:00"}, "bad_send_at"),
    ({"expires_in": "0.000001 seconds"}, None),
    ({"expires_in": "3155760000.000000 seconds"}, None),
    ({"expires_in": "3155760000.000001 seconds"}, "bad_expires_in"),
    ({"expires_in": "0.000000 seconds"}, "expiry_in_past"),
    ({"expires_in": "-1.000000 seconds"}, "expiry_in_past"),
    ({"max_attempts": 1}, None),
    ({"max_attempts": 1000}, None),
    ({"max_attempts": 0}, "bad_max_attempts"),
    ({"max_attempts": 1001}, "bad_max_attempts"),
    ({"on_unknown": "resend"}, None),
    ({"on_unknown": "hold"}, None),
    ({"on_unknown": "panic"}, "bad_on_unknown"),
    ({"retry_after": "0.000000 seconds"}, None),
    ({"retry_after": "1.000000 seconds", "retry_limit": "1.000000 seconds"}, None),
    ({"retry_after": "1.000001 seconds", "retry_limit": "1.000000 seconds"}, "bad_retry"),
    ({"retry_after": "-1.000000 seconds"}, "bad_retry"),
    ({"retry_limit": "-1.000000 seconds"}, "bad_retry"),
    ({"retry_limit": "3155760000.000001 seconds"}, "bad_retry"),
    ({"metadata": {"order": 7}}, None),
    ({"metadata": [7]}, "bad_metadata"),
    ({"metadata": "7"}, "bad_metadata"),
    # of two, the first is named
    ({"priority": 99999, "metadata": []}, "bad_priority"),
    ({"max_attempts": 0, "expires_in": "0.000000 seconds"}, "expiry_in_past"),
]
TYPES = {
    "priority": "integer",
    "send_at": "timestamptz",
    "expires_in": "interval",
    "max_attempts": "integer",
    "retry_after": "interval",
    "retry_limit": "interval",
    "metadata": "jsonb",
    "content": "jsonb",
}
TEXT = {"kind": "text", "text": "hello"}

# An item of a batch, or what is wrong with a good one, as programs without types write them.
ITEMS: list[tuple[object, str, str]] = [
    (5, "bad_batch", "5"),
    ("text", "bad_batch", '"text"'),
    ([], "bad_batch", "[]"),
    (None, "bad_batch", "null"),
    ({}, "bad_recipient", "null"),
    ({"recipient": "x", "content": TEXT}, "bad_recipient", "x"),
    ({"recipient": TO, "priority": 1}, "body_not_object", "null"),
    ({"recipient": TO, "content": TEXT, "b": 1, "a": 1}, "unknown_option", "a, b"),
    ({"priority": "high"}, "bad_priority", "high"),
    ({"priority": 1.5}, "bad_priority", "1.5"),
    ({"priority": 3e9}, "bad_priority", "3000000000"),
    ({"priority": True}, "bad_priority", "true"),
    ({"send_at": "tomorrow"}, "bad_send_at", "tomorrow"),
    ({"send_at": "infinity"}, "bad_send_at", "infinity"),
    ({"send_at": "2030-01-01"}, "bad_send_at", "2030-01-01"),
    ({"send_at": "2030-01-01T00:00:00"}, "bad_send_at", "2030-01-01T00:00:00"),
    ({"send_at": "2030-13-01T00:00:00Z"}, "bad_send_at", "2030-13-01T00:00:00Z"),
    ({"send_at": 1893456000}, "bad_send_at", "1893456000"),
    ({"expires_in": "soon"}, "bad_expires_in", "soon"),
    ({"expires_in": "1e30 years"}, "bad_expires_in", "1e30 years"),
    ({"max_attempts": "many"}, "bad_max_attempts", "many"),
    ({"retry_after": {}}, "bad_retry", "{}"),
    ({"retry_limit": "x"}, "bad_retry", "x"),
]


def broken(connection: psycopg.Connection, query: sql.Composed) -> str | None:
    """Return the rule that a statement breaks, leaving nothing behind."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(query)
    except errors.Refused as refused:
        return refused.rule
    return None


def one(given: dict[str, Any], account: str = "main") -> sql.Composed:
    """Return the call of `outbox.enqueue` as a program in another language writes it."""
    arguments = [sql.SQL("account => {}").format(account)]
    for name, value in given.items():
        written = json.dumps(value) if TYPES.get(name) == "jsonb" else value
        typed = sql.SQL("{} => {}::{}").format(
            sql.Identifier(name),
            written,
            sql.SQL(TYPES.get(name, "text")),
        )
        arguments.append(typed)
    return sql.SQL("select outbox.enqueue({})").format(sql.SQL(", ").join(arguments))


def batch(items: object, account: str = "main") -> sql.Composed:
    """Return the call of `outbox.enqueue_batch`."""
    return sql.SQL("select outbox.enqueue_batch({}::jsonb, {})").format(json.dumps(items), account)


def as_python(given: dict[str, Any]) -> dict[str, Any]:
    """Return the same with Python's types."""
    found = dict(given)
    for name in found.keys() & {"expires_in", "retry_after", "retry_limit"}:
        found[name] = timedelta(seconds=float(given[name].removesuffix(" seconds")))
    if "send_at" in found:
        found["send_at"] = datetime.fromisoformat(given["send_at"])
    return found


def in_python(given: dict[str, Any], **more: Any) -> str | None:  # noqa: ANN401
    """Return the rule that `enqueue` refuses by, and see that `enqueue_many` has the same."""
    options = {"content": TEXT, **as_python(given)}
    single = rule_of(partial(enqueue, to=TO, **options, **more))
    assert rule_of(partial(enqueue_many, [{"to": TO, **options}], **more)) == single
    return single


def rule_of(call: Callable[[], object]) -> str | None:
    """Return the rule by which Python refuses."""
    try:
        call()
    except errors.Refused as refused:
        return refused.rule
    return None


def test_options_are_judged_alike(connection: psycopg.Connection) -> None:
    """An option is accepted by all ways in or refused by all, by the same rule."""
    for given, rule in OPTIONS:
        assert in_python(given) == rule, given
        whole = {"recipient": TO, "content": TEXT, **given}
        assert broken(connection, one(whole)) == rule, given
        assert broken(connection, batch([whole])) == rule, given


def test_accounts_are_judged_alike(connection: psycopg.Connection) -> None:
    """The name of an account, too."""
    good, bad = ("main", "a", "0_.-", "x" * 63), ("", "Main", "-a", "x" * 64, "ä")
    for account in good + bad:
        rule = "bad_account" if account in bad else None
        assert in_python({}, account=account) == rule, account
        assert broken(connection, one({"recipient": TO, "content": TEXT}, account)) == rule
        assert broken(connection, batch([{"recipient": TO, "content": TEXT}], account)) == rule


def test_contents_are_judged_alike_when_enqueued(connection: psycopg.Connection) -> None:
    """What `content_problem` and the models say is what every way in says."""
    unstored = {"image", "video", "audio", "voice", "document", "sticker", "album"}
    for example in BAD:
        whole = {"recipient": TO, "content": example.body}
        assert broken(connection, one(whole)) == example.rule, example
        assert broken(connection, batch([whole])) == example.rule, example
        assert in_python({"content": example.body}) == example.rule, example
    for content in GOOD:
        rule = "unknown_media" if content["kind"] in unstored else None
        whole = {"recipient": TO, "content": content}
        assert broken(connection, one(whole)) == rule, content
        assert broken(connection, batch([whole])) == rule, content
        assert in_python({"content": content}) is None, content


def test_the_database_names_the_item_and_its_value(connection: psycopg.Connection) -> None:
    """A caller without Python learns which item of a batch is wrong, mistyped ones included."""
    fine = {"recipient": TO, "content": TEXT}
    for item, rule, shown in ITEMS:
        wrong = {**fine, **item} if isinstance(item, dict) and len(item) == 1 else item
        with pytest.raises(errors.Refused) as caught:
            connection.execute(batch([fine, fine, wrong, fine]))
        assert caught.value.rule == rule, item
        assert f"number 3 of the batch: {shown}" in caught.value.message, item


def test_times_with_a_zone_are_taken(connection: psycopg.Connection) -> None:
    """As any language writes them, and whatever the zone of the session is."""
    connection.execute("set timezone = 'Asia/Tokyo'")
    times = ("2030-01-01T00:00Z", "2030-01-01 01:00:00.5+01", "2030-01-01 05:30+0530")
    for send_at in (*times, "2030-01-01 0:00 UTC"):
        connection.execute(batch([{"recipient": TO, "content": TEXT, "send_at": send_at}]))
    rows = connection.execute("select date_trunc('second', due_at) from outbox.notification")
    assert rows.fetchall() == [(datetime(2030, 1, 1, tzinfo=UTC),)] * 4


def test_null_is_not_given(connection: psycopg.Connection) -> None:
    """Drivers send null for what a program leaves out."""
    nulls = {name: None for name in ("idempotency_key", "on_unknown", *TYPES) if name != "content"}
    arguments = sql.SQL(", ").join(
        sql.SQL("{} => null").format(sql.Identifier(name)) for name in nulls
    )
    query = sql.SQL("select outbox.enqueue('+447700900123', {}, {})")
    connection.execute(query.format(json.dumps(TEXT), arguments))
    connection.execute(batch([{"recipient": TO, "content": TEXT, **nulls}]))
    rows = connection.execute(
        "select priority, due_at <= now(), max_attempts, on_unknown, "
        "  expires_at - enqueued_at < '25 hours', metadata "
        "from outbox.notification n join outbox.event e on e.stream = n.id"
    ).fetchall()
    assert rows == [(0, True, 10, "resend", True, {})] * 2


def test_no_time_is_out_of_pythons_reach(connection: psycopg.Connection) -> None:
    """A time that a worker could not read would stop its whole account."""
    for far in ("infinity", "-infinity", "3000-01-01Z"):
        whole = {"recipient": TO, "content": TEXT, "send_at": far}
        assert broken(connection, one(whole)) == "bad_send_at"


def test_pythons_limits_of_media_are_the_databases(connection: psycopg.Connection) -> None:
    """Both know the same kinds, sizes and types."""
    for kind, limit in LIMITS.items():
        found = connection.execute("select outbox.media_limit(%s)", (kind,)).fetchone()
        assert found == (limit,)
        for mime in ("image/png", "video/mp4", "audio/ogg", "application/pdf"):
            fits = connection.execute("select outbox.media_fits(%s, %s)", (kind, mime)).fetchone()
            assert fits == (mime.startswith(_FITS[kind]),)


def test_media_are_judged_alike(connection: psycopg.Connection) -> None:
    """Bytes and type, in SQL and in Python, which needs no database for it."""
    table: list[tuple[bytes | None, str | None, str | None]] = [
        (PNG, "image/png", None),
        (PNG, "", "bad_mime"),
        (PNG, "Image/PNG", "bad_mime"),
        (PNG, None, "bad_mime"),
        (b"", "image/png", "empty_media"),
        (None, "image/png", "empty_media"),
    ]
    for data, mime, rule in table:
        query = sql.SQL("select outbox.store_media({}::bytea, {}::text)").format(data, mime)
        assert broken(connection, query) == rule, mime
        if data is not None:
            assert rule_of(partial(store_media, data, mime)) == rule, mime


def test_media_that_do_not_fit_are_refused_by_the_database(connection: psycopg.Connection) -> None:
    """Through Python, when only the digest is given: the kind needs another type, or they miss."""
    connection.execute(store_media(PNG, "image/png"))
    video = {"kind": "video", "media": digest(PNG)}
    missing = {"kind": "image", "media": digest(b"missing")}
    for content, rule in ((video, "media_mismatch"), (missing, "unknown_media")):
        for statement in (
            enqueue(to=TO, content=content),
            enqueue_many([Notification(to=TO, content=content)]),
        ):
            with pytest.raises(errors.UnusableMedia) as caught:
                connection.execute(statement)
            assert caught.value.rule == rule


def test_voice_that_the_worker_cannot_convert_is_refused(connection: psycopg.Connection) -> None:
    """Of the account whose worker has no ffmpeg, so long as it has it; Ogg is fine anywhere."""
    ogg, mp3 = b"OggS" + bytes(9), b"ID3" + bytes(9)
    for data, mime in ((ogg, "audio/ogg"), (mp3, "audio/mpeg")):
        connection.execute("select outbox.store_media(%s, %s)", (data, mime))
    voice, note = ({"kind": "voice", "media": digest(data)} for data in (mp3, ogg))
    audio = {"kind": "audio", "media": digest(mp3)}
    account = Account(connection)
    assert account.acquire(ffmpeg=False)
    whole = {"recipient": TO, "content": voice}
    for statement in (one(whole), batch([whole])):
        with pytest.raises(errors.UnusableMedia) as caught:
            connection.execute(statement)
        assert caught.value.rule == "needs_ffmpeg"
        assert "audio/mpeg for voice" in caught.value.message
    account.enqueue(content=note)
    account.enqueue(content=audio)
    Account(connection, "other").enqueue(content=voice)
    for worker in ({"ffmpeg": True}, {}):
        account.release()
        assert account.acquire(**worker)
        account.enqueue(content=voice)


def test_python_and_sql_say_the_same(connection: psycopg.Connection) -> None:
    """Sentence and hint of a refused item do not tell which of the two refused."""
    wrong = {"recipient": TO, "content": {"kind": "text", "text": "x", "size": 3}}
    with pytest.raises(errors.InvalidContent) as in_sql:
        connection.execute(batch([wrong]))
    with pytest.raises(errors.InvalidContent) as by_python:
        enqueue_many([{"to": TO, "content": wrong["content"]}])
    assert str(in_sql.value) == str(by_python.value)
    assert in_sql.value.sqlstate == by_python.value.sqlstate
