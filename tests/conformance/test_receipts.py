"""Receipts: what recipients' devices report reaches the owner by message id, and harms nobody."""

from typing import get_args

from outbox.session.port import Receipt, ReceiptType
from tests.conformance.owner import Owner, attempt
from tests.conformance.subject import Stimulus, Subject


def test_kinds(connected: Owner, stimulus: Stimulus) -> None:
    """Each kind of receipt comes as an event with the id of the message that was sent."""
    (outcome,) = connected.sent(attempt())
    assert outcome.message_id is not None
    kinds: tuple[ReceiptType, ...] = get_args(ReceiptType)
    for kind in kinds:
        stimulus.receipt(outcome.message_id, kind)
    assert connected.receipts(3) == [Receipt(outcome.message_id, kind) for kind in kinds]


def test_of_nobodys_message(connected: Owner, stimulus: Stimulus) -> None:
    """A receipt for a message that this session did not send comes all the same.

    It may settle what a process before this one has sent.
    """
    stimulus.receipt("3EB0000000000000000000", "delivered")
    assert connected.receipts(1) == [Receipt("3EB0000000000000000000", "delivered")]


def test_of_an_unknown_kind(subject: Subject, connected: Owner, stimulus: Stimulus) -> None:
    """A receipt of a kind that nobody has heard of is passed over, or ends the connection.

    It never leaves one that looks alive and hears nothing.
    """
    stimulus.receipt("3EB0000000000000000000", "server-error")
    if not subject.survives_the_unknown:
        connected.transition("disconnected")
        connected.connect(nth=2)
    stimulus.receipt("3EB0000000000000000001", "read")
    assert connected.receipts(1) == [Receipt("3EB0000000000000000001", "read")]
    assert connected.sent(attempt())[0].type == "sent"


def test_after_the_unknown(connected: Owner, stimulus: Stimulus) -> None:
    """A receipt that arose while the session was away comes when it is connected again."""
    stimulus.drop_before_acknowledgement()
    assert connected.sent(attempt())[0].type == "unknown"
    connected.transition("disconnected")
    message_id = stimulus.received()[0].message_id
    stimulus.receipt(message_id, "delivered")
    connected.connect(nth=2)
    assert connected.receipts(1) == [Receipt(message_id, "delivered")]
