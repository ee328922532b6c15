"""The pace of an account, as the log keeps it: what may start, what is held, until when and why."""

import json
import random
from uuid import UUID

import psycopg
import pytest

from tests.account import Account, Started

pytestmark = pytest.mark.undone

NEVER = 0.001
"""A pace, in messages a minute, at which nothing more goes in a test's time."""


@pytest.fixture
def account(connection: psycopg.Connection) -> Account:
    """An account that is owned, and paces as if no time passed."""
    account = Account.owned(connection)
    account.policy(pace=NEVER)
    return account


def many(account: Account, count: int, **options: object) -> list[UUID]:
    """Enqueue one for each of so many recipients, nobody of whom was ever reached."""
    return [account.enqueue(number, **options) for number in range(count)]


def friends(account: Account, count: int) -> list[UUID]:
    """Enqueue one for each of so many recipients who were reached days ago."""
    for notification in many(account, count):
        account.send(notification, "sent", notification.hex)
    account.connection.execute("update outbox.recipient set first_sent_at = '2026-01-01'")
    return many(account, count)


def started(found: list[Started]) -> list[UUID]:
    """Return which may be handed over."""
    return [one.notification for one in found if one.attempt is not None]


def held(found: list[Started]) -> list[str]:
    """Return why the others may not."""
    return [one.held_by for one in found if one.held_by is not None]


def later(account: Account, hours: float) -> None:
    """Let time pass, for whom the account has written to and why it waits."""
    account.connection.execute(
        "update outbox.recipient set first_sent_at = first_sent_at - %s * interval '1 hour'",
        (hours,),
    )
    account.connection.execute(
        "update outbox.connection set"
        " throttled_until = throttled_until - %(hours)s * interval '1 hour',"
        " strangers_after = strangers_after - %(hours)s * interval '1 hour',"
        " bucket_full_at = bucket_full_at - %(hours)s * interval '1 hour'",
        {"hours": hours},
    )


def test_so_many_go_at_once_and_the_account_waits(account: Account) -> None:
    """In the order given, and the rest is told until when."""
    account.policy(burst=1)
    notifications = many(account, 4)[::-1]
    found = account.start_paced(*notifications)
    assert started(found) == notifications[:1]
    assert held(found) == ["pace"] * 3
    (seconds,) = {one.seconds for one in found[1:]}
    assert seconds is not None
    assert 0.7 * 60_000 <= seconds <= 1.3 * 60_000
    assert account.row(notifications[0]).attempts == 1
    assert account.row(notifications[1]).attempts == 0
    pace = account.pace()
    assert pace.reason == "pace"
    assert pace.seconds == pytest.approx(seconds, abs=5)
    assert started(account.start_paced(*notifications[1:])) == []


def test_session_that_is_not_paced_knows_no_pace(account: Account) -> None:
    """And leaves none behind."""
    notifications = many(account, 50)
    assert set(account.start(*notifications)) == set(notifications)
    row = account.connection.execute("select bucket_full_at from outbox.connection").fetchone()
    assert row == (None,)
    assert account.pace().reason is None
    assert account.data(notifications[0], 2) == {"attempt": 1}


def test_quiet_time_fills_the_bucket(account: Account) -> None:
    """Up to a burst and no further, however long it was."""
    account.policy(burst=5, strangers_a_day=1000)
    notifications = many(account, 40)
    first = started(account.start_paced(*notifications))
    assert 4 <= len(first) <= 6
    later(account, 1000)
    rest = [one for one in notifications if one not in set(first)]
    assert 4 <= len(started(account.start_paced(*rest))) <= 6


