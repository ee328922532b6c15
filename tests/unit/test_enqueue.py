"""What a caller gets from Python before the database is asked."""

import inspect
import json
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql

import outbox
from outbox import errors
from outbox.caller.enqueue import Arguments
from outbox.caller.executable import Executable
from outbox.caller.notification import described
from outbox.caller.options import Options
from outbox.rules import RULES

TO = "+44 7700 900123"
JID = "447700900123@s.whatsapp.net"
PNG = b"\x89PNG\r\n\x1a\n"


def parameters(statement: Executable[Any]) -> dict[str, Any]:
    """Return the arguments of a call, by the names that the SQL function has."""
    clause = statement.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    names = [part.rpartition(" ")[2].lstrip("(") for part in str(clause).split(" => ")[:-1]]
    return dict(zip(names, clause.params.values(), strict=False))


def refused(**given: Any) -> errors.Refused:  # noqa: ANN401
    """Return what `enqueue` raises."""
    with pytest.raises(errors.Refused) as caught:
        outbox.enqueue(**given)
    return caught.value


def test_importing_the_package_imports_nothing_else() -> None:
    """A worker imports the package, and must not pay for what only callers need."""
    program = (
        "import sys, outbox; "
        "heavy = {'sqlalchemy', 'pydantic', 'psycopg', 'phonenumbers'} & sys.modules.keys(); "
        "assert not heavy, heavy; outbox.Text; "
        "assert 'sqlalchemy' not in sys.modules; outbox.enqueue; "
        "assert 'sqlalchemy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_public_name_is_there() -> None:
    """Each name in `__all__` can be had and is listed, and no other."""
    for name in outbox.__all__:
        assert getattr(outbox, name) is not None
    assert set(outbox.__all__) <= set(dir(outbox))
    assert inspect.isfunction(outbox.enqueue)
    with pytest.raises(AttributeError, match="enqeue"):
        getattr(outbox, "enqeue")  # noqa: B009 - as a variable would be


def test_the_ways_in_take_the_same() -> None:
    """`send`, `enqueue` and `Notification` know the same options under the same names."""
    named = set(inspect.signature(outbox.enqueue).parameters) - {"options"}
    assert set(Arguments.__annotations__) == named | set(Options.__annotations__)
    known = {field.name for field in fields(outbox.Notification)}
    assert known == {"to", "text", "content"} | set(Options.__annotations__)


def test_a_call_is_compiled_once() -> None:
    """SQLAlchemy's cache takes two calls with other values for the same statement."""
    one = outbox.enqueue(to=TO, text="hello", priority=1)._generate_cache_key()
    two = outbox.enqueue(to="1@lid", text="you", priority=2)._generate_cache_key()
    other = outbox.enqueue(to=TO, text="hello", max_attempts=1)._generate_cache_key()
    assert one is not None
    assert one == two
    assert one != other
    many = outbox.enqueue_many([{"to": TO, "text": "a"}])._generate_cache_key()
    assert many == outbox.enqueue_many([{"to": TO, "text": "b"}] * 2)._generate_cache_key()


def test_a_call_shows_nobody() -> None:
    """Neither the number nor the text gets into a log by the statement's representation."""
    statement = outbox.enqueue(to=TO, text="secret")
    assert "secret" not in repr(statement) + str(statement)
    assert "7700" not in repr(statement) + str(statement)


def test_literals_are_quoted() -> None:
    """For psycopg a text is a literal whatever it contains, a percent sign included."""
    written = outbox.enqueue(to=TO, text="it's 100 %s\\").as_string()
    assert """it''s 100 %s""" in written
    assert written.startswith("select outbox.enqueue(")


def test_options_travel_without_loss() -> None:
    """A time is sent in UTC, a day as 86,400 seconds, and what is not given is not sent."""
    east = timezone(timedelta(hours=2))
    given = outbox.Notification(
        to=TO,
        text="hello",
        send_at=datetime(2030, 1, 1, 12, tzinfo=east),
        expires_in=timedelta(days=1, microseconds=1),
        retry_after=timedelta(),
        metadata={"order": 7},
    )
    assert described(given) == {
        "recipient": JID,
        "content": {"kind": "text", "text": "hello"},
        "send_at": "2030-01-01T10:00:00+00:00",
        "expires_in": "86400.000001 seconds",
        "retry_after": "0.000000 seconds",
        "metadata": {"order": 7},
    }


def test_what_is_long_past_means_now() -> None:
    """The first moment that Python has is sent as a time that PostgreSQL has, too."""
    first = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
    described({"to": TO, "text": "x", "send_at": first})


@pytest.mark.parametrize(
    ("given", "rule", "shown"),
    [
        ({"to": "07700 900123"}, "bad_recipient", "07700 900123"),
        ({"to": "+1 212 555 01"}, "bad_recipient", "+1 212 555 01"),
        ({"to": None}, "bad_recipient", "None"),
        ({"text": ""}, "empty_text", "text"),
        ({"text": "x" * 65537}, "text_too_long", "65537"),
        ({"text": "\0"}, "nul_character", "text"),
        ({"text": 5}, "wrong_type", "text is number"),
        ({"text": None}, "body_not_object", "null"),
        ({"content": {"kind": "text", "text": "x"}}, "unknown_field", "text beside content"),
        ({"text": None, "content": {"kind": "smoke"}}, "unknown_kind", "smoke"),
        ({"text": None, "content": "hello"}, "body_not_object", "hello"),
        ({"colour": "red"}, "unknown_option", "colour"),
        ({"account": "Main"}, "bad_account", "Main"),
        ({"account": None}, "bad_account", "None"),
        ({"idempotency_key": ""}, "bad_idempotency_key", '""'),
        ({"idempotency_key": "x" * 256}, "bad_idempotency_key", "xxx"),
        ({"idempotency_key": 7}, "bad_idempotency_key", "7"),
        ({"idempotency_key": "a\0"}, "nul_character", "idempotency_key"),
        ({"priority": 32768}, "bad_priority", "32768"),
        ({"priority": "high"}, "bad_priority", "high"),
        ({"priority": True}, "bad_priority", "True"),
        ({"send_at": datetime(2030, 1, 1)}, "bad_send_at", "2030-01-01T00:00:00"),  # noqa: DTZ001
        ({"send_at": "2030-01-01T00:00:00Z"}, "bad_send_at", "2030-01-01"),
        ({"send_at": datetime(3000, 1, 1, tzinfo=UTC)}, "bad_send_at", "3000-01-01"),
        ({"expires_in": 3600}, "bad_expires_in", "3600"),
        ({"expires_in": timedelta.max}, "bad_expires_in", "86399999999999"),
        ({"expires_in": timedelta()}, "expiry_in_past", "0.000000 seconds"),
        ({"expires_in": timedelta(hours=-1)}, "expiry_in_past", "-3600.000000 seconds"),
        ({"max_attempts": 0}, "bad_max_attempts", "0"),
        ({"max_attempts": 1.0}, "bad_max_attempts", "1.0"),
        ({"on_unknown": "panic"}, "bad_on_unknown", "panic"),
        ({"on_unknown": []}, "bad_on_unknown", "[]"),
        ({"retry_after": 1}, "bad_retry", "1"),
        ({"retry_limit": timedelta(seconds=-1)}, "bad_retry", "-1.000000 seconds"),
        (
            {"retry_after": timedelta(seconds=2), "retry_limit": timedelta(seconds=1)},
            "bad_retry",
            "2.000000 seconds, 1.000000 seconds",
        ),
        ({"metadata": [1]}, "bad_metadata", "[1]"),
        ({"metadata": {"at": datetime(2030, 1, 1, tzinfo=UTC)}}, "bad_metadata", "datetime"),
        ({"metadata": {"x": float("nan")}}, "bad_metadata", "nan"),
        ({"metadata": {"x": ["\0"]}}, "nul_character", "metadata"),
        ({"metadata": {"\ud800": 1}}, "unpaired_surrogate", "the name of a field"),
        ({"mime": "image/png"}, "bad_mime", "image/png"),
    ],
)
def test_what_breaks_a_rule_is_refused(given: dict[str, Any], rule: str, shown: str) -> None:
    """A refusal has the database's rule and sentence, with the value, and a way out."""
    error = refused(**{"to": TO, "text": "hello", **given})
    assert error.rule == rule
    assert shown in error.message
    assert error.hint


@pytest.mark.parametrize("number", [1, 3])
def test_the_item_that_breaks_a_rule_is_named(number: int) -> None:
    """In a batch the refusal says which, counted from 1, and keeps what only Python knows."""
    items: list[Any] = [outbox.Notification(to=TO, text="hello") for _ in range(3)]
    items[number - 1] = {"to": "447700900123", "text": "hello"}
    with pytest.raises(errors.InvalidRecipient) as caught:
        outbox.enqueue_many(items)
    assert caught.value.message == f"Not a recipient: number {number} of the batch: 447700900123"
    assert caught.value.hint.startswith("Did you mean +447700900123? Write the number")


def test_an_item_is_a_notification_or_a_mapping() -> None:
    """Anything else is refused by its number; so is a mapping without a recipient."""
    for item, rule in ((5, "bad_batch"), ({}, "bad_recipient"), ({"to": TO}, "body_not_object")):
        with pytest.raises(errors.Refused, match="number 1 of the batch: ") as caught:
            outbox.enqueue_many([item])  # type: ignore[list-item]
        assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jpg", "image"),
        ("a.png", "image"),
        ("a.mp4", "video"),
        ("a.mp3", "audio"),
        ("a.pdf", "document"),
        ("a.svg", "document"),
        ("a.unheard-of", "document"),
    ],
)
def test_a_files_name_decides_its_kind(tmp_path: Path, name: str, kind: str) -> None:
    """What the apps show in the chat becomes that, all else a document by its name."""
    file = tmp_path / name
    file.write_bytes(PNG)
    statement = outbox.enqueue(to=TO, media=file)
    content = parameters(statement)["content"]
    assert f'"kind": "{kind}"' in content
    assert f'"media": "{outbox.digest(PNG)}"' in content
    assert (f'"filename": "{name}"' in content) is (kind == "document")


