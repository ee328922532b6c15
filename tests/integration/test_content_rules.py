"""SQL and Python judge contents and recipients alike: every example goes through both."""

import json
from typing import Any, cast

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from outbox import errors, recipient
from outbox.content import body, digest, parse
from outbox.content.models import KINDS
from outbox.rules import RULES
from tests.content_examples import BAD, GOOD, JIDS, NOBODY, text_with

# Each example of hypothesis uses the same connection, and none leaves anything in the database.
many = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def one(connection: psycopg.Connection, query: sql.SQL, *values: object) -> object:
    """Return the one value that a query gives."""
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return row[0]


def in_sql(connection: psycopg.Connection, content: object) -> str | None:
    """Return the rule that a body breaks, as the database judges it."""
    query = sql.SQL("select outbox.content_problem(%s::jsonb)")
    return cast("str | None", one(connection, query, json.dumps(content)))


def in_python(content: object) -> str | None:
    """Return the rule that a body breaks, as Python judges it."""
    try:
        parse(cast("dict[str, Any]", content))
    except errors.Refused as refused:
        return refused.rule
    return None


def jid_in_sql(connection: psycopg.Connection, to: str) -> str | None:
    """Return the JID of a recipient, as the database judges it."""
    return cast("str | None", one(connection, sql.SQL("select outbox.jid(%s)"), to))


def test_good_contents_are_accepted_by_both(connection: psycopg.Connection) -> None:
    """A content that breaks no rule passes SQL and Python, and Python sends it as it was given."""
    for content in GOOD:
        assert in_sql(connection, content) is None, content
        assert body(parse(content)) == content


def test_bad_contents_break_the_same_rule_in_both(connection: psycopg.Connection) -> None:
    """Of a content that breaks rules, SQL and Python name the same one."""
    for content, rule, _ in BAD:
        verdicts = (in_sql(connection, content), in_python(content))
        assert verdicts == (rule, rule), content


def test_a_missing_body_is_no_object(connection: psycopg.Connection) -> None:
    """SQL's null is refused like JSON's."""
    found = one(connection, sql.SQL("select outbox.content_problem(null)"))
    assert found == "body_not_object"


def test_both_refuse_in_the_same_words(connection: psycopg.Connection) -> None:
    """The database's refusal and Python's have class, sentence and way out in common."""
    query = sql.SQL("""
        select outbox.refuse(p.rule, outbox.describe_content(b.body, p.rule))
        from (select %s::jsonb as body) b, outbox.content_problem(b.body) p (rule)
    """)
    for content, rule, shown in BAD:
        with pytest.raises(errors.Refused) as from_sql:
            connection.execute(query, [json.dumps(content)])
        with pytest.raises(errors.Refused) as from_python:
            parse(content)
        assert type(from_sql.value) is type(from_python.value)
        assert from_sql.value.sqlstate == from_python.value.sqlstate
        assert from_sql.value.rule == from_python.value.rule == rule
        assert from_sql.value.message == from_python.value.message
        assert from_sql.value.hint == from_python.value.hint
        assert str(from_sql.value) == str(from_python.value)
        assert shown in from_sql.value.message


def test_the_rules_are_the_same_in_both(connection: psycopg.Connection) -> None:
    """`outbox.refusals()` and `outbox.rules` are one table, and each SQLSTATE has its class."""
    rows = connection.execute("select rule, sqlstate, message, hint from outbox.refusals()")
    assert {rule: tuple(rest) for rule, *rest in rows} == RULES
    for rule in RULES:
        with pytest.raises(errors.Refused) as from_sql:
            connection.execute("select outbox.refuse(%s, %s)", [rule, "x\n" + "y" * 200])
        from_python = errors.refusal(rule, "x\n" + "y" * 200)
        assert type(from_sql.value) is type(from_python)
        assert str(from_sql.value) == str(from_python)
        assert from_sql.value.rule == rule


def test_a_rule_that_nobody_knows_is_an_internal_error(connection: psycopg.Connection) -> None:
    """A mistake of ours is not blamed on the caller."""
    with pytest.raises(psycopg.errors.InternalError_, match="no_such_rule"):
        connection.execute("select outbox.refuse('no_such_rule', 'x')")


def test_both_show_values_alike(connection: psycopg.Connection) -> None:
    """A value is put on one line and cut at 120 characters by both."""
    for value in (None, "", " ", "a\r\n\tb", "x" * 120, "x" * 121, "%s", "…\u2028"):
        with pytest.raises(errors.InvalidRecipient) as from_sql:
            connection.execute("select outbox.refuse('bad_recipient', %s)", [value])
        assert from_sql.value.message == errors.refusal("bad_recipient", value).message


