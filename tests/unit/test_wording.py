"""Plain words for lengths of time, sizes and recipients."""

from datetime import UTC, datetime, timedelta

import pytest

from outbox.words import wording

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 ms"),
        (0.0123, "12 ms"),
        (1, "1 s"),
        (2.5, "2.5 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3599.7, "1 h"),
        (3600 * 3 + 20 * 60 + 9, "3 h 20 min"),
        (86400 * 2 + 3600, "2 d 1 h"),
        (-61, "1 min 1 s"),
    ],
)
def test_a_length_of_time(seconds: float, words: str) -> None:
    """Two units say enough."""
    assert wording.span(seconds) == words


def test_a_moment_and_how_far_it_is() -> None:
    """Both ways, since a clock time alone has to be compared with another."""
    assert wording.when(NOW + timedelta(seconds=8), NOW).endswith(" (in 8 s)")
    assert wording.when(NOW - timedelta(minutes=2), NOW).endswith(" (2 min ago)")


@pytest.mark.parametrize(
    ("jid", "words"),
    [
        ("447700900123@s.whatsapp.net", "+447700900123"),
        ("123@lid", "123@lid"),
        ("123-456@g.us", "123-456@g.us"),
        (None, "(erased)"),
    ],
)
def test_a_recipient(jid: str | None, words: str) -> None:
    """A number where there is one, as people write it."""
    assert wording.recipient(jid) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (16 << 20, "16.0 MiB")],
)
def test_a_size(count: int, words: str) -> None:
    """In units of 1024, as the limits are."""
    assert wording.size(count) == words


def test_a_number_of_things() -> None:
    """One is no plural."""
    assert wording.number(1, "notification") == "1 notification"
    assert wording.number(1200, "notification") == "1,200 notifications"