def test_text_beside_media_is_their_caption(tmp_path: Path) -> None:
    """A picture is sent with a text below it."""
    content = parameters(outbox.enqueue(to=TO, media=PNG, mime="image/png", text="Look"))["content"]
    assert '"caption": "Look"' in content
    file = tmp_path / "voice.ogg"
    file.write_bytes(b"OggS")
    assert refused(to=TO, media=file, text="Listen").rule == "unknown_field"


def test_content_beside_media_says_what_they_are() -> None:
    """The caller's content is kept, and only the digest is added."""
    named = {"kind": "document", "filename": "invoice.pdf"}
    statement = outbox.enqueue(to=TO, media=b"%PDF", mime="application/pdf", content=named)
    assert outbox.digest(b"%PDF") in parameters(statement)["content"]
    sticker = outbox.Sticker(media=outbox.digest(PNG))
    assert outbox.enqueue(to=TO, media=PNG, mime="image/png", content=sticker) is not None
    assert named == {"kind": "document", "filename": "invoice.pdf"}


@pytest.mark.parametrize(
    ("given", "rule", "shown"),
    [
        ({"media": PNG}, "bad_mime", "null"),
        ({"media": PNG, "mime": "image/png; q=1"}, "bad_mime", "image/png; q=1"),
        ({"media": b"", "mime": "image/png"}, "empty_media", "image/png"),
        ({"media": b"x" * (64 << 20) + b"x", "mime": "a/b"}, "media_too_large", "67108865"),
        ({"media": b"x" * (16 << 20) + b"x", "mime": "image/png"}, "media_too_large", "for image"),
        ({"media": b"%PDF", "mime": "application/pdf"}, "missing_field", "filename"),
        (
            {"media": PNG, "mime": "image/png", "content": {"kind": "video"}},
            "media_mismatch",
            "image/png for video",
        ),
        (
            {"media": PNG, "mime": "image/png", "content": {"kind": "image", "media": "0" * 64}},
            "bad_media_digest",
            "000",
        ),
        (
            {"media": PNG, "mime": "image/png", "content": {"kind": "text", "text": "x"}},
            "unknown_field",
            "media",
        ),
        (
            {"media": PNG, "mime": "image/png", "text": "x", "content": {"kind": "image"}},
            "unknown_field",
            "text beside content",
        ),
    ],
)
def test_media_that_break_a_rule_are_refused(given: dict[str, Any], rule: str, shown: str) -> None:
    """Before the bytes are sent anywhere."""
    error = refused(to=TO, **given)
    assert error.rule == rule
    assert shown in error.message