def test_both_know_the_same_kinds_and_fields(connection: psycopg.Connection) -> None:
    """Each kind has the same fields in the same order, and the same of them are required."""
    for kind, model in KINDS.items():
        required = [name for name, field in model.model_fields.items() if field.is_required()]
        found = connection.execute(
            "select outbox.content_fields(%(kind)s), outbox.content_required(%(kind)s)",
            {"kind": kind},
        ).fetchone()
        assert found == (list(model.model_fields), required)


def test_what_jsonb_cannot_hold_is_refused_by_both(connection: psycopg.Connection) -> None:
    """NUL and halves of surrogate pairs: PostgreSQL refuses the JSON itself, Python the content."""
    for raw in (r'"a\u0000b"', r'"\ud800"', r'"\udc00\ud800"'):
        with pytest.raises(psycopg.DataError):
            connection.execute("select %s::jsonb", [raw])
        text = json.loads(raw)
        for content in (
            text_with(text=text),
            text_with(mentions=[text]),
            text_with(quote={"message_id": text}),
            text_with(**{text: 1}),
            {"kind": text},
        ):
            assert in_python(content) in {"nul_character", "unpaired_surrogate"}


def test_recipients_are_the_same_for_both(connection: psycopg.Connection) -> None:
    """A recipient has one JID, whoever is asked."""
    for to, jid in JIDS.items():
        assert jid_in_sql(connection, to) == jid
        assert recipient.jid(to) == jid


def test_nobody_is_nobody_for_both(connection: psycopg.Connection) -> None:
    """What SQL does not take for a recipient, Python refuses by the same rule."""
    for to in NOBODY:
        assert jid_in_sql(connection, to) is None, to
        with pytest.raises(errors.InvalidRecipient) as refused:
            recipient.jid(to)
        assert refused.value.rule == "bad_recipient"


def test_no_recipient_is_nobody(connection: psycopg.Connection) -> None:
    """SQL's null has no JID."""
    assert one(connection, sql.SQL("select outbox.jid(null)")) is None


numbers = st.one_of(
    st.from_regex(r"\+?[0-9 .\-\u00a0()]{0,20}", fullmatch=True),
    st.from_regex(r"\+[1-9][0-9]{5,15}", fullmatch=True),
    st.from_regex(
        r"[0-9\-]{0,18}@(lid|g\.us|newsletter|s\.whatsapp\.net|c\.us|broadcast)\n?", fullmatch=True
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=70),
)


@many
@given(to=numbers)
@example(to="+44 7700 900123")
def test_any_text_has_the_same_jid_in_both(connection: psycopg.Connection, to: str) -> None:
    """Python gives SQL's JID or refuses, and refuses more only for a number of no plan."""
    expected = jid_in_sql(connection, to)
    assert recipient.form(to) == expected
    try:
        found = recipient.jid(to)
    except errors.InvalidRecipient as refused:
        found, hint = None, refused.hint
    else:
        hint = ""
    if found is None:
        assert hint.endswith(RULES["bad_recipient"].hint)
    else:
        assert found == expected
    if found is None and expected is not None:
        assert to.startswith("+")
        assert expected in hint
        assert recipient.jid(expected) == expected


@many
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
@example(text="\u2005\u202f")
def test_any_text_gets_the_same_verdict(connection: psycopg.Connection, text: str) -> None:
    """Whatever a text is made of, SQL and Python judge every field that it stands in alike."""
    for content in (
        text_with(text=text),
        text_with(mentions=[text]),
        text_with(quote={"message_id": text}),
        {"kind": text},
        {"kind": "reaction", "message": {"message_id": "1"}, "emoji": text},
        {"kind": "document", "media": "0" * 64, "filename": text},
        {"kind": "contact", "name": text, "number": text},
        {"kind": "poll", "question": "?", "options": ["a", text]},
    ):
        assert in_python(content) == in_sql(connection, content), content


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=2),
    max_leaves=5,
)