def test_never_more_than_burst_and_rate(account: Account) -> None:
    """Whatever is asked for, and when: each start costs at least 0.7 of its minute's share."""
    chance = random.Random(7)  # noqa: S311 - no secret
    account.policy(pace=60, burst=4, strangers_a_day=100_000)
    waiting = many(account, 120)
    passed, times = 0.0, list[float]()
    while waiting:
        asked = waiting[: chance.randint(1, 9)]
        done = started(account.start_paced(*asked))
        assert done == asked[: len(done)]
        times += [passed] * len(done)
        waiting = waiting[len(done) :]
        pause = chance.choice([0.0, 0.1, 0.9, 2.5, 30.0])
        later(account, pause / 3600)
        passed += pause
    for first in range(len(times)):
        for last in range(first, len(times)):
            # The test itself takes a moment, in which the bucket fills, too.
            assert 0.7 * (last - first) <= times[last] - times[first] + 3 + 2
    # Nor much less, where enough is asked for: it is a pace and no lock.
    assert account.pace().reason in {None, "pace"}


def test_jitter_is_in_the_log(account: Account) -> None:
    """Drawn once, so that a replay agrees; no two waits are alike."""
    account.policy(pace=60, burst=50, strangers_a_day=100)
    notifications = many(account, 20)
    assert started(account.start_paced(*notifications)) == notifications
    rows = account.connection.execute(
        "select extract(epoch from b - lag(b) over (order by b))::float8"
        " from outbox.event e cross join lateral ("
        " select (e.data->>'bucket_full_at')::timestamptz as b) b"
        " where e.type = 'attempt_started'"
    )
    costs = [cost for (cost,) in rows if cost is not None]
    assert len(set(costs)) == 19
    assert all(0.7 <= cost <= 1.3 for cost in costs)
    row = account.connection.execute(
        "select bucket_full_at = (select max((data->>'bucket_full_at')::timestamptz)"
        " from outbox.event) from outbox.connection"
    ).fetchone()
    assert row == (True,)


def test_what_has_changed_is_neither_started_nor_held(account: Account) -> None:
    """Cancelled, expired, sent, twice asked for, somebody else's: as without a pace."""
    account.policy(burst=100)
    cancelled, sent, pending = many(account, 3)
    expired = account.enqueue(9, expires_in="1 microsecond")
    other = Account(account.connection, "other").enqueue()
    account.cancel(cancelled)
    account.send(sent, "sent", "A")
    found = account.start_paced(cancelled, sent, expired, other, pending, pending)
    assert [one.notification for one in found] == [pending]
    assert account.start_paced() == []


# Strangers.


def test_only_so_many_strangers_a_day(account: Account) -> None:
    """The others wait for the end of the day of those who were written to; friends go on."""
    account.policy(burst=1000, strangers_a_day=3)
    known = friends(account, 4)
    strangers = [account.enqueue(100 + number) for number in range(6)]
    mixed = [*strangers[:4], *known, *strangers[4:]]
    found = account.start_paced(*mixed)
    assert started(found) == [*strangers[:3], *known]
    assert held(found) == ["strangers"] * 3
    for notification in [*strangers[:3], *known]:
        account.record(notification, "sent", notification.hex)
    pace = account.pace()
    assert (pace.strangers_left, pace.strangers_reason) == (0, "strangers")
    assert pace.strangers_seconds == pytest.approx(24 * 3600, abs=60)
    later(account, 23)
    (one, *_) = account.start_paced(*strangers[3:])
    assert one.held_by == "strangers"
    assert one.seconds == pytest.approx(3600, abs=60)
    later(account, 2)
    assert account.pace().strangers_left == 3
    assert started(account.start_paced(*strangers[3:])) == strangers[3:]


def test_each_stranger_waits_for_the_end_of_another_day(account: Account) -> None:
    """One for that of the first who was written to, one for that of the next."""
    account.policy(burst=1000, strangers_a_day=2)
    first, second, *rest = many(account, 5)
    for notification in (first, second):
        assert started(account.start_paced(notification)) == [notification]
        account.record(notification, "sent", notification.hex)
        later(account, 5)
    waits = [one.seconds for one in account.start_paced(*rest)]
    assert waits[:2] == [pytest.approx(h * 3600, abs=60) for h in (14, 19)]
    assert waits[2] == pytest.approx(24 * 3600, abs=60)


