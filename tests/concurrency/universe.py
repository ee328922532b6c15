"""A database under random commands from several connections, for hypothesis to explore.

Commands run one after the other, but transactions stay open across them, so they interleave as
concurrent ones do. A command that would wait for another's lock gives up and, like one that is
refused, rolls its transaction back.
"""

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from psycopg import sql

from outbox.errors import Refused
from outbox.log.follow import Event, Follower
from outbox.log.replay import differences, scratch
from tests.concurrency.rules import broken_rules
from tests.databases import database

ACCOUNTS = ("a", "b")
CONNECTIONS = 3
TRANSITIONS = (
    "connecting",
    "pairing_offered",
    "paired",
    "connected",
    "disconnected",
    "replaced",
    "logged_out",
    "banned",
    "outdated",
    "halted",
    "draining",
)
OUTCOMES = (
    "sent",
    "failed",
    "rejected",
    "not_sent",
    "unknown",
    "never_left",
    "throttled",
    "restricted",
)
PACES = {
    "usual": (20, 3, 30),
    "fast": (600_000, 3, 100),
    "slow": (0.001, 2, 1),
    "shy": (600_000, 100, 0),
}
"""Policies: messages a minute, burst, strangers a day."""

on = st.integers(0, CONNECTIONS - 1)
accounts = st.sampled_from(ACCOUNTS)
which = st.integers(0, 99)
"""Any notification, by a number; most often one of the latest."""
fresh = st.booleans() | st.just(value=True)
"""Whether an owner carries its latest epoch, or the one before."""
outcomes = st.lists(st.sampled_from(OUTCOMES), min_size=3, max_size=8)
"""Of the attempts that are out."""
options = st.fixed_dictionaries(
    {"recipient": st.sampled_from(["+447700900001", "+447700900002", "1@lid", "1@g.us"])},
    optional={
        "priority": st.integers(-1, 1),
        "idempotency_key": st.sampled_from(["k", "l"]),
        "send_at": st.sampled_from(["2000-01-01T00:00:00Z", "2999-01-01T00:00:00Z"]),
        "expires_in": st.sampled_from(["1 microsecond", "5 milliseconds", "1 day"]),
        "max_attempts": st.integers(1, 3),
        "on_unknown": st.sampled_from(["resend", "hold"]),
        "retry_after": st.sampled_from(["0 seconds", "1 hour"]),
    },
)


