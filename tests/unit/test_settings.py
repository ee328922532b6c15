"""Settings: what the environment may say, and that operators can read about it."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from outbox.settings import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names a database and nothing else."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"OUTBOX_{name.upper()}", raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql:///outbox")


def _documented() -> dict[str, str]:
    text = (DOCS / "settings.md").read_text("utf-8")
    return dict(re.findall(r"^\| `([A-Z_]+)` \|(?: `([^`]*)`)? \|", text, re.MULTILINE))


def test_every_variable_is_documented() -> None:
    """And nothing else is, but for the one that the command line reads itself."""
    names = {f"OUTBOX_{name.upper()}" for name in Settings.model_fields}
    names = names - {"OUTBOX_DATABASE_URL"} | {"DATABASE_URL", "OUTBOX_TRACEBACK"}
    assert set(_documented()) == names


def test_every_default_is_documented_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says what the docs call the default changes nothing."""
    expected = Settings()  # type: ignore[call-arg]  # the environment fills it
    for name, value in _documented().items():
        if value and name != "OUTBOX_TRACEBACK":
            monkeypatch.setenv(name, value)
    assert Settings() == expected  # type: ignore[call-arg]


def test_accounts_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks around them do not matter."""
    monkeypatch.setenv("OUTBOX_ACCOUNTS", "one, two,")
    assert Settings().accounts == ("one", "two")  # type: ignore[call-arg]


def test_an_empty_variable_counts_as_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shells and platforms cannot always leave one out."""
    monkeypatch.setenv("OUTBOX_WINDOW", "")
    assert Settings().window == 20_000  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OUTBOX_LEASE_SECONDS", "0"),
        ("OUTBOX_POLL_SECONDS", "-1"),
        ("OUTBOX_WINDOW", "99"),
        ("OUTBOX_POOLED", "perhaps"),
        ("OUTBOX_LOG_LEVEL", "loud"),
    ],
)
def test_what_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A worker with such a setting would do harm, or nothing."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()  # type: ignore[call-arg]


def test_words_are_given_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """`none` is no word; an empty variable leaves the ones that are the default."""
    monkeypatch.setenv("OUTBOX_OPT_OUT_WORDS", "STOP, no more,")
    monkeypatch.setenv("OUTBOX_OPT_IN_WORDS", "none")
    settings = Settings()  # type: ignore[call-arg]
    assert (settings.opt_out_words, settings.opt_in_words) == (("STOP", "no more"), ())
    monkeypatch.setenv("OUTBOX_OPT_OUT_WORDS", "")
    assert Settings().opt_out_words is None  # type: ignore[call-arg]
    monkeypatch.setenv("OUTBOX_OPT_OUT_WORDS", " , ")
    with pytest.raises(ValidationError, match="write none"):
        Settings()  # type: ignore[call-arg]
