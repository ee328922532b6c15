"""Attempts and their outcomes, as the log and its projections have them."""

import threading
from datetime import timedelta

import psycopg
import pytest

from outbox.errors import StaleEpoch, VersionConflict
from tests.account import Account, OutcomeType

pytestmark = pytest.mark.undone


def delay(account: Account, version: int, *, stream: object) -> float:
    """Return the seconds from a failure to the retry that it names."""
    row = account.connection.execute(
        "select extract(epoch from (data->>'retry_at')::timestamptz - recorded_at)::float8"
        " from outbox.event where stream = %s and version = %s",
        (stream, version),
    ).fetchone()
    assert row
    return float(row[0])


def test_a_success_is_two_events(connection: psycopg.Connection) -> None:
    """An attempt is in the log before it is made, and what became of it after."""
    account = Account.owned(connection)
    notification = account.enqueue()
    assert account.start(notification) == [notification]
    assert account.row(notification) == ("sending", 2, 1, 0, None, None)
    account.record(notification, "sent", "3EB0")
    assert account.row(notification) == ("sent", 3, 1, 0, "3EB0", None)
    assert account.story(notification) == ["enqueued", "attempt_started", "sent"]
    row = connection.execute(
        "select sent_at = changed_at, not open, not unsettled, due_at = enqueued_at"
        " from outbox.notification"
    ).fetchone()
    assert row == (True, True, True, True)
    epochs = connection.execute(
        "select metadata->>'epoch' from outbox.event where stream = %s and version > 1",
        (notification,),
    )
    assert [row[0] for row in epochs] == [str(account.epoch)] * 2


@pytest.mark.parametrize(
    ("type_", "event", "state", "failures", "recipient"),
    [
        ("sent", "sent", "sent", 0, (0, 0, False, None, True)),
        ("failed", "attempt_failed", "pending", 1, (1, 1, True, "oops", False)),
        ("rejected", "rejected", "rejected", 0, None),
        ("not_sent", "attempt_failed", "pending", 0, None),
        ("unknown", "attempt_unknown", "unknown", 0, None),
        ("never_left", "attempt_failed", "pending", 1, None),
    ],
)
def test_every_outcome_has_its_event(
    connection: psycopg.Connection,
    type_: OutcomeType,
    event: str,
    state: str,
    failures: int,
    recipient: object,
) -> None:
    """An outcome says which event it is, where it leads, and whom it counts against."""
    account = Account.owned(connection)
    notification = account.enqueue()
    account.start(notification)
    if type_ == "never_left":
        account.record(notification, "unknown")
    error = None if type_ == "sent" else "oops"
    account.record(notification, type_, error=error)
    row = account.row(notification)
    assert account.story(notification)[-1] == event
    assert (row.state, row.attempts, row.failures) == (state, 1, failures)
    assert row.last_error == error
    assert account.recipient_of(notification) == recipient


def test_only_what_is_pending_is_started(connection: psycopg.Connection) -> None:
    """What was cancelled, sent, is being sent, has expired or is another account's is left out."""
    account = Account.owned(connection)
    cancelled, sent, sending, expired, pending = (account.enqueue(n) for n in range(5))
    expired = account.enqueue(9, expires_in="1 microsecond")
    other = Account(connection, "other").enqueue()
    account.cancel(cancelled)
    account.send(sent, "sent", "A")
    account.start(sending)
    started = account.start(cancelled, sent, sending, expired, other, pending, pending)
    assert started == [pending]
    assert account.start() == []


def test_a_recorded_outcome_is_recorded_once(connection: psycopg.Connection) -> None:
    """A call whose answer was lost can be repeated: what is there already is left out."""
    account = Account.owned(connection)
    outcomes: list[OutcomeType] = ["sent", "failed", "rejected", "not_sent", "unknown"]
    for number, outcome in enumerate(outcomes):
        notification = account.enqueue(number)
        account.send(notification, outcome, "A" if outcome in ("sent", "unknown") else None)
        before = (account.story(notification), account.row(notification))
        account.record(notification, outcome, account.row(notification).message_id)
        assert (account.story(notification), account.row(notification)) == before
        assert account.recipient_of(notification) in (
            None,
            (0, 0, False, None, True),
            (1, 1, True, None, False),
        )


