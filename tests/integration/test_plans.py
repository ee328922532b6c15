"""What an owner and a scrape read stays cheap however long the history is."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from outbox.log.database import query
from tests.databases import database

FINISHED = 20_000
QUERIES: dict[str, dict[str, Any]] = {
    "followers": {},
    "arrivals": {"seen": "", "restored_through": 0},
    "queue_page": {"priority": 32_768, "position": 0, "limit": 1_000},
    "queue_ripe": {"since": 0.0},
    "queue_waiting": {},
    "status_accounts": {},
    "stranded": {"known": []},
    "unsettled": {},
}
_LIFE = """
insert into outbox.event (account, stream, version, type, data)
select 'main', n.id, e.version, e.type, e.data
from (select outbox.uuid7() as id from generate_series(1, %s)) n, lateral (values
    (1, 'enqueued', jsonb_build_object(
        'recipient', gen_random_uuid(), 'content', '00', 'priority', 0,
        'expires_at', now() + interval '1 day', 'max_attempts', 10, 'on_unknown', 'resend')),
    (2, 'attempt_started', '{"attempt": 1}'::jsonb),
    (3, 'sent', jsonb_build_object('attempt', 1, 'message_id', n.id))
) e (version, type, data)
"""
_REACHED = """
insert into outbox.recipient (account, recipient, first_sent_at, position)
select 'main', gen_random_uuid(), now() - n * interval '1 hour', 0
from generate_series(%s, 1, -1) n
"""


@pytest.fixture(scope="module")
def long_history(server_url: str, template: str) -> Iterator[psycopg.Connection]:
    """A database whose statistics know of many notifications that have been sent."""
    with (
        database(server_url, "plans", template) as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        connection.execute(_LIFE, (FINISHED,))
        connection.execute(_REACHED, (FINISHED,))
        connection.execute("analyze")
        yield connection


@pytest.mark.parametrize("name", QUERIES)
def test_nothing_reads_the_whole_history(long_history: psycopg.Connection, name: str) -> None:
    """These queries reach notifications and events by index, whatever the statistics say."""
    snapshot = long_history.execute("select pg_current_snapshot()::text").fetchone()
    parameters: dict[str, Any] = {"account": "main", **QUERIES[name]}
    if "seen" in parameters:
        assert snapshot is not None
        parameters["seen"] = snapshot[0]
    row = long_history.execute(f"explain (format json) {query(name)}", parameters).fetchone()
    assert row is not None
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    scanned = {
        node["Relation Name"]: node["Plan Rows"]
        for node in _nodes(plan[0]["Plan"])
        if node["Node Type"].endswith("Seq Scan")
    }
    assert "notification" not in scanned
    assert all(rows < FINISHED / 100 for rows in scanned.values()), scanned


def test_whom_an_account_has_reached_of_late_is_found_by_index(
    long_history: psycopg.Connection,
) -> None:
    """A gate reads the first contacts of a day, not of all years."""
    row = long_history.execute(
        "explain (format json) select * from outbox.first_contacts('main')"
    ).fetchone()
    assert row is not None
    nodes = list(_nodes(row[0][0]["Plan"]))
    assert {node["Index Name"] for node in nodes if "Index Name" in node} == {
        "recipient_first_sent",
        "notification_approaching",
    }
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan"]
    found = long_history.execute("select count(*) from outbox.first_contacts('main')").fetchone()
    assert found == (23,)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
