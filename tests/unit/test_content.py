"""Contents as Python makes them; that SQL judges alike is shown in tests/integration."""

import json
import re
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from outbox import content, errors
from outbox.content import fields
from tests.content_examples import BAD, DIGEST, GOOD, ID, Example, text_with


@pytest.mark.parametrize("given", GOOD, ids=lambda given: given["kind"])
def test_a_good_content_comes_back_as_it_was_given(given: dict[str, Any]) -> None:
    """`body` undoes `parse`, without adding defaults or nulls."""
    parsed = content.parse(given)
    assert parsed.kind == given["kind"]
    assert content.body(parsed) == given
    assert json.loads(json.dumps(content.body(parsed))) == given


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.rule} {bad.shown[:30]!r}")
def test_a_bad_content_is_refused_by_its_rule(bad: Example) -> None:
    """A content that breaks a rule raises that rule, with the value."""
    with pytest.raises(errors.Refused) as refused:
        content.parse(bad.body)
    assert refused.value.rule == bad.rule
    assert bad.shown in refused.value.message


def test_a_model_refuses_when_it_is_made() -> None:
    """Nobody holds a content that would be refused later."""
    with pytest.raises(errors.InvalidContent, match="Nothing to be seen in text"):
        content.Text(text=" ")
    with pytest.raises(errors.TextTooLong, match="text of 65537 characters"):
        content.Text(text="x" * 65537)
    with pytest.raises(errors.InvalidContent, match="Unknown field: txt"):
        content.Text(text="x", txt="y")  # type: ignore[call-arg]
    with pytest.raises(errors.InvalidContent, match="Missing field: filename"):
        content.Document(media=DIGEST)  # type: ignore[call-arg]
    with pytest.raises(errors.InvalidContent, match="text is number, not string"):
        content.Text(text=5)  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidContent, match="latitude nan"):
        content.Location(latitude=float("nan"), longitude=0)
    with pytest.raises(errors.InvalidContent, match="longitude inf"):
        content.Location(latitude=0, longitude=float("inf"))
    with pytest.raises(errors.InvalidContent, match="Not a content: 5"):
        content.Text.model_validate(5)
    with pytest.raises(errors.InvalidContent, match="Unknown kind of content: image"):
        content.Text(kind="image", text="x")  # type: ignore[arg-type]


def test_a_reference_refuses_when_it_is_made() -> None:
    """A reference names a message in exactly one way."""
    for wrong in ({}, {"sender": "1@lid"}, {"message_id": "1", "notification": UUID(ID)}):
        with pytest.raises(errors.InvalidContent) as refused:
            content.Ref.model_validate(wrong)
        assert refused.value.rule == "bad_reference"


def test_a_reference_takes_the_id_that_enqueue_returned() -> None:
    """A notification is named by its UUID, or by the UUID's text in either case."""
    by_id = content.Ref(notification=UUID(ID))
    assert content.Ref.model_validate({"notification": ID}) == by_id
    assert content.Ref.model_validate({"notification": ID.upper()}) == by_id
    revoke = content.Revoke(message=by_id)
    assert content.body(revoke) == {"kind": "revoke", "message": {"notification": ID}}
    assert content.parse(content.body(revoke)) == revoke


def test_none_is_absent_in_python_and_refused_in_json() -> None:
    """A model's None is a field left out; a null in JSON is a second spelling of the same."""
    assert content.body(content.Image(media=DIGEST, caption=None)) == {
        "kind": "image",
        "media": DIGEST,
    }
    with pytest.raises(errors.InvalidContent) as refused:
        content.parse({"kind": "image", "media": DIGEST, "caption": None})
    assert refused.value.rule == "wrong_type"


def test_contents_do_not_change() -> None:
    """A content is the same when it is sent as when it was made, and can be a key."""
    made = content.Poll(question="Lunch?", options=("yes", "no"))
    with pytest.raises(ValidationError, match="frozen"):
        made.question = "Dinner?"
    assert hash(made) == hash(content.parse(content.body(made)))


@pytest.mark.parametrize("text", ["a\0b", "\0", "\ud800", "\udc00\ud800"])
def test_what_postgresql_cannot_store_is_refused(text: str) -> None:
    """NUL and halves of surrogate pairs are found in keys and texts, however deep."""
    rule = "nul_character" if "\0" in text else "unpaired_surrogate"
    for given in (
        text_with(text=text),
        text_with(mentions=[text]),
        text_with(quote={"message_id": text}),
        text_with(quote={text: "1"}),
        text_with(**{text: 1}),
        text_with(more=[{"deep": [text]}]),
        {"kind": text},
    ):
        with pytest.raises(errors.InvalidContent) as refused:
            content.parse(given)
        assert refused.value.rule == rule
    with pytest.raises(errors.InvalidContent, match="in text"):
        content.Text(text=text)


def test_what_is_no_json_is_refused_as_a_wrong_type() -> None:
    """Python's other types are not guessed at."""
    for given in (b"hello", {"hello"}, object()):
        with pytest.raises(errors.InvalidContent) as refused:
            content.parse(text_with(text=given))
        assert refused.value.rule == "wrong_type"


def test_media_are_named_by_their_digest() -> None:
    """The digest is SHA-256 in lower-case hexadecimal, which is what a content takes."""
    assert content.digest(b"") == DIGEST
    assert content.Image(media=content.digest(b"jpeg")).media == content.digest(b"jpeg")


def test_the_schema_of_a_content_is_complete() -> None:
    """Whoever reads the JSON schema finds every kind and its limits."""
    schema = TypeAdapter[content.Content](content.Content).json_schema()
    kinds = {one["kind"] for one in GOOD}
    assert set(schema["discriminator"]["mapping"]) == kinds
    text = schema["$defs"]["Text"]["properties"]["text"]
    assert text["maxLength"] == 65536
    assert schema["$defs"]["Text"]["additionalProperties"] is False


def test_what_can_be_seen_is_more_than_not_white_space() -> None:
    """Every character that Python takes for white space is blank, and some that it does not."""
    blank = {chr(point) for point in range(1, 0x10000) if re.match(r"\s", chr(point))}
    assert all(map(fields.is_blank, blank | {"\u200b", "\u2060", "\ufeff", "\u00ad", "\u001b"}))
    assert not any(map(fields.is_blank, "a.0_мह字👍\u0301"))