def test_a_trace_is_recorded_once(connection: psycopg.Connection) -> None:
    """An unknown outcome that gains its message id says so; what adds nothing is left out."""
    account = Account.owned(connection)
    notification = account.enqueue()
    account.start(notification)
    account.record(notification, "unknown", error="it crashed")
    account.record(notification, "unknown", error="it crashed")
    account.record(notification, "unknown", "3EB0")
    account.record(notification, "unknown", "3EB0")
    account.record(notification, "unknown")
    assert account.story(notification)[2:] == ["attempt_unknown"] * 2
    assert account.row(notification) == ("unknown", 4, 1, 0, "3EB0", "it crashed")


def test_an_outcome_that_was_overtaken_is_left_out(connection: psycopg.Connection) -> None:
    """What an earlier attempt has to say comes too late when the next one has started."""
    account = Account.owned(connection)
    notification = account.enqueue()
    account.send(notification, "not_sent")
    account.start(notification)
    account.record(notification, "sent", "OLD", attempt=1)
    account.record(notification, "failed", attempt=3)
    assert account.row(notification) == ("sending", 4, 2, 0, None, None)


def test_an_unknown_outcome_is_settled_by_what_is_known_later(
    connection: psycopg.Connection,
) -> None:
    """An acknowledgement or the lack of a trace settles it; a failure does not."""
    account = Account.owned(connection)
    sent, left = account.enqueue(1), account.enqueue(2)
    for notification in (sent, left):
        account.send(notification, "unknown")
        account.record(notification, "failed")
        account.record(notification, "rejected")
        account.record(notification, "not_sent")
        assert account.row(notification).state == "unknown"
    account.record(sent, "sent", "A")
    account.record(left, "never_left")
    assert account.row(sent)[:4] == ("sent", 4, 1, 0)
    assert account.row(left)[:4] == ("pending", 4, 1, 1)
    assert account.data(left, 4)["class"] == "never_left"


def test_retries_wait_twice_as_long_each_time(connection: psycopg.Connection) -> None:
    """A minute, doubled up to an hour, and up to a fifth more; by the recipient's failures."""
    account = Account.owned(connection)
    notification = account.enqueue()
    for failures in range(1, 10):
        account.send(notification, "failed")
        waited = delay(account, 1 + 2 * failures, stream=notification)
        first = min(60 * 2 ** (failures - 1), 3600)
        assert first - 0.1 <= waited <= first * 1.2
        counted = account.recipient_of(notification)
        assert counted
        assert (counted.failures, counted.failed_attempts, counted.waits) == (
            failures,
            failures,
            True,
        )
    assert account.row(notification).failures == 9


def test_delays_come_from_the_notification_or_the_policy(connection: psycopg.Connection) -> None:
    """A notification's own delays go before its account's, and the account's before everybody's."""
    connection.execute(
        "insert into outbox.policy (account, retry_after, retry_limit, jitter)"
        " values ('main', '10 seconds', '15 seconds', 0)"
    )
    account, plain = Account.owned(connection), Account.owned(connection, "plain")
    policed = account.enqueue(1)
    own = account.enqueue(2, retry_after="1 second", retry_limit="3 seconds")
    others = plain.enqueue(3)
    waited: dict[object, list[int]] = {policed: [], own: [], others: []}
    for owner, notification in ((account, policed), (account, own), (plain, others)):
        for version in (3, 5, 7):
            owner.send(notification, "failed")
            waited[notification].append(round(delay(owner, version, stream=notification)))
    assert waited[policed] == [10, 15, 15]
    assert waited[own] == [1, 2, 3]
    assert waited[others][0] >= 60


def test_jitter_spreads_retries(connection: psycopg.Connection) -> None:
    """Those that failed together do not all come back together."""
    rows = connection.execute(
        "select extract(epoch from outbox.retry_delay(1, '100 s', '1000 s', 0.5))::float8"
        " from generate_series(1, 200)"
    ).fetchall()
    delays = [row[0] for row in rows]
    assert min(delays) >= 100
    assert max(delays) <= 150
    assert max(delays) - min(delays) > 25