def test_stranger_who_is_being_written_to_is_counted(account: Account) -> None:
    """Until it is known that nothing came of it; of unknown fate as well."""
    account.policy(burst=1000, strangers_a_day=2)
    one, two, three = many(account, 3)
    assert started(account.start_paced(one, two)) == [one, two]
    assert held(account.start_paced(three)) == ["strangers"]
    account.record(one, "unknown", "A")
    account.record(two, "not_sent")
    assert account.pace().strangers_left == 1
    assert started(account.start_paced(three)) == [three]
    assert account.pace().strangers_left == 0
    account.receive(("A", "delivered"))
    account.record(three, "rejected")
    assert account.pace().strangers_left == 1
    assert started(account.start_paced(two)) == [two]


def test_stranger_is_one_however_many_messages(account: Account) -> None:
    """What follows to somebody who is counted already needs no budget."""
    account.policy(burst=1000, strangers_a_day=1)
    first, second = account.enqueue(1, on_unknown="hold"), account.enqueue(1)
    other = account.enqueue(2)
    assert started(account.start_paced(first)) == [first]
    account.record(first, "unknown", "A")
    found = account.start_paced(other, second)
    assert started(found) == [second]
    assert held(found) == ["strangers"]


def test_groups_and_channels_are_no_strangers(account: Account) -> None:
    """Nor is the status."""
    account.policy(burst=1000, strangers_a_day=0)
    public = [
        account.enqueue(recipient=to)
        for to in ("123@g.us", "1-2@g.us", "9@newsletter", "status@broadcast")
    ]
    people = [account.enqueue(recipient=to) for to in ("77@lid", "+447700900001")]
    found = account.start_paced(*public, *people)
    assert started(found) == public
    assert held(found) == ["strangers"] * 2
    assert account.pace().strangers_left == 0


def test_held_stranger_does_not_use_up_the_pace(account: Account) -> None:
    """Those who are behind it in the queue go first."""
    account.policy(burst=1, strangers_a_day=0)
    (known,) = friends(account, 1)
    strangers = [account.enqueue(100 + number) for number in range(3)]
    found = account.start_paced(*strangers, known)
    assert started(found) == [known]
    assert held(found) == ["strangers"] * 3


# What WhatsApp says.


def test_throttled_account_waits_longer_each_time(account: Account) -> None:
    """A minute, two, four, up to an hour; an hour of peace begins anew."""
    account.policy(burst=1000, strangers_a_day=1000)
    (notification,) = many(account, 1)
    waits: list[float] = []
    for _ in range(9):
        assert started(account.start_paced(notification)) == [notification]
        account.record(notification, "throttled", error="429")
        waits.append(account.pace().seconds)
        assert account.pace().reason == "throttled"
        (one,) = account.start_paced(notification)
        assert (one.held_by, one.attempt) == ("throttled", None)
        assert one.seconds == pytest.approx(waits[-1], abs=5)
        later(account, waits[-1] / 3600)
    for number, wait in enumerate(waits):
        least = min(60 * 2**number, 3600)
        assert least - 5 <= wait <= 1.2 * least
    row = account.row(notification)
    assert (row.state, row.failures, row.attempts, row.last_error) == ("pending", 0, 9, "429")
    assert account.recipient_of(notification) is None
    later(account, 2)
    account.start_paced(notification)
    account.record(notification, "throttled")
    assert account.pace().seconds <= 72


def test_what_is_throttled_together_counts_once(account: Account) -> None:
    """In one batch, or one after the other: all were out when the account had to wait."""
    account.policy(burst=1000)
    account.transition("connected")
    one, two, three = many(account, 3)
    account.start_paced(one, two, three)
    account.record_all([(id_, "throttled", None, None, "429") for id_ in (one, two)])
    account.record(three, "throttled", error="429")
    story = account.connection_story()
    assert story == ["lease_acquired", "connected", "throttled"]
    assert account.standing()[:2] == ("connected", 3)
    assert account.standing().reason is None