def test_several_media_make_an_album(tmp_path: Path) -> None:
    """Each is bytes or a file; the content's items are kept, and only the digests added."""
    film = tmp_path / "tour.mp4"
    film.write_bytes(b"film")
    named = [{"media": outbox.digest(PNG)}, {"media": outbox.digest(b"film")}]
    items = json.dumps(named)
    assert (
        items
        in parameters(outbox.enqueue(to=TO, media=[PNG, film], mime=["image/png", None]))["content"]
    )
    captioned = [{"caption": "Front"}, {"caption": "Tour"}]
    given = {"kind": "album", "items": captioned, "quote": {"message_id": "3EB0"}}
    content = parameters(outbox.enqueue(to=TO, media=(PNG, PNG), mime="image/png", content=given))[
        "content"
    ]
    assert f'{{"media": "{outbox.digest(PNG)}", "caption": "Tour"}}' in content
    assert captioned == [{"caption": "Front"}, {"caption": "Tour"}]
    album = outbox.Album(items=tuple(outbox.AlbumItem(**item) for item in named))
    whole = outbox.enqueue(to=TO, media=[PNG, film], mime=["image/png", None], content=album)
    assert items in parameters(whole)["content"]
    assert items in parameters(outbox.enqueue(to=TO, content=album))["content"]


