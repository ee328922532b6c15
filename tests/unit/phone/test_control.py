"""The control channel."""

import time
from pathlib import Path

import pytest

from outbox.session.phone import Behaviour, Control, Fault, Phone
from tests.unit.phone.dialling import Dialled


def test_in_force_when_answered(phone: Phone, control: Control) -> None:
    """A fault strikes the first frame that comes after its call has returned."""
    with Dialled.logged_in(phone) as session:
        control.fault(Fault("fail", times=None, error="server returned error 479"))
        one = session.send()
        assert session.hear() == {
            "type": "failed",
            "message_id": one,
            "error": "server returned error 479",
        }
    assert not phone.frames()


def test_heal(phone: Phone, control: Control) -> None:
    """After `heal` no fault strikes any more."""
    with Dialled.logged_in(phone) as session:
        control.fault(Fault("silence", times=None))
        control.heal()
        one = session.send()
        assert session.acknowledged(1) == [one]


@pytest.mark.parametrize(
    ("do", "last"),
    [
        ("replace", "replaced"),
        ("log_out", "logged_out"),
        ("ban", "banned"),
        ("outdate", "outdated"),
    ],
)
def test_endings_at_a_frame(phone: Phone, control: Control, do: str, last: str) -> None:
    """A fault may end the session at a frame, which is then not received."""
    with Dialled.logged_in(phone) as session:
        control.fault(Fault.of({"do": do, "seconds": 60.0}))
        session.send()
        ending = session.hear()
        assert ending is not None
        assert ending["type"] == last
        assert session.hear() is None
    assert not phone.frames()


def test_drop_before_the_trace(phone: Phone, control: Control) -> None:
    """A drop before the trace leaves neither trace nor frame."""
    with Dialled.logged_in(phone) as session:
        control.fault(Fault("drop_before_trace"))
        session.send()
        assert session.hear() is None
    stats = control.stats()
    assert (stats.get("traces", 0), stats.get("frames", 0), stats["dropped"]) == (0, 0, 1)


def test_drop_before_the_frame(phone: Phone, control: Control) -> None:
    """A drop before the frame leaves a trace without a frame."""
    with Dialled.logged_in(phone) as session:
        control.fault(Fault("drop_before_frame"))
        session.send()
        assert session.hear() is None
    stats = control.stats()
    assert (stats["traces"], stats.get("frames", 0)) == (1, 0)
    assert not phone.frames()


def test_latency(phone: Phone, control: Control) -> None:
    """An acknowledgement takes the latency; what is not named stays as it was."""
    control.behave(latency=0.1)
    control.behave(seed=3)
    with Dialled.logged_in(phone) as session:
        before = time.monotonic()
        one = session.send()
        assert session.acknowledged(1) == [one]
        assert time.monotonic() - before >= 0.09


def test_order_under_jitter(phone: Phone, control: Control) -> None:
    """With jitter acknowledgements overtake each other, but never those of one recipient."""
    control.behave(latency=0.02, jitter=0.02, seed=1)
    with Dialled.logged_in(phone) as session:
        sent = [(session.send(f"{n % 3}@s.whatsapp.net"), n % 3) for n in range(60)]
        order = session.acknowledged(len(sent))
    recipient = dict(sent)
    assert order != [one for one, _ in sent]
    for jid in range(3):
        assert [one for one in order if recipient[one] == jid] == [
            one for one, to in sent if to == jid
        ]


def test_answers_overtake_none_when_the_latency_ends(phone: Phone, control: Control) -> None:
    """A recipient's acknowledgements keep their order also when the latency becomes less."""
    with Dialled.logged_in(phone) as session:
        control.behave(latency=0.1)
        first = session.send()
        control.wait("frames", 1)
        control.behave(latency=0.0)
        second = session.send()
        assert session.acknowledged(2) == [first, second]


def test_offline_for_a_while(phone: Phone, control: Control) -> None:
    """While offline no login is accepted; after the given seconds it is, by itself."""
    control.stand("offline", seconds=0.1)
    deadline = time.monotonic() + 10
    answers: list[str] = []
    while not answers or (answers[-1] != "connected" and time.monotonic() < deadline):
        with Dialled(phone, type="login", account="main") as session:
            line = session.hear()
            assert line is not None
            answers.append(line["type"])
    assert answers[0] == "unavailable"
    assert answers[-1] == "connected"
    assert control.stats()["refused"] == len(answers) - 1


def test_one_account_only(phone: Phone, control: Control) -> None:
    """What is told about one account leaves the others alone."""
    with Dialled.logged_in(phone, "one") as one, Dialled.logged_in(phone, "two") as two:
        control.stand("logged_out", "one")
        ending = one.hear()
        assert ending is not None
        assert ending["type"] == "logged_out"
        message_id = two.send()
        assert two.acknowledged(1) == [message_id]
        assert control.stats()["connected"] == ["two"]
        control.lift("one")
        with Dialled.logged_in(phone, "one"):
            assert control.stats()["connected"] == ["one", "two"]


def test_stats(phone: Phone, control: Control) -> None:
    """The counts tell logins, traces, frames and answers."""
    with Dialled.logged_in(phone) as session:
        control.fault(Fault("reject", after=2))
        for _ in range(3):
            session.send()
        session.acknowledged(3)
        stats = control.stats()
    assert stats == {
        "logins": 1,
        "traces": 3,
        "frames": 2,
        "sent": 2,
        "rejected": 1,
        "connected": ["main"],
    }


def test_wait(phone: Phone, control: Control) -> None:
    """To wait for a count ends as soon as it is reached, or raises with the count that there is."""
    with pytest.raises(TimeoutError, match=r"0 of 1 frames after 0\.05 s"):
        control.wait("frames", 1, seconds=0.05)
    with Dialled.logged_in(phone) as session:
        session.send()
        control.wait("frames", 1)
    assert len(phone.frames()) == 1
    assert control.stats()["frames"] == 1


def test_nonsense(phone: Phone, control: Control) -> None:
    """An operator who asks for what does not exist is told so, and may go on."""
    with pytest.raises(ValueError, match="latancy"):
        control.behave(latancy=1)
    assert control.stats() == {"connected": []}


def test_from_the_start(tmp_path: Path) -> None:
    """Behaviour and faults may be given at the start; nothing need be told then."""
    with (
        Phone.start(
            tmp_path, behaviour=Behaviour(delivered=0.0), faults=[Fault("fail"), Fault("reject")]
        ) as phone,
        Dialled.logged_in(phone) as session,
    ):
        for _ in range(3):
            session.send()
        heard = [session.hear() for _ in range(4)]
    assert [line and line["type"] for line in heard] == ["failed", "rejected", "sent", "receipt"]
