"""How things stand when Prometheus asks: read from the database, on one connection of the pool.

Nothing here grows with what has been sent: the queue and the dead letters are read by their partial
indexes, a follower's lag by one look-up (measured in docs/architecture.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from outbox.log.followers import lags
from outbox.log.notifications import DEAD
from outbox.log.overview import overview
from outbox.words.wording import CONNECTION_STYLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from prometheus_client import Metric

    from outbox.log.followers import Lag
    from outbox.log.overview import Account, Overview
    from outbox.log.pool import Pool


class Gauges(Collector):
    """Reads the state of everything at each scrape.

    Args:
        pool: The connections of the process.
        expect: Is told the accounts that there are, before anything is collected.
    """

    def __init__(self, pool: Pool, expect: Callable[[Iterable[str]], None]) -> None:
        self._pool = pool
        self._expect = expect

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics.

        Raises:
            psycopg.OperationalError: The database is not to be had.
        """
        with self._pool.connection() as connection:
            found, behind = overview(connection), lags(connection)
        self._expect(one.account for one in found.accounts)
        yield from _queues(found)
        yield from _connections(found.accounts)
        yield from _log(found, behind)
        yield from _pool(self._pool.get_stats())


def _queues(found: Overview) -> Iterator[Metric]:
    now, accounts = found.database.now, found.accounts
    depth = _gauge("outbox_open_notifications", "Notifications that have not ended.", "state")
    dead = _gauge("outbox_dead_letters", "Notifications that ended without success.", "state")
    due = _gauge("outbox_due_notifications", "Pending ones that could be sent now.")
    held = _gauge("outbox_held_notifications", "Unknown ones that wait for an operator.")
    oldest = _gauge("outbox_oldest_seconds", "Since the oldest open one was enqueued; 0 if none.")
    overdue = _gauge(
        "outbox_overdue_seconds", "Since when one has been due and no attempt began; 0 if none is."
    )
    waiting = _gauge("outbox_waiting_recipients", "Recipients who wait for a retry.")
    last_sent = _gauge(
        "outbox_last_sent_timestamp_seconds", "When something was last sent, if not long ago."
    )
    for one in accounts:
        for state, number in (
            ("pending", one.pending),
            ("sending", one.sending),
            ("unknown", one.unknown),
        ):
            depth.add_metric((one.account, state), number)
        for state in DEAD:
            dead.add_metric((one.account, state), one.dead.get(state, 0))
        due.add_metric((one.account,), one.due)
        held.add_metric((one.account,), one.held)
        oldest.add_metric((one.account,), _age(one.oldest, now))
        overdue.add_metric((one.account,), _age(one.oldest_due_at, now))
        waiting.add_metric((one.account,), one.waiting_recipients)
        if one.last_sent_at is not None:
            last_sent.add_metric((one.account,), one.last_sent_at.timestamp())
    return iter((depth, dead, due, held, oldest, overdue, waiting, last_sent))


def _connections(accounts: list[Account]) -> Iterator[Metric]:
    states = _gauge("outbox_connection_state", "1 for the state of the connection.", "state")
    epoch = _gauge("outbox_epoch", "Grows with each change of the account's owner.")
    owned = _gauge("outbox_owned", "1 while a worker holds the account's lease.")
    failures = _gauge("outbox_connection_failures", "Connections in a row that ended or failed.")
    for one in accounts:
        for state in dict.fromkeys((*CONNECTION_STYLES, one.state)):
            states.add_metric((one.account, state), state == one.state)
        epoch.add_metric((one.account,), one.epoch)
        owned.add_metric((one.account,), one.owned)
        failures.add_metric((one.account,), one.failures)
    return iter((states, epoch, owned, failures))


def _log(found: Overview, behind: list[Lag]) -> Iterator[Metric]:
    positions = GaugeMetricFamily(
        "outbox_follower_lag_positions",
        "Positions given out since the first event that a follower has not seen; an upper bound.",
        labels=("consumer",),
    )
    seconds = GaugeMetricFamily(
        "outbox_follower_lag_seconds",
        "Age of the first event that a follower has not seen; 0 if there is none.",
        labels=("consumer",),
    )
    for one in behind:
        positions.add_metric((one.consumer,), one.positions)
        seconds.add_metric((one.consumer,), one.seconds)
    yield positions
    yield seconds
    if found.database.partitions_until is not None:
        yield GaugeMetricFamily(
            "outbox_log_partitions_until_timestamp_seconds",
            "Events later than this have no partition yet.",
            found.database.partitions_until.timestamp(),
        )


def _pool(stats: dict[str, int]) -> Iterator[Metric]:
    """Yield what the pool says of itself; it leaves out what has never happened."""
    connections = GaugeMetricFamily(
        "outbox_pool_connections", "Connections of this process's pool.", labels=("state",)
    )
    idle = stats.get("pool_available", 0)
    connections.add_metric(("idle",), idle)
    connections.add_metric(("used",), stats.get("pool_size", 0) - idle)
    yield connections
    yield GaugeMetricFamily(
        "outbox_pool_connections_max", "How many there may be.", stats.get("pool_max", 0)
    )
    yield GaugeMetricFamily(
        "outbox_pool_waiting", "Requests that wait for one.", stats.get("requests_waiting", 0)
    )
    for name, words, value in (
        ("requests", "Times that one was asked for.", stats.get("requests_num", 0)),
        ("refusals", "Times that none was to be had in time.", stats.get("requests_errors", 0)),
        ("wait_seconds", "Spent waiting for one.", stats.get("requests_wait_ms", 0) / 1000),
        ("lost", "Connections that were lost.", stats.get("connections_lost", 0)),
    ):
        yield CounterMetricFamily(f"outbox_pool_{name}", words, value)


def _gauge(name: str, words: str, *more: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, labels=("account", *more))


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else (now - since).total_seconds()