class Universe(RuleBasedStateMachine):
    """Drives the log at random, then holds what it has become against the rules."""

    server_url: str
    template: str

    def __init__(self) -> None:
        super().__init__()
        self._database = database(self.server_url, f"universe_{uuid4().hex[:8]}", self.template)
        self._url = self._database.__enter__()
        self._connections = [self._connect() for _ in range(CONNECTIONS)]
        self._watching = self._connect()
        self._watching.execute("update outbox.policy set grace = '0'")
        self._followers = [
            Follower(self._watching, back=None),
            Follower(self._watching, "named", back=None),
        ]
        self._seen: list[list[Event]] = [[], []]
        self._notifications: list[UUID] = [uuid4()]
        self._messages = ["unheard of"]

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self._url, autocommit=True)
        connection.execute("set lock_timeout = '10ms'")
        return connection

    def _run(self, number: int, statement: str, *parameters: object) -> list[Any]:
        """Run a statement on a connection; without an effect if it is refused or would wait."""
        connection = self._connections[number]
        try:
            cursor = connection.execute(statement.encode(), parameters)
            return [row[0] for row in cursor] if cursor.description else []
        except (Refused, psycopg.errors.LockNotAvailable):
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute("rollback")
            return []

    def _pick(self, numbers: Sequence[int]) -> list[UUID]:
        return [self._notifications[-1 - n % len(self._notifications)] for n in numbers]

    def _epoch(self, account: str, *, fresh: bool) -> int:
        row = self._watching.execute(
            "select epoch from outbox.lease where account = %s", (account,)
        ).fetchone()
        return (row[0] if row else 0) - (0 if fresh else 1)

    # Transactions.

    @rule(number=on)
    def begin(self, number: int) -> None:
        """Leave a transaction open from here on, if none is."""
        status = self._connections[number].info.transaction_status
        if status == psycopg.pq.TransactionStatus.IDLE:
            self._run(number, "begin")

    @rule(number=on, keep=st.booleans() | st.just(value=True))
    def end(self, number: int, *, keep: bool) -> None:
        """End a transaction, if one is open."""
        status = self._connections[number].info.transaction_status
        if status != psycopg.pq.TransactionStatus.IDLE:
            self._run(number, "commit" if keep else "rollback")

    @rule(number=on)
    def commit(self, number: int) -> None:
        """Commit, so that more is than is taken back."""
        self.end(number, keep=True)

    # Callers.

    @initialize(given=st.lists(options, min_size=6, max_size=9))
    def begin_with_some(self, given: list[dict[str, Any]]) -> None:
        """There are owners, and something to do."""
        for account in ACCOUNTS:
            self.acquire(0, account, 60)
            self.transition(0, account, "connected", fresh=True, pause=None)
        for one in given:
            self.enqueue(0, "a", one)

    @rule(number=on, account=accounts, given=options)
    def enqueue(self, number: int, account: str, given: dict[str, Any]) -> None:
        """Enqueue one."""
        names = ", ".join(f"{name} => %s" for name in given)
        content = '{"kind": "text", "text": "hello"}'
        self._notifications += self._run(
            number,
            f"select outbox.enqueue(content => %s, account => %s, {names})",
            content,
            account,
            *given.values(),
        )

    @rule(number=on, account=accounts, given=st.lists(options, min_size=2, max_size=5))
    def enqueue_batch(self, number: int, account: str, given: list[dict[str, Any]]) -> None:
        """Enqueue several in one statement."""
        batch = [{"content": {"kind": "text", "text": "hi"}, **one} for one in given]
        self._notifications += self._run(
            number, "select id from outbox.enqueue_batch(%s, %s)", json.dumps(batch), account
        )

    @rule(number=on, account=accounts, given=options)
    def enqueue_in_vain(self, number: int, account: str, given: dict[str, Any]) -> None:
        """Enqueue in a savepoint that is rolled back, within a transaction that goes on."""
        self.begin(number)
        self._run(number, "savepoint here")
        self.enqueue(number, account, given)
        status = self._connections[number].info.transaction_status
        if status == psycopg.pq.TransactionStatus.INTRANS:
            self._run(number, "rollback to here")

    @rule(number=on, one=which, verb=st.sampled_from(["cancel", "requeue"]))
    def decide(self, number: int, one: int, verb: str) -> None:
        """Cancel or requeue one."""
        self._run(number, f"select outbox.{verb}(%s)", *self._pick([one]))

    # Leases and connections.

    @rule(number=on, account=accounts, seconds=st.sampled_from([0, 60, 60]))
    def acquire(self, number: int, account: str, seconds: int) -> None:
        """Take a lease, if it is to be had."""
        duration = timedelta(seconds=seconds)
        self._run(number, "select outbox.acquire_lease(%s, %s, %s)", account, uuid4(), duration)

    @rule(number=on, account=accounts, fresh=fresh, verb=st.sampled_from(["release", "renew"]))
    def keep_or_release(self, number: int, account: str, verb: str, *, fresh: bool) -> None:
        """Renew a lease, or give it back."""
        epoch = self._epoch(account, fresh=fresh)
        if verb == "release":
            self._run(number, "select outbox.release_lease(%s, %s)", account, epoch)
        else:
            self._run(number, "select outbox.renew_lease(%s, %s, '1 minute')", account, epoch)

    @rule(number=on, account=accounts)
    def take_over(self, number: int, account: str) -> None:
        """Take a lease from whoever has it, for pairing."""
        self._run(
            number,
            "select outbox.acquire_lease(%s, %s, '1 minute', %s, true)",
            account,
            uuid4(),
            '{"ffmpeg": false}',
        )

    @rule(number=on, account=accounts)
    def lapse(self, number: int, account: str) -> None:
        """Let a lease run out and rescue it, and a new owner take it."""
        past = "update outbox.lease set until = '-infinity' where account = %s"
        self._run(number, past, account)
        self._run(number, "select outbox.rescue_leases()")
        self.acquire(number, account, 60)

    @rule(
        number=on,
        account=accounts,
        type_=st.sampled_from(TRANSITIONS),
        fresh=fresh,
        pause=st.none() | st.just(timedelta(hours=1)),
    )
    def transition(
        self, number: int, account: str, type_: str, *, fresh: bool, pause: timedelta | None
    ) -> None:
        """Record what happened to a connection."""
        epoch = self._epoch(account, fresh=fresh)
        self._run(
            number,
            "select outbox.record_transition(%s, %s, %s, 'why', %s)",
            account,
            epoch,
            type_,
            pause,
        )

    @rule(number=on, account=accounts)
    def resume(self, number: int, account: str) -> None:
        """Let a connection be built again."""
        self._run(number, "select outbox.resume(%s)", account)

    # Delivery.

    @rule(number=on, name=st.sampled_from(sorted(PACES)))
    def set_pace(self, number: int, name: str) -> None:
        """Give paced sessions another policy."""
        self._run(
            number,
            "update outbox.policy set pace = %s, burst = %s, strangers_a_day = %s",
            *PACES[name],
        )

    @rule(number=on, account=accounts)
    def let_time_pass(self, number: int, account: str) -> None:
        """Let a throttle be over, which an event's moment says and nothing else."""
        self._run(
            number,
            "insert into outbox.event (account, stream, version, type, data)"
            " select account, stream, version + 1, 'throttled', '{\"throttles\": 0}'"
            " from outbox.connection where account = %s",
            account,
        )

    def _work(
        self, number: int, account: str, outcomes: list[str], starts: int, *, paced: bool
    ) -> None:
        """Do what an owner does: record outcomes of what is out, start what is pending."""
        ids = "select id from outbox.notification where account = %s and state = any (%s)"
        out = self._run(number, ids, account, ["sending", "unknown"])
        pending = self._run(number, ids, account, ["pending"])
        places = {one: nth for nth, one in enumerate(reversed(self._notifications))}
        results = [(places[o], t) for o, t in zip(out, outcomes, strict=False) if o in places]
        waiting = [places[one] for one in pending if one in places][:starts]
        self.exchange(number, account, results, waiting, fresh=True, earlier=False, paced=paced)

    @rule(
        number=on,
        account=accounts,
        outcomes=outcomes,
        starts=st.integers(0, 6),
        paced=st.booleans(),
    )
    def work(
        self, number: int, account: str, outcomes: list[str], starts: int, *, paced: bool
    ) -> None:
        """Do what an owner does most of the time."""
        self._work(number, account, outcomes, starts, paced=paced)

    @rule(rounds=st.lists(outcomes, min_size=1, max_size=3), paced=st.booleans())
    def work_at_once(self, rounds: list[list[str]], *, paced: bool) -> None:
        """Do it all on one connection, and commit: what is pending is sent or not."""
        self.end(0, keep=True)
        for outcomes in rounds:
            for account in ACCOUNTS:
                self._work(0, account, [], 6, paced=paced)
                self._work(0, account, outcomes, 0, paced=paced)

    @rule(
        number=on,
        account=accounts,
        fresh=fresh,
        outcomes=st.lists(st.tuples(which, st.sampled_from(OUTCOMES)), max_size=4),
        starts=st.lists(which, max_size=4),
        earlier=st.booleans(),
        paced=st.booleans(),
    )
    def exchange(
        self,
        number: int,
        account: str,
        outcomes: list[tuple[int, str]],
        starts: list[int],
        *,
        fresh: bool,
        earlier: bool,
        paced: bool,
    ) -> None:
        """Record outcomes, of the latest attempt or the one before, and start attempts."""
        results = []
        for notification, (_, type_) in zip(
            self._pick([one for one, _ in outcomes]), outcomes, strict=True
        ):
            attempts = self._run(
                number, "select attempts from outbox.notification where id = %s", notification
            )
            attempt = (attempts or [1])[0] - (1 if earlier else 0)
            message = f"{notification.hex}.{attempt}" if type_ in ("sent", "unknown") else None
            self._messages += [message] if message else []
            results.append(
                {
                    "notification": str(notification),
                    "attempt": attempt,
                    "type": type_,
                    "message_id": message,
                    "error": None if type_ == "sent" else "oops",
                    "registered": {"sent": True, "rejected": False}.get(type_) if paced else None,
                }
            )
        if len({result["notification"] for result in results}) < len(results):
            return  # an owner records one outcome of a notification at a time
        self._run(
            number,
            "select notification from outbox.exchange(%s, %s, %s, %s, %s)",
            account,
            self._epoch(account, fresh=fresh),
            json.dumps(results),
            self._pick(starts),
            paced,
        )

    @rule(
        number=on,
        account=accounts,
        fresh=fresh,
        receipts=st.lists(
            st.tuples(which, st.sampled_from(["delivered", "read", "played"])),
            min_size=1,
            max_size=5,
        ),
    )
    def receive(
        self, number: int, account: str, receipts: list[tuple[int, str]], *, fresh: bool
    ) -> None:
        """Record receipts, doubled and unknown ones among them."""
        given = [
            {"message_id": self._messages[-1 - n % len(self._messages)], "type": type_}
            for n, type_ in receipts
        ]
        self._run(
            number,
            "select notification from outbox.record_receipts(%s, %s, %s)",
            account,
            self._epoch(account, fresh=fresh),
            json.dumps(given),
        )

    @rule(number=on, account=accounts, fresh=fresh)
    def settle(self, number: int, account: str, *, fresh: bool) -> None:
        """Let the policy settle what no evidence has."""
        epoch = self._epoch(account, fresh=fresh)
        self._run(number, "select outbox.settle_unconfirmed(%s, %s)", account, epoch)

    @rule(number=on, limit=st.integers(1, 3))
    def expire(self, number: int, limit: int) -> None:
        """End what is late."""
        self._run(number, "select outbox.expire(%s)", limit)

    # Followers.

    @rule(follower=st.integers(0, 1), limit=st.integers(1, 20), keep=st.booleans())
    def follow(self, follower: int, limit: int, *, keep: bool) -> None:
        """Read the log on, and now and then fail over what was read."""
        try:
            with self._followers[follower].read(limit) as events:
                if not keep:
                    raise ZeroDivisionError  # noqa: TRY301 - the block is what fails
                self._seen[follower] += events
        except ZeroDivisionError:
            pass

    # The end.

    def teardown(self) -> None:
        """Hold what has become of it all against the rules, and leave no database behind."""
        try:
            for number in range(CONNECTIONS):
                self.end(number, keep=number != 0)
            self._judge()
        finally:
            for connection in [*self._connections, self._watching]:
                connection.close()
            self._database.__exit__(None, None, None)

    def _judge(self) -> None:
        with scratch(self._watching) as schema:
            assert list(differences(self._watching, schema)) == []
        assert self._rebuilt_in_another_order() == []
        events = list(Follower(self._watching, back=None).take(1_000_000).events)
        for follower, seen in zip(self._followers, self._seen, strict=True):
            while True:
                batch = follower.take(7)
                follower.move(batch)
                seen.extend(batch.events)
                if batch.complete:
                    break
            positions = [event.position for event in seen]
            assert sorted(positions) == [event.position for event in events]
            assert broken_rules(seen) == []
        assert broken_rules(events) == []
        assert self._broken_projections() == []

    def _rebuilt_in_another_order(self) -> list[Any]:
        """Project all events in a random order that keeps each stream's, in random batches."""
        chance = random.Random(len(self._notifications))  # noqa: S311 - no secret
        streams: dict[UUID, list[int]] = defaultdict(list)
        rows = self._watching.execute("select stream, position from outbox.event order by position")
        for stream, position in rows:
            streams[stream].append(position)
        waiting = [positions[::-1] for positions in streams.values()]
        with self._watching.transaction(force_rollback=True):
            self._watching.execute("select outbox.begin_replay('shuffled')")
            while waiting:
                batch: list[int] = []
                for _ in range(chance.randint(1, 9)):
                    if waiting:
                        stream_positions = chance.choice(waiting)
                        batch.append(stream_positions.pop())
                        waiting = [positions for positions in waiting if positions]
                self._watching.execute(
                    sql.SQL(
                        "insert into shuffled.event select e.* from outbox.event e"
                        " join unnest(%s::bigint[]) with ordinality as o (position, nth)"
                        " using (position) order by o.nth"
                    ),
                    (batch,),
                )
            return self._watching.execute(
                "select * from outbox.replay_differences('shuffled')"
            ).fetchall()

    def _broken_projections(self) -> list[Any]:
        """Return what the projections say and the log does not, counted in another way."""
        return self._watching.execute(_BROKEN_PROJECTIONS).fetchall()


