"""The suppression list: who does not want to be written to is not."""

import json
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from outbox.errors import InvalidOption, Suppressed, UnknownRecipient, WrongState
from outbox.log import forgetting, replay, requeue, suppression, webhooks
from outbox.log.follow import Follower
from outbox.log.store import SCHEMA
from outbox.webhooks import envelope
from tests.account import HELLO, Account
from tests.cli_runner import run
from tests.web_api import Api, wrong
from tests.whatsapp.device import create_store

ANN, BEN = "+447700900001", "+447700900002"


def enqueue_one(connection: psycopg.Connection, account: str) -> None:
    """Enqueue by the function for one."""
    connection.execute(
        "select outbox.enqueue(%s, %s::jsonb, %s)", (ANN, json.dumps(HELLO), account)
    )


def enqueue_batch(connection: psycopg.Connection, account: str) -> None:
    """Enqueue by the function for many, as the second of two."""
    given = [{"recipient": one, "content": HELLO} for one in (BEN, ANN)]
    connection.execute("select outbox.enqueue_batch(%s, %s)", (json.dumps(given), account))


@pytest.mark.parametrize(
    ("way", "shown"),
    [(enqueue_one, "wrote STOP"), (enqueue_batch, "number 2 of the batch: wrote STOP")],
)
def test_an_enqueue_is_refused_with_the_reason(
    connection: psycopg.Connection, way: Callable[[psycopg.Connection, str], None], shown: str
) -> None:
    """By every way in, and nothing of it is accepted; lifted, it goes through."""
    assert suppression.suppress(connection, ANN, reason="wrote STOP") == 0
    with pytest.raises(Suppressed) as refused:
        way(connection, "main")
    assert refused.value.rule == "suppressed"
    assert refused.value.message == f"Recipient is suppressed: {shown}"
    assert connection.execute("select count(*) from outbox.notification").fetchone() == (0,)
    assert suppression.unsuppress(connection, ANN) == 1
    way(connection, "main")


@pytest.mark.parametrize("way", [enqueue_one, enqueue_batch])
def test_a_suppression_may_be_of_one_account(
    connection: psycopg.Connection, way: Callable[[psycopg.Connection, str], None]
) -> None:
    """The others may still write."""
    suppression.suppress(connection, ANN, "main")
    way(connection, "other")
    with pytest.raises(Suppressed, match="no reason was given"):
        way(connection, "main")
    assert suppression.unsuppress(connection, ANN, "other") == 0
    assert suppression.unsuppress(connection, ANN, "main") == 1
    way(connection, "main")


def test_what_is_pending_is_cancelled_with_the_reason(connection: psycopg.Connection) -> None:
    """And so is what may have left; other accounts' and what has ended stay."""
    account, other = Account.owned(connection), Account(connection, "other")
    waits, unknown, sent = (account.enqueue(recipient=ANN) for _ in range(3))
    elsewhere, bens = other.enqueue(recipient=ANN), account.enqueue(recipient=BEN)
    account.send(sent, "sent", "A")
    account.send(unknown, "unknown", "B")
    assert suppression.suppress(connection, ANN, "main", "wrote STOP", {"token": "desk"}) == 2
    states = [account.row(one).state for one in (waits, unknown, sent, elsewhere, bens)]
    assert states == ["cancelled", "cancelled", "sent", "pending", "pending"]
    assert account.data(waits, 2) == {"reason": "the recipient is suppressed: wrote STOP"}
    assert suppression.suppress(connection, ANN) == 1
    assert account.row(elsewhere).state == "cancelled"


def test_a_failed_attempt_is_not_repeated(connection: psycopg.Connection) -> None:
    """What was being sent ends; if it failed, its next attempt is not begun but cancelled."""
    account = Account.owned(connection)
    notification, bens = account.enqueue(recipient=ANN), account.enqueue(recipient=BEN)
    assert account.start(notification) == [notification]
    suppression.suppress(connection, ANN, reason="wrote STOP")
    assert account.row(notification).state == "sending"
    account.record(notification, "not_sent")
    assert account.row(notification).state == "pending"
    assert account.start(notification, bens) == [bens]
    assert account.row(notification).state == "cancelled"