def test_a_success_ends_a_recipients_failures(connection: psycopg.Connection) -> None:
    """Failures are counted over all notifications of a recipient, until one succeeds."""
    account = Account.owned(connection)
    first, second = account.enqueue(), account.enqueue()
    account.send(first, "failed")
    account.send(second, "failed")
    assert account.recipient_of(first) == (2, 2, True, None, False)
    account.send(second, "sent", "A")
    assert account.recipient_of(first) == (0, 2, False, None, True)
    account.send(first, "failed")
    assert account.recipient_of(first) == (1, 3, True, None, True)


def test_a_recipients_row_changes_only_with_its_counters(connection: psycopg.Connection) -> None:
    """A success after a success leaves the recipient's row alone."""
    account = Account.owned(connection)
    account.send(account.enqueue(), "sent", "A")
    before = connection.execute("select xmin::text, r.* from outbox.recipient r").fetchall()
    account.send(account.enqueue(), "sent", "B")
    after = connection.execute("select xmin::text, r.* from outbox.recipient r").fetchall()
    assert after == before


def test_recipients_are_counted_by_account(connection: psycopg.Connection) -> None:
    """The same person's failures under one account say nothing about another account."""
    main, other = Account.owned(connection), Account.owned(connection, "other")
    one, two = main.enqueue(), other.enqueue()
    main.send(one, "failed")
    other.send(two, "sent", "A")
    counted, spared = main.recipient_of(one), other.recipient_of(two)
    assert counted
    assert spared
    assert (counted.failures, spared.failures) == (1, 0)


def test_attempts_are_exhausted(connection: psycopg.Connection) -> None:
    """The failure that reaches max_attempts makes a dead letter, in the same statement."""
    account = Account.owned(connection)
    notification = account.enqueue(max_attempts=3)
    account.send(notification, "failed")
    account.send(notification, "unknown")
    account.record(notification, "never_left")
    assert account.row(notification).state == "pending"
    account.start(notification)
    account.record(notification, "failed", error="no such luck")
    assert account.row(notification) == ("exhausted", 9, 3, 3, None, "no such luck")
    assert account.story(notification)[-2:] == ["attempt_failed", "exhausted"]
    assert account.start(notification) == []
    rows = connection.execute(
        "select count(distinct xid) from outbox.event where stream = %s and version > 7",
        (notification,),
    ).fetchone()
    assert rows == (1,)


def test_what_was_not_sent_is_not_counted(connection: psycopg.Connection) -> None:
    """However often no frame left, max_attempts is no nearer, and nobody waits."""
    account = Account.owned(connection)
    notification = account.enqueue(max_attempts=1)
    for _ in range(3):
        account.send(notification, "not_sent")
    assert account.row(notification)[:4] == ("pending", 7, 3, 0)
    assert account.recipient_of(notification) is None
    account.send(notification, "unknown")
    account.record(notification, "never_left")
    assert account.row(notification).state == "exhausted"


@pytest.mark.parametrize("on_unknown", ["resend", "hold"])
def test_the_policy_settles_what_no_evidence_has(
    connection: psycopg.Connection, on_unknown: str
) -> None:
    """After the grace without a receipt `resend` sends again, and `hold` waits for an operator."""
    connection.execute("update outbox.policy set grace = '0'")
    account = Account.owned(connection)
    traced, untraced = account.enqueue(1, on_unknown=on_unknown), account.enqueue(2)
    account.send(traced, "unknown", "A")
    account.send(untraced, "unknown")
    assert account.settle() == 0  # the account is not connected: no receipt could have come
    account.transition("connected")
    assert account.settle() == (1 if on_unknown == "resend" else 0)
    assert account.settle() == 0
    if on_unknown == "resend":
        assert account.row(traced)[:4] == ("pending", 4, 1, 1)
        assert account.data(traced, 4)["class"] == "unconfirmed"
    else:
        assert account.row(traced).state == "unknown"
    assert account.row(untraced).state == "unknown"


def test_the_grace_is_waited_for(connection: psycopg.Connection) -> None:
    """Grace is counted from the unknown outcome, and anew from the latest connection."""
    account = Account.owned(connection)
    notification = account.enqueue()
    account.send(notification, "unknown", "A")
    account.transition("connected")
    connection.execute("update outbox.policy set grace = '1 hour'")
    assert account.settle() == 0
    connection.execute("update outbox.policy set grace = '0'")
    account.transition("disconnected")
    assert account.settle() == 0
    account.transition("connected")
    assert account.settle() == 1


