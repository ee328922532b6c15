"""PgBouncer in transaction mode before the database: the web part and the worker, by polling."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.deployment.bouncer import PROGRAM, bouncer
from tests.deployment.conftest import Client, Start
from tests.running import PATIENCE, until

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Debian's package pgbouncer is missing")

HELLO = {"recipient": "+447700900123", "text": "hello"}


@pytest.fixture
def pooled(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the test's database through the pooler."""
    with bouncer(database_url, tmp_path_factory.mktemp("bouncer")) as url:
        yield url


def test_transactions_of_one_connection_come_upon_several(pooled: str) -> None:
    """So what is prepared in one is not there in the next: the pooler of these tests is real."""
    with psycopg.connect(pooled, autocommit=True) as one, psycopg.connect(pooled) as other:
        first = one.execute("select pg_backend_pid()").fetchone()
        held = other.execute("select pg_backend_pid()").fetchone()
        assert first == held
        assert one.execute("select pg_backend_pid()").fetchone() != held


def test_web_and_worker_through_the_pooler(
    start: Start, client: Client, pooled: str, connection: psycopg.Connection
) -> None:
    """Requests at the same time, waiting, lists; and the worker finds by polling what is new."""
    group = start(
        *("run", "--port", "0", "--database-url", pooled),
        OUTBOX_POOLED="true",
        OUTBOX_POLL_SECONDS="0.3",
        OUTBOX_SESSION="simulated:",
    )
    asking = client(group)
    assert asking.get("/readyz").json()["status"] == "ready"

    def enqueue(number: int) -> tuple[int, str]:
        given = {"recipient": f"+44770090{number:04d}", "text": f"order {number}"}
        answer = asking.post("/v1/notifications", json=given)
        return answer.status_code, answer.json()["id"]

    with ThreadPoolExecutor(16) as pool:
        accepted = list(pool.map(enqueue, range(200)))
    assert {status for status, _ in accepted} == {202}
    batch = asking.post("/v1/notifications", json=[HELLO] * 10)
    assert batch.status_code == 202
    answer = asking.post("/v1/notifications", json=HELLO, params={"wait": 20})
    assert answer.json()["state"] in {"sent", "delivered"}, answer.text
    until(
        lambda: (
            connection.execute(
                "select not exists (select from outbox.notification where open)"
            ).fetchone()
            == (True,)
        ),
        "everything is sent",
    )
    shown = asking.get(f"/v1/notifications/{accepted[0][1]}").json()
    assert shown["state"] in {"sent", "delivered"}
    connected = connection.execute(
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and application_name like 'outbox%'"
    ).fetchone()
    assert connected is not None
    assert 1 <= connected[0] <= 2, "nobody has gone past the pooler"
    group.process.send_signal(signal.SIGTERM)
    assert group.process.wait(PATIENCE) == 0, group.said
    for trouble in ("Traceback", "level=error", "prepared statement", "interrupted"):
        assert trouble not in group.said
    assert connection.execute("select owner from outbox.lease").fetchall() == [(None,)]


def test_the_worker_is_told_past_the_pooler(
    start: Start, client: Client, pooled: str, database_url: str, connection: psycopg.Connection
) -> None:
    """OUTBOX_LISTEN_URL leads there: a poll a minute is not what finds the notification."""
    group = start(
        *("run", "--port", "0", "--database-url", pooled),
        OUTBOX_POOLED="true",
        OUTBOX_LISTEN_URL=database_url,
        OUTBOX_POLL_SECONDS="600",
        OUTBOX_SESSION="simulated:",
    )
    asking = client(group)
    until(
        lambda: connection.execute("select wake from outbox.lease").fetchone() == (True,),
        "the owner is parked",
    )
    answer = asking.post("/v1/notifications", json=HELLO, params={"wait": 20})
    assert answer.json()["state"] in {"sent", "delivered"}, answer.text
