"""Where webhooks may point: outside, unless a setting allows more."""

import psycopg
import pytest

from outbox.log import webhooks
from outbox.webhooks.address import is_inside
from outbox.webhooks.request import _Connection
from outbox.webhooks.sender import Sender
from tests.cli_runner import enqueue, run
from tests.receiver import Receiver
from tests.webhooks import settle, subscribe


def test_an_address_inside_is_asked_nothing(
    connection: psycopg.Connection, receiver: Receiver
) -> None:
    """Without the setting, whatever was allowed when the webhook was made."""
    subscribe(connection, receiver)
    enqueue(connection)
    settle(connection, Sender(inside=False))
    assert receiver.asked == 0
    assert "not https" in str(webhooks.named(connection, "shop").last_error)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:192.168.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "224.0.0.1",
        "0.0.0.0",  # noqa: S104 - it is refused
    ],
)
def test_what_is_inside_is_known(address: str) -> None:
    """However it is wrapped."""
    assert is_inside(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8"])
def test_what_is_outside_is_allowed(address: str) -> None:
    """Public addresses are nobody's secret."""
    assert not is_inside(address)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://localhost/", "localhost is inside"),
        ("https://[::ffff:10.0.0.1]/", "is inside"),
        ("http://8.8.8.8/", "is not https. OUTBOX_WEBHOOKS_INSIDE=true allows it"),
        ("ftp://8.8.8.8/", "Not a URL of a webhook"),
        ("https://user:word@8.8.8.8/", "…@8.8.8.8 carries a password"),
        ("https://[8.8.8.8/", "Not a URL of a webhook: https://[8.8.8.8/: "),
        ("https://shop.example/\N{CENT SIGN}", "Write all but ASCII in percent signs"),
    ],
)
def test_a_url_that_may_not_be_is_refused(database_url: str, url: str, why: str) -> None:
    """By the command, in a sentence; nothing is made."""
    ran = run("webhook", "create", "shop", url, url=database_url)
    assert ran.code == 3
    assert why in ran.err
    assert run("webhook", "list", "--json", url=database_url).json == []


def test_a_connection_is_judged_by_whom_it_reached(receiver: Receiver) -> None:
    """Before anything is said, whatever the name stood for before."""
    connection = _Connection("127.0.0.1", receiver.port, tls=False, inside=False, patience=5)
    with pytest.raises(OSError, match=r"is inside, at 127\.0\.0\.1"):
        connection.request("POST", "/")
    assert receiver.asked == 0