def test_a_paced_session_cancels_as_well(connection: psycopg.Connection) -> None:
    """The gate is not asked for whom nothing may be sent to."""
    account = Account.owned(connection)
    notification = account.enqueue(recipient=ANN)
    assert account.start(notification) == [notification]
    suppression.suppress(connection, ANN)
    account.record(notification, "not_sent")
    assert account.start_paced(notification) == []
    assert account.story(notification)[-1] == "cancelled"


def test_what_was_accepted_before_keeps_its_answer(connection: psycopg.Connection) -> None:
    """A request that is repeated with its key gets the id, since nothing new is accepted."""
    account = Account(connection)
    first = account.enqueue(recipient=ANN, idempotency_key="k")
    suppression.suppress(connection, ANN)
    assert account.enqueue(recipient=ANN, idempotency_key="k") == first
    with pytest.raises(Suppressed):
        account.enqueue(recipient=ANN, idempotency_key="l")


def test_nothing_is_requeued(connection: psycopg.Connection) -> None:
    """Neither one by one nor among many."""
    account = Account.owned(connection)
    notification, bens = account.enqueue(recipient=ANN), account.enqueue(recipient=BEN)
    account.cancel(bens)
    suppression.suppress(connection, ANN, reason="wrote STOP")
    with pytest.raises(Suppressed, match="wrote STOP"):
        account.requeue(notification)
    choice = requeue.Choice(("cancelled",))
    assert requeue.count(connection, choice) == 1
    assert requeue.requeue(connection, choice) == 1
    assert account.row(bens).state == "pending"
    assert account.row(notification).state == "cancelled"


def test_a_number_and_its_lid_are_one_person(
    connection: psycopg.Connection, database_url: str
) -> None:
    """As far as whatsmeow knows that they are."""
    create_store(database_url, SCHEMA)
    connection.execute(
        "insert into whatsapp.whatsmeow_lid_map values ('189000111', %s)", (ANN[1:],)
    )
    suppression.suppress(connection, "189000111@lid")
    with pytest.raises(Suppressed):
        Account(connection).enqueue(recipient=ANN)
    assert suppression.unsuppress(connection, ANN) == 2
    Account(connection).enqueue(recipient="189000111@lid")


def test_a_replay_gives_the_list(connection: psycopg.Connection) -> None:
    """The list is a projection: rebuilt it is the same, and a row that is not is named."""
    suppression.suppress(connection, ANN, reason="a")
    suppression.suppress(connection, ANN, "main", "b")
    suppression.suppress(connection, BEN)
    suppression.suppress(connection, BEN, reason="again")
    suppression.unsuppress(connection, ANN, "main")
    forgetting.forget(connection, BEN)
    with replay.scratch(connection) as schema:
        assert list(replay.differences(connection, schema)) == []
    connection.execute("update outbox.suppression set reason = 'none of it' where reason = 'a'")
    with replay.scratch(connection) as schema:
        (found,) = replay.differences(connection, schema)
    assert found.projection == "suppression"
    assert found.live is not None
    assert found.key == found.live["recipient"]


def test_webhooks_are_told_by_the_recipients_id(connection: psycopg.Connection) -> None:
    """Never by a number; one of a single account is told of what holds for all, too."""
    follower = Follower(connection)
    suppression.suppress(connection, ANN, reason="wrote STOP")
    (event,) = follower.take().events
    row = connection.execute("select recipient::text from outbox.identity").fetchone()
    assert row
    told = envelope.of_event(event, webhooks.origin(connection), 1).body
    assert ANN[1:] not in told
    document = json.loads(told)
    assert document["type"] == "outbox.recipient.suppressed"
    assert document["subject"] == row[0]
    assert document["data"]["notification"] is None
    hook = webhooks.create(connection, "crm", "https://example.com/", account="main")
    assert hook.wants(event)


def test_versions_are_held(connection: psycopg.Connection) -> None:
    """Of two writers one loses cleanly."""
    suppression.suppress(connection, ANN)
    with pytest.raises(psycopg.OperationalError, match="Another writer was first"):
        connection.execute(
            "insert into outbox.event (account, stream, version, type, data)"
            " select account, stream, version, type, data from outbox.event"
        )


def test_whoever_is_forgotten_is_not_recognised(connection: psycopg.Connection) -> None:
    """No trace of the number is kept, so a suppression goes with it."""
    suppression.suppress(connection, ANN, "main")
    forgetting.forget(connection, ANN)
    assert suppression.listing(connection, 10) == []
    Account(connection).enqueue(recipient=ANN)


