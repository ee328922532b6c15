"""Receipts come when they are due, and as often as it takes."""

from outbox.session.phone import Control, Fault, Phone
from tests.unit.phone.dialling import Dialled


def heard(session: Dialled, count: int) -> list[tuple[str, str]]:
    """Return type or kind, and message id, of the next lines."""
    lines = [session.hear() for _ in range(count)]
    return [(line.get("receipt") or line["type"], line["message_id"]) for line in lines if line]


def test_in_their_time(phone: Phone, control: Control) -> None:
    """After the acknowledgement come the receipts that are switched on, each after its delay."""
    control.behave(delivered=0.0, read=0.06, played=0.03)
    with Dialled.logged_in(phone) as session:
        one = session.send()
        assert heard(session, 4) == [
            ("sent", one),
            ("delivered", one),
            ("played", one),
            ("read", one),
        ]


def test_an_earlier_one_is_not_held_up(phone: Phone, control: Control) -> None:
    """A receipt that is due soon does not wait for one that was to come much later."""
    control.behave(delivered=0.01, read=3600.0)
    with Dialled.logged_in(phone) as session:
        first = session.send()
        assert heard(session, 2) == [("sent", first), ("delivered", first)]
        second = session.send()
        assert heard(session, 2) == [("sent", second), ("delivered", second)]


def test_off(phone: Phone) -> None:
    """Unless they are switched on, there are none."""
    with Dialled.logged_in(phone) as session:
        one, two = session.send(), session.send()
        assert heard(session, 2) == [("sent", one), ("sent", two)]


def test_wait_for_the_next_session(phone: Phone, control: Control) -> None:
    """What arose while nobody was connected is handed over at the next login."""
    with Dialled.logged_in(phone) as session:
        one = session.send()
        session.acknowledged(1)
        control.drop("main")
        assert session.hear() is None
    control.receipt("main", one, "delivered")
    control.receipt("main", one, "read")
    with Dialled.logged_in(phone) as session:
        assert heard(session, 2) == [("delivered", one), ("read", one)]


def test_again_until_received(phone: Phone, control: Control) -> None:
    """What a session has not said to have received is handed to the next, too; the rest is not."""
    with Dialled.logged_in(phone) as session:
        for kind in ("delivered", "read", "played"):
            control.receipt("main", "3EB0", kind)
        numbers = [line["number"] for line in (session.hear() for _ in range(3)) if line]
        session.say(type="received", number=numbers[1])
        session.say(type="ping")
        assert session.hear() == {"type": "pong"}
    with Dialled.logged_in(phone) as session:
        assert heard(session, 1) == [("played", "3EB0")]


def test_duplicates_and_strays(phone: Phone, control: Control) -> None:
    """On request a receipt comes twice, and with one for a message that nobody has sent."""
    control.behave(delivered=0.0, duplicate=1.0, stray=1.0)
    with Dialled.logged_in(phone) as session:
        one = session.send()
        lines = heard(session, 4)
    assert lines[:3] == [("sent", one), ("delivered", one), ("delivered", one)]
    assert lines[3][0] == "delivered"
    assert lines[3][1] != one


def test_of_what_was_dropped(phone: Phone, control: Control) -> None:
    """A frame whose acknowledgement was lost in a drop has its receipts all the same."""
    control.behave(delivered=0.0)
    control.fault(Fault("drop_after_frame"))
    with Dialled.logged_in(phone) as session:
        one = session.send()
        while session.hear() is not None:
            pass
    with Dialled.logged_in(phone) as session:
        assert heard(session, 1) == [("delivered", one)]