@many
@given(content=st.sampled_from(GOOD), data=st.data())
def test_any_change_to_a_content_gets_the_same_verdict(
    connection: psycopg.Connection, content: dict[str, Any], data: st.DataObject
) -> None:
    """A field of a good content replaced by anything, or left out, is judged alike."""
    fields = list(KINDS[content["kind"]].model_fields)
    name = data.draw(st.sampled_from([*fields, "other"]))
    changed = {key: value for key, value in content.items() if key != name}
    if data.draw(st.booleans()):
        changed[name] = data.draw(json_values)
    assert in_python(changed) == in_sql(connection, changed), changed


def test_limits_of_media_are_known_for_each_kind(connection: psycopg.Connection) -> None:
    """Every kind with media has a limit in bytes, and no other kind."""
    limits = {
        kind: one(connection, sql.SQL("select outbox.media_limit(%s)"), kind) for kind in KINDS
    }
    with_media = {
        kind for kind, model in KINDS.items() if {"media", "items"} & model.model_fields.keys()
    }
    assert {kind for kind, limit in limits.items() if limit} == with_media
    assert limits["image"] == 16 * 1024 * 1024
    assert limits["document"] == 64 * 1024 * 1024


def test_media_fit_their_kind(connection: psycopg.Connection) -> None:
    """Media are sent only as a kind that WhatsApp shows them as."""
    for kind, mime, fits in (
        ("image", "image/jpeg", True),
        ("image", "IMAGE/PNG", True),
        ("image", "image/", False),
        ("image", "video/mp4", False),
        ("sticker", "image/webp", True),
        ("video", "video/mp4", True),
        ("audio", "audio/ogg", True),
        ("voice", "audio/ogg", True),
        ("voice", "video/ogg", False),
        ("album", "image/png", True),
        ("album", "Video/mp4", True),
        ("album", "audio/ogg", False),
        ("album", "video/", False),
        ("document", "application/pdf", True),
        ("document", "image/jpeg", True),
        ("document", "pdf", False),
        ("text", "text/plain", False),
        ("image", None, False),
    ):
        found = one(connection, sql.SQL("select outbox.media_fits(%s, %s)"), kind, mime)
        assert found is fits, (kind, mime)


def test_a_refusal_of_media_shows_what_is_stored(connection: psycopg.Connection) -> None:
    """Of media that are unknown, too large or of another type, the refusal says which they are."""
    webp, unknown = bytes(1024 * 1024 + 1), digest(b"never stored")
    connection.execute("select outbox.store_media(%s, 'image/webp')", [webp])
    judge = sql.SQL("select outbox.media_problem(%s::jsonb, 'main')")
    describe = sql.SQL("select outbox.describe_content(%s::jsonb, %s)")
    for kind, media, rule, shown in (
        ("sticker", digest(webp), "media_too_large", "1048577 bytes for sticker"),
        ("video", digest(webp), "media_mismatch", "image/webp for video"),
        ("image", unknown, "unknown_media", unknown),
    ):
        content = json.dumps({"kind": kind, "media": media})
        assert one(connection, judge, content) == rule
        assert one(connection, describe, content, rule) == shown


def test_a_refusal_of_an_album_shows_the_item(connection: psycopg.Connection) -> None:
    """The first item whose media do not fit is shown; of those that do, their sum if it is over."""
    png, sound, large, unknown = b"png", b"sound", bytes((16 << 20) + 1), digest(b"never stored")
    films = [bytes([nth]) * (16 << 20) for nth in range(4)]
    for data, mime in (
        (png, "image/png"),
        (sound, "audio/ogg"),
        (large, "image/png"),
        *((film, "video/mp4") for film in films),
    ):
        connection.execute("select outbox.store_media(%s, %s)", [data, mime])
    judge = sql.SQL("select outbox.media_problem(%s::jsonb, 'main')")
    describe = sql.SQL("select outbox.describe_content(%s::jsonb, %s)")
    good, *four = [{"media": digest(data)} for data in (png, *films)]
    assert one(connection, judge, json.dumps({"kind": "album", "items": four})) is None
    for items, rule, shown in (
        ([good, {"media": unknown}], "unknown_media", unknown),
        ([good, {"media": digest(sound)}], "media_mismatch", "audio/ogg for item 2 of an album"),
        (
            [{"media": digest(large)}, good],
            "media_too_large",
            "16777217 bytes for image, item 1 of an album",
        ),
        ([*four, good], "media_too_large", "67108867 bytes for all of an album"),
        ([*four, four[0]], "media_too_large", "83886080 bytes for all of an album"),
    ):
        content = json.dumps({"kind": "album", "items": items})
        assert one(connection, judge, content) == rule
        assert one(connection, describe, content, rule) == shown