def test_account_that_is_throttled_while_it_reconnects_keeps_its_try(account: Account) -> None:
    """The state and the moment of the next try are the connection's."""
    account.policy(burst=1000)
    one, two = many(account, 2)
    account.start_paced(one, two)
    account.transition("disconnected", "gone")
    before = account.standing()
    account.record_all(
        [(one, "throttled", None, None, "429"), (two, "restricted", None, None, "463")]
    )
    after = account.standing()
    assert account.connection_story()[-2:] == ["restricted", "throttled"]
    assert (after.state, after.failures, after.reason) == ("waiting", 1, "gone")
    assert before.seconds is not None
    assert after.seconds is not None


def test_restricted_account_writes_to_no_stranger_for_a_day(account: Account) -> None:
    """The one that was refused is a dead letter, and friends go on."""
    account.policy(burst=1000)
    (known,) = friends(account, 1)
    refused, other = account.enqueue(100), account.enqueue(101)
    account.start_paced(refused)
    account.record(refused, "restricted", error="server returned error 463")
    row = account.row(refused)
    assert (row.state, row.last_error) == ("rejected", "server returned error 463")
    found = account.start_paced(other, known)
    assert started(found) == [known]
    assert found[0].held_by == "restricted"
    assert found[0].seconds == pytest.approx(24 * 3600, abs=60)
    pace = account.pace()
    assert (pace.strangers_left, pace.strangers_reason) == (0, "restricted")
    assert pace.strangers_seconds == pytest.approx(24 * 3600, abs=60)
    later(account, 24)
    assert started(account.start_paced(other)) == [other]


# Numbers.


def test_number_of_a_stranger_is_checked_once_in_a_while(account: Account) -> None:
    """Of a friend, of a LID and of a group nobody asks."""
    account.policy(burst=1000)
    (known,) = friends(account, 1)
    lid, group = account.enqueue(recipient="77@lid"), account.enqueue(recipient="12@g.us")
    one, two = account.enqueue(100), account.enqueue(101)
    found = {s.notification: s.registered for s in account.start_paced(known, lid, group, one, two)}
    assert found == {known: True, lid: True, group: True, one: None, two: None}
    account.record(one, "not_sent", registered=True)
    account.record(two, "rejected", error="not on WhatsApp", registered=False)
    again = account.enqueue(101)
    assert [s.registered for s in account.start_paced(one, again)] == [True, False]
    account.record(one, "not_sent")
    account.record(again, "rejected")
    account.policy(check_after="0")
    third = account.enqueue(101)
    assert [s.registered for s in account.start_paced(one, third)] == [None, None]


def test_number_without_whatsapp_costs_neither_pace_nor_budget(account: Account) -> None:
    """Nothing is sent to it."""
    account.policy(burst=2, strangers_a_day=1)
    none, some = many(account, 2)
    account.connection.execute(
        "update outbox.identity set registered = false, checked_at = now() where jid like '%00@%'"
    )
    found = account.start_paced(none, some)
    assert started(found) == [none, some]
    assert [one.registered for one in found] == [False, None]


def test_recipient_who_was_erased_is_no_stranger(account: Account) -> None:
    """And what was asked of a number that is gone is forgotten."""
    account.policy(burst=1000, strangers_a_day=0)
    account.policy(strangers_a_day=5)
    gone, asked = many(account, 2)
    account.start_paced(asked)
    account.connection.execute("delete from outbox.identity")
    assert started(account.start_paced(gone)) == [gone]
    account.record(asked, "sent", "A", registered=True)
    assert account.row(asked).state == "sent"


def test_outcomes_in_the_exchange_come_before_its_starts(account: Account) -> None:
    """What is throttled holds what would have been started in the same breath."""
    account.policy(burst=1000)
    one, two = many(account, 2)
    account.start_paced(one)
    outcome = {"notification": str(one), "attempt": 1, "type": "throttled", "error": "429"}
    rows = account.connection.execute(
        "select kind, notification, held_by from outbox.exchange('main', %s, %s, %s, true)",
        (account.epoch, json.dumps([outcome]), [one, two]),
    ).fetchall()
    assert set(rows) == {
        ("recorded", one, None),
        ("held", one, "throttled"),
        ("held", two, "throttled"),
    }
