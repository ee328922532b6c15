"""`outbox webhook`: the life of a webhook from the command line."""

import psycopg
import pytest

from outbox.log import webhooks
from tests.cli_runner import enqueue, run
from tests.receiver import Receiver


def test_commands_say_and_change_how_it_goes(
    database_url: str,
    connection: psycopg.Connection,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The whole life of a webhook from the command line."""
    monkeypatch.setenv("OUTBOX_WEBHOOKS_INSIDE", "true")

    def does(*arguments: str) -> str:
        ran = run("webhook", *arguments, url=database_url)
        assert ran.code == 0, ran.err
        return ran.out

    receiver.secret = does("create", "shop", receiver.url, "--event", "sent").strip()
    assert receiver.secret.startswith("whsec_")
    assert receiver.secret in does("show", "shop")
    assert receiver.secret not in does("list", "--json")
    assert does("test", "shop") == "shop answered 204.\n"
    assert receiver.got[0]["type"] == "outbox.webhook.test"
    receiver.status = 500
    assert "it answered 500" in run("webhook", "test", "shop", url=database_url).err
    assert does("disable", "shop") == "Disabled shop.\n"
    assert "disabled: shop" in run("doctor", url=database_url).out
    assert "webhook shop is disabled" in run("status", url=database_url).out
    does("enable", "shop")
    does("replay", "shop", "--from", "beginning")
    assert webhooks.named(connection, "shop").state == "enabled"
    does("delete", "shop")
    assert run("webhook", "show", "shop", url=database_url).code == 4


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("replay", "shop", "--from", "0"), 3, "Not a position of the log: 0. It has 1 to 1"),
        (("replay", "shop", "--from", "soon"), 2, "--from cannot be 'soon'"),
        (("replay", "other", "--from", "beginning"), 4, "No such webhook: other"),
        (("enable", "other"), 4, "No such webhook: other"),
        (("test", "other"), 4, "No such webhook: other"),
        (("create", "shop", "https://8.8.8.8"), 3, "There is a webhook of this name already: shop"),
        (("create", "x", "https://8.8.8.8", "--event", "send"), 3, "Not a type of event: send"),
        (("create", "x", "https://8.8.8.8", "--account", "My"), 3, "Not a name of an account: My"),
    ],
)
def test_what_cannot_be_is_refused(
    database_url: str,
    connection: psycopg.Connection,
    arguments: tuple[str, ...],
    code: int,
    why: str,
) -> None:
    """In a sentence, with the exit code of its kind, and nothing is changed."""
    enqueue(connection)
    webhooks.create(connection, "shop", "https://8.8.8.8/")
    before = connection.execute("select * from outbox.webhook, outbox.cursor").fetchall()
    ran = run("webhook", *arguments, url=database_url)
    assert ran.code == code
    assert why in ran.err
    assert connection.execute("select * from outbox.webhook, outbox.cursor").fetchall() == before


def test_the_list_says_how_each_goes(database_url: str, connection: psycopg.Connection) -> None:
    """And how far behind the log it is."""
    webhooks.create(connection, "shop", "https://8.8.8.8/", position=1)
    webhooks.create(connection, "told", "https://8.8.8.8/")
    webhooks.disable(connection, "shop")
    enqueue(connection)
    connection.execute(
        "update outbox.cursor c set snapshot = outbox.current_snapshot()"
        " where consumer = 'webhook told'"
    )
    shop, told = run("webhook", "list", url=database_url).out.splitlines()[-2:]
    assert "an operator disabled it" in shop
    assert "1 (" in shop
    assert told.split()[:2] == ["told", "enabled"]
