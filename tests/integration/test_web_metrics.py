"""GET /metrics: what Prometheus scrapes, and what it costs."""

from collections.abc import Iterator

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from outbox.log.follow import Follower
from outbox.log.followers import Lag, lags
from tests.cli_runner import Session, enqueue
from tests.web_api import Api, wrong


class Scrape:
    """What one scrape says."""

    def __init__(self, api: Api) -> None:
        answer = api.ask("GET", "/metrics", scope="read")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.text = answer.text
        self.families = {one.name: one for one in text_string_to_metric_families(answer.text)}

    def value(self, name: str, account: str | None = "main", **labels: str) -> float | None:
        """Return the value of a sample, or None if there is none."""
        wanted = labels | ({"account": account} if account else {})
        found = [
            sample.value
            for family in self.families.values()
            for sample in family.samples
            if sample.name == name and sample.labels == wanted
        ]
        return found[0] if found else None


def _feed(api: Api, connection: psycopg.Connection) -> Iterator[None]:
    """Tell the API's listeners what the log gains, step by step."""
    follower = Follower(connection)
    while True:
        batch = follower.take()
        follower.move(batch)
        api.service.feed._tell(batch.events)
        yield


def test_whoever_has_no_token_learns_nothing(api: Api) -> None:
    """As everywhere in the API: a bearer with the scope `read`."""
    wrong(api.ask("GET", "/metrics", scope=None), 401, "no_token")
    wrong(api.ask("GET", "/metrics", scope="enqueue"), 403, "missing_scope")


def test_an_outbox_without_accounts_is_scraped(api: Api) -> None:
    """There is something to say of the process, the log and the pool."""
    scrape = Scrape(api)
    assert scrape.value("outbox_pool_connections_max", None) == 4
    assert scrape.value("process_start_time_seconds", None)
    assert scrape.value("outbox_log_partitions_until_timestamp_seconds", None)


def test_the_queue_is_told_as_it_stands(api: Api, connection: psycopg.Connection) -> None:
    """Its depth by state, its age by the database's clock, its dead letters."""
    session = Session(connection)
    waiting, unknown, rejected, sent = (enqueue(connection) for _ in range(4))
    enqueue(connection, send_at="2126-01-01")
    held = enqueue(connection, on_unknown="hold")
    session.end("sent", sent)
    session.end("rejected", rejected, error="not on WhatsApp")
    session.end("unknown", unknown, held, error="no acknowledgement")
    scrape = Scrape(api)
    assert scrape.value("outbox_open_notifications", state="pending") == 2
    assert scrape.value("outbox_open_notifications", state="sending") == 0
    assert scrape.value("outbox_open_notifications", state="unknown") == 2
    assert scrape.value("outbox_held_notifications") == 1
    assert scrape.value("outbox_due_notifications") == 1
    assert scrape.value("outbox_dead_letters", state="rejected") == 1
    assert scrape.value("outbox_dead_letters", state="exhausted") == 0
    row = connection.execute(
        "select extract(epoch from clock_timestamp() - due_at)::float8"
        " from outbox.notification where id = %s",
        (waiting,),
    ).fetchone()
    assert row is not None
    overdue, oldest = scrape.value("outbox_overdue_seconds"), scrape.value("outbox_oldest_seconds")
    assert overdue is not None
    assert oldest is not None
    assert 0 < overdue <= row[0]
    assert oldest >= overdue


def test_an_empty_queue_has_no_age(api: Api, connection: psycopg.Connection) -> None:
    """0, and not nothing: an alert compares it."""
    session = Session(connection)
    session.end("sent", enqueue(connection))
    scrape = Scrape(api)
    assert scrape.value("outbox_oldest_seconds") == 0
    assert scrape.value("outbox_overdue_seconds") == 0


def test_what_is_scheduled_is_not_overdue(api: Api, connection: psycopg.Connection) -> None:
    """It waits as it was told to, however long ago it was enqueued."""
    enqueue(connection, send_at="2126-01-01")
    scrape = Scrape(api)
    assert scrape.value("outbox_overdue_seconds") == 0
    assert scrape.value("outbox_oldest_seconds")


