"""The HTTP API's document for people: docs/api.md says what the code does."""

import re
from pathlib import Path

from outbox.log.pool import MOST, MOST_ASYNC
from outbox.log.tokens import SCOPES
from outbox.web import body, enqueueing, given, media
from outbox.web.problems import KINDS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text("utf-8")


def test_every_problem_is_documented() -> None:
    """With its status, in the table of errors."""
    rows = re.findall(r"^\| (\d{3}) \| (.+?) \|", TEXT, re.MULTILINE)
    documented = {(int(status), rule) for status, rules in rows for rule in rules.split("`")[1::2]}
    assert {(kind.status, rule) for rule, kind in KINDS.items()} <= documented


def test_every_scope_is_documented() -> None:
    """Beside what it is for."""
    for scope in SCOPES:
        assert f"`{scope}`" in TEXT


def test_every_limit_is_documented() -> None:
    """As the code has it."""
    assert f"{body.JSON_BYTES // body.MEBIBYTE} MiB of JSON" in TEXT
    assert f"{media.MEDIA_BYTES // body.MEBIBYTE} MiB of media" in TEXT
    assert f"a list** of up to {given.MOST} " in TEXT.lower()
    assert f"`?wait=seconds`**, {enqueueing.LONGEST_WAIT} at most" in TEXT
    assert (MOST, MOST_ASYNC) == (4, 2)
    assert "four that requests share, two" in TEXT
