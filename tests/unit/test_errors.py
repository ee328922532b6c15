"""Refusals as exceptions."""

import copy
import pickle
from pathlib import Path

import psycopg
import pytest
from psycopg import errors as psycopg_errors

from outbox import errors
from outbox.rules import RULES

CLASSES = errors.Refused.__subclasses__()


def test_psycopg_raises_our_classes() -> None:
    """Each class is what psycopg finds for its SQLSTATE, and no two share one."""
    assert len({one.sqlstate for one in CLASSES}) == len(CLASSES)
    for one in CLASSES:
        assert one.sqlstate is not None
        assert psycopg_errors.lookup(one.sqlstate) is one


def test_classes_are_of_the_kind_that_their_sqlstate_says() -> None:
    """Who catches psycopg's own kinds of error catches the refusals of that kind."""
    kinds: dict[str, type[psycopg.Error]] = {
        "22": psycopg.DataError,
        "23": psycopg.IntegrityError,
        "40": psycopg.OperationalError,
        "42": psycopg.ProgrammingError,
        "55": psycopg.OperationalError,
    }
    for one in CLASSES:
        assert issubclass(one, kinds[str(one.sqlstate)[:2]])
        assert issubclass(one, errors.OutboxError)


def test_every_rule_has_a_class_and_every_class_a_rule() -> None:
    """No rule is raised as a class that nobody can import, and no class is dead."""
    assert {rule.sqlstate for rule in RULES.values()} == {one.sqlstate for one in CLASSES}


@pytest.mark.parametrize("rule", RULES)
def test_a_refusal_says_what_is_wrong_and_the_way_out(rule: str) -> None:
    """A refusal is one sentence with the value, and then the hint."""
    refused = errors.refusal(rule, "this value")
    assert refused.rule == rule
    assert "this value" in refused.message
    assert refused.hint == RULES[rule].hint
    assert str(refused) == f"{refused.message}. {refused.hint}"
    assert refused.hint.endswith(".")
    assert "\n" not in str(refused)
    assert refused.diag.sqlstate == refused.sqlstate == RULES[rule].sqlstate


def test_python_may_say_more() -> None:
    """What only Python knows comes before the rule's own hint."""
    refused = errors.refusal("bad_recipient", "x", "Did you mean y?")
    assert refused.hint == f"Did you mean y? {RULES['bad_recipient'].hint}"


def test_a_value_is_shown_on_one_line_and_shortened() -> None:
    """A whole body as a value does not fill the log."""
    assert errors.shown("a\r\n\0b") == "a b"
    assert errors.shown("x" * 120) == "x" * 120
    assert errors.shown("x" * 121) == "x" * 119 + "…"
    assert errors.shown("") == '""'
    assert errors.shown(None) == "null"


def test_a_value_that_no_encoding_takes_can_be_refused() -> None:
    """Half of a surrogate pair in the value does not break its refusal."""
    assert errors.refusal("bad_recipient", "\ud800").message == "Not a recipient: ?"


@pytest.mark.parametrize("copied", [copy.copy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301 - our own pickle
def test_a_refusal_survives_being_copied(copied: object) -> None:
    """Between processes and through SQLAlchemy a refusal keeps what it says."""
    assert callable(copied)
    refused = errors.refusal("text_too_long", "text of 65537 characters")
    again = copied(refused)
    assert type(again) is errors.TextTooLong
    assert str(again) == str(refused)
    assert again.rule == "text_too_long"


def test_a_refusal_made_by_hand_shows_its_text() -> None:
    """Without a rule, a class of ours is an exception like any other."""
    made = errors.InvalidOption("because")
    assert (str(made), made.rule, made.hint) == ("because.", "", "")


def test_the_rules_of_python_and_sql_are_one_table() -> None:
    """Each rule stands in the SQL with its SQLSTATE, so that a new one is not forgotten here."""
    folder = Path(__file__).parents[2] / "alembic" / "sql"
    table = "".join(one.read_text() for one in sorted(folder.glob("*/functions/refusals.sql")))
    for rule, (sqlstate, message, _) in RULES.items():
        written = message.replace("'", "''")
        assert f"('{rule}', '{sqlstate}', '{written}'" in table
