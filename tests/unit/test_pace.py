"""The pace as an owner keeps it: how many to ask for, and when."""

import pytest

from outbox.delivery import pace
from outbox.delivery.pace import Pace
from tests.puppet import Puppet


def paced(*, is_paced: bool = True) -> Pace:
    """Return the pace of a session that takes a hundred."""
    puppet = Puppet()
    puppet.is_paced = is_paced
    return Pace(puppet)


def test_session_that_is_not_paced_takes_what_it_can() -> None:
    """As many as have no outcome yet are left out."""
    one = paced(is_paced=False)
    assert not one.is_kept
    assert one.room(0.0, 30) == 70


def test_paced_session_asks_for_a_few() -> None:
    """Most of more would be given back."""
    one = paced()
    assert one.is_kept
    assert one.room(0.0, 0) == pace._AT_ONCE
    assert one.seconds_to_next(0.0) is None


def test_paced_session_is_filled_up_when_it_is_half_empty() -> None:
    """Not for each single outcome; and whoever rests until then is not told to ask at once."""
    one = paced()
    assert one.room(0.0, 51) == 0
    assert one.room(0.0, 50) == pace._AT_ONCE
    one.pause(10.0, 0.0)
    assert one.room(20.0, 51) == 0
    assert one.seconds_to_next(20.0) is None


def test_account_that_waits_asks_for_nothing_until_its_moment() -> None:
    """Whoever rests until then is woken, and not told to rest on before it has asked."""
    one = paced()
    one.pause(1010.0, 1000.0)
    assert one.room(1005.0, 0) == 0
    assert one.seconds_to_next(1005.0) == 5.0
    assert one.seconds_to_next(1010.5) == 0.0
    assert one.room(1010.5, 0) > 0
    assert one.seconds_to_next(1010.5) is None


def test_long_wait_is_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy may be another by then."""
    monkeypatch.setattr(pace, "_ASK_AGAIN_SECONDS", 60.0)
    one = paced()
    one.pause(90_000.0, 1000.0)
    assert one.seconds_to_next(1000.0) == 60.0
    assert pace.held_until(1030.0, 1000.0) == 1030.0