_BROKEN_PROJECTIONS = """
    with told as (
      select e.stream, max(e.version) as version, count(*) as events,
             count(*) filter (where e.type = 'attempt_started') as attempts,
             count(*) filter (where e.type = 'attempt_failed'
                              and e.data->>'class' not in ('not_sent', 'throttled')
                              and e.version > coalesce(r.version, 0)) as failures
      from outbox.event e
      left join lateral (select max(version) as version from outbox.event r
                         where r.stream = e.stream and r.type = 'requeued') r on true
      group by e.stream
    )
    select 'notification', n.id::text, to_jsonb(n), to_jsonb(t)
    from outbox.notification n left join told t on t.stream = n.id
    where (n.version, n.version, n.attempts, n.failures)
          is distinct from (t.version, t.events, t.attempts, t.failures)
       or n.failures > n.max_attempts or n.failures > n.attempts
       or (n.state = 'exhausted') <> (n.failures >= n.max_attempts and not n.open
           and n.state not in ('sent', 'delivered', 'read', 'played', 'rejected'))
          and n.state not in ('cancelled', 'expired')
       or n.sent_at is null and n.state in ('sent', 'delivered', 'read', 'played')
    union all
    select 'in flight of nobody', n.id::text, to_jsonb(n), null
    from outbox.notification n join outbox.lease l using (account)
    where n.state = 'sending' and l.owner is null
    union all
    select 'recipient', r.recipient::text, to_jsonb(r), to_jsonb(t)
    from outbox.recipient r cross join lateral (
      select count(*) filter (where e.type = 'attempt_failed' and e.data->>'class' = 'transient')
               as failed_attempts,
             min(e.recorded_at) filter (where e.type = 'sent') as first_sent_at
      from outbox.event e join outbox.notification n on n.id = e.stream
      where n.account = r.account and n.recipient = r.recipient) t
    where (r.failed_attempts, r.first_sent_at)
          is distinct from (t.failed_attempts, t.first_sent_at)
    union all
    select 'approached', n.id::text, to_jsonb(n), to_jsonb(e)
    from outbox.notification n
    left join lateral (select * from outbox.event e where e.stream = n.id
                       and e.type = 'attempt_started' order by e.version desc limit 1) e on true
    where n.approaching
          <> (n.state in ('sending', 'unknown') and coalesce(e.data ? 'stranger', false))
    union all
    select 'bucket', c.account, to_jsonb(c), to_jsonb(e)
    from outbox.connection c cross join lateral (
      select max((e.data->>'bucket_full_at')::timestamptz) as full_at
      from outbox.event e where e.account = c.account and e.type = 'attempt_started') e
    where c.bucket_full_at is distinct from e.full_at
    union all
    select 'lease', l.account, to_jsonb(l), to_jsonb(c)
    from outbox.lease l left join outbox.connection c using (account)
    where l.epoch <> coalesce(c.epoch, 0)
"""