@pytest.mark.parametrize(
    ("given", "rule", "shown"),
    [
        ({"media": [PNG]}, "bad_album", "number of items 1"),
        ({"media": []}, "bad_album", "number of items 0"),
        ({"media": [PNG] * 31}, "bad_album", "number of items 31"),
        ({"mime": None}, "bad_mime", "null"),
        ({"mime": ["image/png"]}, "bad_mime", "1 types for 2 media"),
        ({"media": PNG, "mime": ["image/png"]}, "bad_mime", '["image/png"]'),
        ({"mime": "audio/ogg"}, "media_mismatch", "audio/ogg for item 1 of an album"),
        (
            {"media": [PNG, bytes((16 << 20) + 1)]},
            "media_too_large",
            "16777217 bytes for image, item 2 of an album",
        ),
        (
            {"media": [bytes(16 << 20)] * 4 + [PNG]},
            "media_too_large",
            "67108872 bytes for all of an album",
        ),
        ({"content": {"kind": "image"}}, "media_mismatch", "2 media for image"),
        ({"content": {"kind": "album", "items": [{}] * 3}}, "bad_album", "3 items for 2 media"),
        ({"content": {"kind": "album", "items": 5}}, "wrong_type", "items is number, not array"),
        (
            {"content": {"kind": "album", "items": [{}, 5]}},
            "wrong_type",
            "item 2 is number, not object",
        ),
        (
            {"content": {"kind": "album", "items": [{}, {"media": "0" * 64}]}},
            "bad_media_digest",
            "000",
        ),
        ({"text": "x", "content": {"kind": "album"}}, "unknown_field", "text beside content"),
        ({"text": "x" * 1025}, "caption_too_long", "caption in item 1 of 1025 characters"),
    ],
)
def test_an_album_that_breaks_a_rule_is_refused(
    given: dict[str, Any], rule: str, shown: str
) -> None:
    """Before the bytes are sent anywhere."""
    error = refused(**{"to": TO, "media": [PNG, PNG], "mime": "image/png", **given})
    assert error.rule == rule
    assert shown in error.message


def test_a_file_beyond_every_limit_is_not_read(tmp_path: Path) -> None:
    """Its size is enough to refuse it."""
    file = tmp_path / "film.mp4"
    with file.open("wb") as opened:
        opened.truncate(1 << 40)
    assert refused(to=TO, media=file).message == "Media too large: 1099511627776 bytes of video/mp4"
    with pytest.raises(FileNotFoundError):
        outbox.store_media(tmp_path / "none.png")


def test_every_refusal_is_documented() -> None:
    """The table of refusals has the rules, classes and hints that there are."""
    document = Path(__file__).parents[2] / "docs" / "enqueue.md"
    table = [line for line in document.read_text("utf-8").splitlines() if " | 2" in line]
    assert table == [
        f"| `{rule}` | {known.sqlstate} | `{type(errors.refusal(rule, '')).__name__}` "
        f"| {known.hint} |"
        for rule, known in RULES.items()
        if known.sqlstate.startswith(("22", "23"))
    ]