def test_what_cannot_be_suppressed_is_refused(connection: psycopg.Connection) -> None:
    """An account that cannot be, and an id that nobody has."""
    with pytest.raises(InvalidOption):
        suppression.suppress(connection, ANN, "No Account")
    with pytest.raises(UnknownRecipient):
        suppression.suppress(connection, str(UUID(int=7)))


def test_on_the_command_line(connection: psycopg.Connection, database_url: str) -> None:
    """Suppressed, listed, refused with code 3, and allowed again."""
    Account(connection).enqueue(recipient=ANN)
    assert run("suppressed", url=database_url).out == "Nobody is suppressed.\n"
    ran = run("suppress", ANN, "--reason", "wrote STOP", url=database_url)
    assert ran.out == "Suppressed; cancelled 1 notification.\n"
    listed = run("suppressed", url=database_url).out
    assert ANN in listed
    assert "wrote STOP" in listed
    assert run("suppressed", "--json", url=database_url).json[0]["account"] == "*"
    refused = run("enqueue", ANN, "--text", "hello", url=database_url)
    assert refused.code == 3
    assert refused.err.startswith("error: Recipient is suppressed: wrote STOP.")
    ran = run("unsuppress", ANN, "--account", "main", url=database_url)
    assert ran.out == "Nothing has changed.\n"
    assert "leave out --account" in ran.err
    assert run("unsuppress", ANN, url=database_url).out == "May be written to again.\n"
    assert run("enqueue", ANN, "--text", "hello", url=database_url).code == 0


def test_over_http(api: Api, connection: psycopg.Connection) -> None:
    """Suppressed by PUT, refused with 409, allowed again by DELETE; the token's name is kept."""
    account = Account.owned(connection)
    account.send(account.enqueue(recipient=ANN), "sent", "A")
    account.enqueue(recipient=ANN)
    path = f"/v1/recipients/{ANN}/suppression"
    answer = api.ask("PUT", path, scope="operate", json={"reason": "wrote STOP"})
    assert answer.status_code == 200
    assert answer.json()["cancelled"] == 1
    (found,) = answer.json()["suppressions"]
    assert (found["account"], found["reason"]) == ("*", "wrote STOP")
    given = {"recipient": ANN, "text": "hello"}
    told = wrong(api.enqueue(given, scope="enqueue"), 409, "suppressed")
    assert told["detail"] == "Recipient is suppressed: wrote STOP"
    told = wrong(api.enqueue([given, given], scope="enqueue"), 409, "suppressed")
    assert told["number"] == 1
    (listed,) = api.ask("GET", "/v1/recipients").json()["recipients"]
    assert listed["suppressed_because"] == "wrote STOP"
    answer = api.ask("DELETE", path, scope="operate")
    assert answer.json() == {"lifted": 1, "suppressions": []}
    assert api.enqueue(given, scope="enqueue").status_code == 202
    by = connection.execute(
        "select type, metadata->>'token' from outbox.event where type ~ 'suppressed' order by 1"
    ).fetchall()
    assert by == [("suppressed", "operate"), ("unsuppressed", "operate")]
    wrong(api.ask("PUT", path, json={"because": "x"}), 422, "unknown_parameter")
    wrong(api.ask("PUT", "/v1/recipients/ann/suppression"), 422, "bad_recipient")


def test_a_person_is_handed_out_and_forgotten_over_http(
    api: Api, connection: psycopg.Connection
) -> None:
    """As on the command line; while something is being sent it is a conflict."""
    account = Account.owned(connection)
    notification = account.enqueue(recipient=ANN)
    found = api.ask("GET", f"/v1/recipients/{ANN}/export")
    assert found.status_code == 200
    assert [one["id"] for one in found.json()["notifications"]] == [str(notification)]
    account.start(notification)
    wrong(api.ask("DELETE", f"/v1/recipients/{ANN}"), 409, "cannot_forget")
    account.record(notification, "sent", "A")
    answer = api.ask("DELETE", f"/v1/recipients/{ANN}")
    assert answer.status_code == 200
    assert answer.json()["contents"] == 1
    for method, path in (("DELETE", ""), ("GET", "/export")):
        wrong(api.ask(method, f"/v1/recipients/{ANN}{path}"), 404, "unknown_recipient")
    with pytest.raises(WrongState):
        account.requeue(notification)
