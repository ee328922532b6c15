"""One session an account, and what makes a missing trace a proof."""

from uuid import uuid4

import pytest

from outbox.session.phone import Control, Phone
from outbox.session.port import attempt_secret
from tests.unit.phone.dialling import Dialled


def test_what_a_replaced_session_had_written_is_never_read(phone: Phone, control: Control) -> None:
    """What lies unread when a second session logs in is thrown away: no trace, and no frame."""
    notification = uuid4()
    secret = attempt_secret(notification, 1).hex()
    with Dialled.logged_in(phone) as first:
        control.deafen("main")
        first.send(notification=notification)
        with Dialled.logged_in(phone) as second:
            assert second.traces(secret) == {}
            replaced = first.hear()
            assert replaced is not None
            assert replaced["type"] == "replaced"
            assert first.hear() is None
            first.send(notification=notification)
            first.__exit__()
            control.wait("left", 1, seconds=1)
            assert second.traces(secret) == {}
    assert control.stats().get("traces", 0) == 0
    assert not phone.frames()


def test_the_end_of_a_replaced_session_is_not_that_of_its_successor(
    phone: Phone, control: Control
) -> None:
    """When a replaced session hangs up, the account's present one stays connected."""
    with Dialled.logged_in(phone) as first, Dialled.logged_in(phone) as second:
        first.hear()
        first.__exit__()
        control.wait("left", 1)
        assert control.stats()["connected"] == ["main"]
        control.receipt("main", "3EB0", "read")
        receipt = second.hear()
        assert receipt is not None
        assert receipt["type"] == "receipt"


def test_a_late_login(phone: Phone) -> None:
    """A login that is read late, of a connection made before the present one, replaces nobody."""
    with Dialled(phone) as early, Dialled.logged_in(phone) as present:
        early.say(type="login", account="main")
        refused = early.hear()
        assert refused is not None
        assert refused["type"] == "replaced"
        one = present.send()
        assert present.acknowledged(1) == [one]


def test_of_a_line_in_part(phone: Phone) -> None:
    """The first half of a replaced session's line is not completed by anything."""
    with Dialled.logged_in(phone) as first:
        first._socket.sendall(b'{"type":"trace","secret":"ab","jid":"1","message_id":"3EB0"')
        with Dialled.logged_in(phone) as second:
            first.hear()
            first._socket.sendall(b"}\n")
            assert second.traces("ab") == {}


def test_accounts_are_apart(phone: Phone) -> None:
    """Another account's login replaces nobody, and it sees no trace but its own."""
    notification = uuid4()
    with Dialled.logged_in(phone, "one") as one, Dialled.logged_in(phone, "two") as two:
        message_id = one.send(notification=notification)
        assert one.acknowledged(1) == [message_id]
        secret = attempt_secret(notification, 1).hex()
        assert two.traces(secret) == {}
        assert one.traces(secret) == {secret: message_id}


def test_a_frame_needs_its_trace(phone: Phone) -> None:
    """A frame whose trace was not written first is never received."""
    with Dialled.logged_in(phone) as session:
        session.say(
            type="frame",
            message_id="3EB0",
            secret="ab",  # noqa: S106 - no password
            jid="1@s.whatsapp.net",
            notification=str(uuid4()),
            attempt=1,
            body={},
            media=None,
        )
        assert session.hear() is None
    assert not phone.frames()


@pytest.mark.parametrize("line", [b"nonsense\n", b"[1]\n", b'{"type":"greeting"}\n', b"{}\n"])
def test_nonsense(phone: Phone, line: bytes) -> None:
    """Who says nonsense is hung up on; the phone goes on."""
    with Dialled.logged_in(phone) as session:
        session._socket.sendall(line)
        assert session.hear() is None
    with Dialled.logged_in(phone) as session:
        one = session.send()
        assert session.acknowledged(1) == [one]