def test_an_unconfirmed_attempt_counts(connection: psycopg.Connection) -> None:
    """What is sent again by policy is bounded by max_attempts."""
    connection.execute("update outbox.policy set grace = '0'")
    account = Account.owned(connection)
    account.transition("connected")
    notification = account.enqueue(max_attempts=2)
    for _ in range(2):
        account.send(notification, "unknown", "A")
        assert account.settle() == 1
    assert account.row(notification)[:4] == ("exhausted", 8, 2, 2)


def test_an_attempt_that_lost_to_a_cancellation_is_refused(
    connection: psycopg.Connection, database_url: str
) -> None:
    """An owner that starts what a caller is cancelling waits, and is told to look again."""
    account = Account.owned(connection)
    notification, other = account.enqueue(1), account.enqueue(2)
    with psycopg.connect(database_url) as caller, psycopg.connect(database_url) as late:
        Account(caller).cancel(notification)
        owner = Account(late)
        owner.epoch = account.epoch
        refused: list[VersionConflict] = []

        def start() -> None:
            try:
                owner.start(notification, other)
            except VersionConflict as error:
                refused.append(error)

        thread = threading.Thread(target=start)
        thread.start()
        _wait_for_a_lock(connection)
        caller.commit()
        thread.join()
        late.rollback()
    assert [str(notification) in error.message for error in refused] == [True]
    assert account.start(notification, other) == [other]


def _wait_for_a_lock(connection: psycopg.Connection) -> None:
    while True:
        row = connection.execute(
            "select exists (select from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock')"
        ).fetchone()
        if row and row[0]:
            return


@pytest.mark.parametrize(
    "statement",
    [
        "select outbox.start_attempts('main', %s, '{}')",
        "select outbox.record_outcomes('main', %s, '[]')",
        "select outbox.exchange('main', %s, '[]', '{}')",
        "select outbox.record_receipts('main', %s, '[]')",
        "select outbox.settle_unconfirmed('main', %s)",
        "select outbox.record_transition('main', %s, 'connected')",
        "select outbox.park('main', %s, true)",
        "select outbox.release_lease('main', %s)",
    ],
)
def test_a_stale_epoch_is_refused(connection: psycopg.Connection, statement: str) -> None:
    """Whatever an owner says is refused when its lease has gone to another, or to nobody."""
    account = Account.owned(connection)
    stale = account.epoch
    account.release()
    for epoch in (stale, stale + 1, stale - 1):
        with pytest.raises(StaleEpoch, match=f"epoch {epoch} of account main"):
            connection.execute(statement, (epoch,))
    assert account.acquire()
    assert account.epoch == stale + 1
    with pytest.raises(StaleEpoch):
        connection.execute(statement, (stale,))
    connection.execute(statement, (account.epoch,))


def test_an_erased_recipient_is_not_lost(connection: psycopg.Connection) -> None:
    """A notification whose recipient or body was erased is started without them, to be rejected."""
    account = Account.owned(connection)
    notification = account.enqueue()
    connection.execute("delete from outbox.identity")
    connection.execute("delete from outbox.content")
    row = connection.execute(
        "select attempt, jid, content from outbox.start_attempts('main', %s, %s)",
        (account.epoch, [notification]),
    ).fetchone()
    assert row == (1, None, None)


def test_a_lease_is_held_while_a_result_is_written(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Nobody takes an account over between the check of an epoch and the commit of the result."""
    account = Account(connection)
    assert account.acquire(seconds=0)
    with psycopg.connect(database_url) as slow:
        owner = Account(slow)
        owner.epoch = account.epoch
        owner.start(account.enqueue())
        rescued = connection.execute("select outbox.rescue_leases()").fetchall()
        assert rescued == []
        slow.commit()
    assert connection.execute("select outbox.rescue_leases()").fetchall() == [("main",)]


def test_expiry_bounds_a_late_start(connection: psycopg.Connection) -> None:
    """No attempt starts after expires_at, though nobody has expired it yet."""
    account = Account.owned(connection)
    notification = account.enqueue(expires_in=str(timedelta(microseconds=1)))
    assert account.start(notification) == []
    assert account.row(notification).state == "pending"