def test_the_connection_is_in_one_state(api: Api, connection: psycopg.Connection) -> None:
    """1 for that one and 0 for all others; the epoch grows with the owner."""
    session = Session(connection)
    session.transition("connecting")
    session.transition("connected")
    scrape = Scrape(api)
    states = {
        sample.labels["state"]: sample.value
        for sample in scrape.families["outbox_connection_state"].samples
    }
    assert states.pop("connected") == 1
    assert set(states.values()) == {0}
    assert scrape.value("outbox_epoch") == session.epoch
    assert scrape.value("outbox_owned") == 1


def test_every_state_of_a_connection_is_known(api: Api, connection: psycopg.Connection) -> None:
    """Each type of event leads to a state that has a sample before it is reached."""
    enqueue(connection)
    Session(connection)
    scrape = Scrape(api)
    known = {one.labels["state"] for one in scrape.families["outbox_connection_state"].samples}
    reached = connection.execute(
        "select distinct outbox.next_connection_state('free', type)"
        " from unnest(outbox.connection_types()) type"
    ).fetchall()
    assert known == {state for (state,) in reached}


def test_what_happens_is_counted_from_the_log(api: Api, connection: psycopg.Connection) -> None:
    """Through the feed that the process follows; accounts that are known begin at 0."""
    told = _feed(api, connection)
    next(told)
    session = Session(connection)
    assert Scrape(api).value("outbox_attempts_total", outcome="sent") == 0
    session.end("sent", enqueue(connection), enqueue(connection))
    session.end("failed", enqueue(connection), error="error 503")
    next(told)
    scrape = Scrape(api)
    assert scrape.value("outbox_notifications_total", type="enqueued") == 3
    assert scrape.value("outbox_attempts_total", outcome="sent") == 2
    assert scrape.value("outbox_attempts_total", outcome="failed") == 1
    assert scrape.value("outbox_connection_events_total", type="lease_acquired") == 1
    assert scrape.value("outbox_acknowledgement_seconds_count") == 2
    next(told)
    assert Scrape(api).value("outbox_attempts_total", outcome="sent") == 2


def test_nobody_is_named(api: Api, connection: psycopg.Connection) -> None:
    """No number, no JID, no id of a notification or of a message, no body, no error."""
    told = _feed(api, connection)
    next(told)
    session = Session(connection)
    sent, failed = enqueue(connection), enqueue(connection, "+447700900124")
    session.end("sent", sent)
    session.end("failed", failed, error="447700900124@s.whatsapp.net is busy")
    next(told)
    text = Scrape(api).text
    for secret in ("447700", "whatsapp.net", str(sent), str(failed), "3EB0", "hello", "busy"):
        assert secret not in text


def test_a_follower_is_behind_until_it_has_read(connection: psycopg.Connection) -> None:
    """By the positions since the first event that it lacks; by 0 once it has it all."""
    enqueue(connection)
    follower = Follower(connection, "webhooks")
    assert lags(connection) == [Lag("webhooks", 0, 0)]
    for _ in range(3):
        enqueue(connection)
    (lag,) = lags(connection)
    assert lag.positions == 3
    assert lag.seconds > 0
    follower.move(follower.take(limit=2))
    (lag,) = lags(connection)
    assert lag.positions == 1
    follower.move(follower.take())
    follower.move(follower.take())
    assert lags(connection) == [Lag("webhooks", 0, 0)]


def test_a_follower_is_behind_a_transaction_that_began_before(
    connection: psycopg.Connection, database_url: str
) -> None:
    """What ran while it read and committed later is not seen yet."""
    with psycopg.connect(database_url) as slow:
        enqueue(slow, "+447700900199")
        follower = Follower(connection, "webhooks")
        enqueue(connection)
        follower.move(follower.take())
        assert lags(connection) == [Lag("webhooks", 0, 0)]
        slow.commit()
    (lag,) = lags(connection)
    assert lag.positions == 2
    follower.move(follower.take())
    assert lags(connection) == [Lag("webhooks", 0, 0)]


def test_a_follower_from_the_beginning_is_behind_by_all(connection: psycopg.Connection) -> None:
    """However it goes towards the end."""
    for _ in range(5):
        enqueue(connection)
    follower = Follower(connection, "exports", back=None)
    assert [lag.positions for lag in lags(connection)] == [5]
    follower.move(follower.take(limit=2))
    assert [lag.positions for lag in lags(connection)] == [3]
    for _ in range(3):
        follower.move(follower.take())
    assert [lag.positions for lag in lags(connection)] == [0]
