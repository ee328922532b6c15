"""`outbox webhook`: the life of a webhook from the command line."""

import psycopg
import pytest

from outbox.log import webhooks
from tests.cli_runner import run
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
