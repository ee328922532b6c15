"""What the simulated session does beyond the rules that every session keeps."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from outbox.session.phone import Address, Control, Fault, Phone
from outbox.session.phone.line import encode
from outbox.session.port import (
    Attempt,
    Consent,
    Media,
    Outcome,
    Receipt,
    Session,
    SessionEvent,
    Transition,
)
from outbox.session.simulated import message_id_of, open_simulated

Events = list[SessionEvent]


class Watched:
    """A session that keeps its events."""

    def __init__(self, url: str, media: Callable[[str], Media] | None = None) -> None:
        self.events: Events = []
        self._changed = threading.Condition()
        self.session: Session = open_simulated(url)("main", self.emit, media or self.no_media)

    @staticmethod
    def no_media(digest: str) -> Media:
        """Have no media at all."""
        raise KeyError(digest)

    def emit(self, event: SessionEvent) -> None:
        """Keep this event."""
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, count: int) -> Events:
        """Return the events as soon as there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.events) >= count, 10), self.events
            return list(self.events)

    def connect(self) -> None:
        """Connect, and wait for it."""
        count = len(self.events)
        self.session.connect()
        assert self.wait(count + 1)[count] == Transition("connected")


@pytest.fixture
def watch(phone: Phone) -> Iterator[Callable[..., Watched]]:
    """Makes sessions with these options, which are closed after the test."""
    with ExitStack() as stack:

        def make(media: Callable[[str], Media] | None = None, **options: float) -> Watched:
            query = "&".join(f"{name}={value}" for name, value in options.items())
            watched = Watched(f"{phone.url}?{query}", media)
            stack.callback(watched.session.close)
            return watched

        yield make


def attempt(text: str = "hello", **more: object) -> Attempt:
    """Return the first attempt of a new notification."""
    return Attempt(uuid4(), 1, "1@s.whatsapp.net", {"kind": "text", "text": text, **more})


def types(events: Events) -> list[str]:
    """Return the types of these events."""
    return [event.type for event in events if not isinstance(event, Consent)]


@pytest.mark.parametrize(
    "url",
    [
        "simulated://",
        "simulated:///",
        "simulated://localhost",
        "simulated://127.0.0.1:1/path",
        "whatsapp://127.0.0.1:1",
        "simulated://127.0.0.1:1?haste=1",
        "simulated://127.0.0.1:1?capacity",
        "simulated://127.0.0.1:1?capacity=many",
    ],
)
def test_bad_urls(url: str) -> None:
    """What is no URL of a phone is refused before anything is opened."""
    with pytest.raises(ValueError, match=r".+"):
        open_simulated(url)


def test_url_of_a_unix_socket(tmp_path: Path) -> None:
    """A phone on a unix socket is reached by its URL, options and all."""
    with Phone.start(tmp_path, listen=Address(path=str(tmp_path / "s"))) as phone:
        watched = Watched(f"{phone.url}?capacity=7")
        assert watched.session.capacity == 7
        watched.connect()
        watched.session.close()


def test_message_ids_look_like_whatsapps() -> None:
    """A message id is `3EB0` and 18 hexadecimal digits, another for each secret."""
    ids = {message_id_of(attempt().secret) for _ in range(100)}
    assert len(ids) == 100
    for one in ids:
        assert one.startswith("3EB0")
        assert len(one) == 22
        assert int(one, 16)
        assert one == one.upper()


def test_the_frame(phone: Phone, watch: Callable[..., Watched]) -> None:
    """A frame carries the attempt and its media's digest, type and size, but not the bytes."""
    watched = watch(lambda _: Media("image/png", 4, [b"\x89PNG"]))
    watched.connect()
    one = attempt(media="ab" * 32)
    watched.session.send([one])
    outcome = watched.wait(2)[1]
    (frame,) = phone.frames()
    assert outcome == Outcome(one.notification, 1, "sent", frame.message_id)
    assert (frame.account, frame.jid, frame.notification, frame.attempt) == (
        "main",
        one.jid,
        one.notification,
        1,
    )
    assert frame.secret == one.secret.hex()
    assert frame.body == one.content
    assert frame.media == [{"digest": "ab" * 32, "mime": "image/png", "size": 4}]


def test_media_that_cannot_be_fetched(watch: Callable[..., Watched]) -> None:
    """Media that are there but could not be fetched now fail the attempt for now."""

    def media(digest: str) -> Media:
        raise OSError(digest)

    watched = watch(media)
    watched.connect()
    watched.session.send([attempt(media="ab"), attempt()])
    bad, good = watched.wait(3)[1:]
    assert isinstance(bad, Outcome)
    assert (bad.type, bad.error) == ("failed", "media ab: OSError('ab')")
    assert isinstance(good, Outcome)
    assert good.type == "sent"


def test_a_body_that_is_not_json(watch: Callable[..., Watched]) -> None:
    """A body that cannot be written is rejected; it costs no other attempt its outcome."""
    watched = watch()
    watched.connect()
    watched.session.send([attempt(when=time), attempt()])
    assert types(watched.wait(3)[1:]) == ["rejected", "sent"]


def test_no_media_are_fetched_without_a_connection(watch: Callable[..., Watched]) -> None:
    """What cannot leave anyway needs no media, and its outcome is for want of a connection."""
    watched = watch(lambda _: pytest.fail("fetched"))
    watched.session.send([attempt(media="ab")])
    assert types(watched.wait(1)) == ["not_sent"]


def test_beyond_the_capacity(phone: Phone, control: Control, watch: Callable[..., Watched]) -> None:
    """What is handed over beyond the capacity waits in the session: it has not left."""
    control.fault(Fault("silence", times=None))
    watched = watch(capacity=2)
    watched.connect()
    watched.session.send([attempt() for _ in range(5)])
    control.wait("frames", 2)
    control.drop()
    assert types(watched.wait(7)[1:]) == ["unknown"] * 2 + ["not_sent"] * 3 + ["disconnected"]
    assert len(phone.frames()) == 2


def test_room_is_used_again(watch: Callable[..., Watched]) -> None:
    """What waits leaves as soon as acknowledgements make room."""
    watched = watch(capacity=1)
    watched.connect()
    watched.session.send([attempt() for _ in range(50)])
    assert types(watched.wait(51)[1:]) == ["sent"] * 50


def test_room_is_used_again_after_a_timeout(
    control: Control, watch: Callable[..., Watched]
) -> None:
    """A missing acknowledgement holds up the next only until it is given up."""
    control.fault(Fault("silence"))
    watched = watch(capacity=1, acknowledge_within=0.1)
    watched.connect()
    watched.session.send([attempt(), attempt()])
    assert types(watched.wait(3)[1:]) == ["unknown", "sent"]


def test_a_late_acknowledgement() -> None:
    """An acknowledgement that comes after it was given up is passed over."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        watched = Watched(f"{Address(*server.getsockname()).url}?acknowledge_within=0.05")
        watched.session.connect()
        peer, _ = server.accept()
        with peer:
            peer.sendall(encode({"type": "connected"}))
            watched.wait(1)
            one = attempt()
            watched.session.send([one])
            watched.wait(2)
            late = {"type": "sent", "message_id": message_id_of(one.secret)}
            receipt = {"type": "receipt", "number": 1, "message_id": "3EB0", "receipt": "read"}
            peer.sendall(encode(late) + encode(receipt))
            assert types(watched.wait(3)) == ["connected", "unknown", "read"]
            watched.session.close()


def test_closing_waits_for_acknowledgements(
    control: Control, watch: Callable[..., Watched]
) -> None:
    """What is acknowledged while the session closes is `sent`; what waited is `not_sent`."""
    control.behave(latency=0.1)
    watched = watch(capacity=2, close_within=5)
    watched.connect()
    watched.session.send([attempt() for _ in range(3)])
    watched.session.close()
    assert types(watched.events[1:]) == ["not_sent", "sent", "sent", "disconnected"]


def test_what_is_not_written_has_not_left(
    phone: Phone, control: Control, watch: Callable[..., Watched]
) -> None:
    """Behind a peer that does not read, only what the system has taken may have left."""
    watched = watch(close_within=0.1)
    watched.connect()
    control.deafen()
    watched.session.send([attempt("x" * 500_000) for _ in range(60)])
    watched.session.close()
    outcomes = types(watched.events[1:-1])
    unknown = outcomes.count("unknown")
    assert 0 < unknown < 60
    assert outcomes == ["unknown"] * unknown + ["not_sent"] * (60 - unknown)
    control.hear()
    control.wait("left", 1)
    assert 0 < len(phone.frames()) <= unknown


def test_a_phone_that_hangs(control: Control, watch: Callable[..., Watched]) -> None:
    """A peer that answers no ping is taken for dead."""
    watched = watch(keep_alive=0.05)
    watched.connect()
    control.deafen()
    assert watched.wait(2)[1] == Transition("disconnected", "keep-alive lost")


def test_a_phone_that_is_quiet(watch: Callable[..., Watched]) -> None:
    """A peer that answers pings stays connected, however little it has to say."""
    watched = watch(keep_alive=0.02)
    watched.connect()
    time.sleep(0.3)
    assert types(watched.events) == ["connected"]


def test_an_owner_that_fails(
    watch: Callable[..., Watched], caplog: pytest.LogCaptureFixture
) -> None:
    """An owner's error in one event costs it no other."""
    watched = watch()
    emit = watched.emit

    def failing(event: SessionEvent) -> None:
        emit(event)
        raise LookupError("the owner's own")

    watched.session._link._owner = failing  # type: ignore[attr-defined]
    watched.connect()
    watched.session.send([attempt(), attempt()])
    watched.wait(3)
    watched.session.close()
    assert types(watched.events) == ["connected", "sent", "sent", "disconnected"]
    assert "the owner's own" in caplog.text


def test_nobody_answers(tmp_path: Path) -> None:
    """A login that is never answered is given up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address(*server.getsockname())
        watched = Watched(f"{address.url}?connect_within=0.1")
        watched.session.connect()
        assert watched.wait(1) == [Transition("disconnected", "timed out while connecting")]
        watched.session.close()
    assert len(watched.events) == 1


@pytest.mark.parametrize("path", ["", "nowhere"])
def test_nobody_is_there(tmp_path: Path, path: str) -> None:
    """Where no phone listens the session is `disconnected`, with the system's words."""
    if path:
        address = Address(path=str(tmp_path / path))
    else:
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = Address(*server.getsockname())
    watched = Watched(address.url)
    watched.session.connect()
    (event,) = watched.wait(1)
    assert isinstance(event, Transition)
    assert event.type == "disconnected"
    assert event.reason.startswith("cannot connect: ")
    watched.session.close()


def test_a_phone_that_talks_nonsense(caplog: pytest.LogCaptureFixture) -> None:
    """A peer that is no phone ends the connection, not the session's thread."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        watched = Watched(Address(*server.getsockname()).url)
        for count in (1, 2):
            watched.session.connect()
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n")
                assert types(watched.wait(count)) == ["disconnected"] * count
        watched.session.close()
    assert "thread failed" in caplog.text


def test_after_the_end() -> None:
    """What a peer says after it has said the end is not heard."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        watched = Watched(Address(*server.getsockname()).url)
        watched.session.connect()
        peer, _ = server.accept()
        with peer:
            peer.sendall(
                encode({"type": "connected"})
                + encode({"type": "replaced", "reason": "by a test"})
                + encode({"type": "connected"})
            )
            watched.wait(2)
            watched.session.close()
    assert watched.events == [Transition("connected"), Transition("replaced", "by a test")]


def test_a_killed_phone(phone: Phone, control: Control, watch: Callable[..., Watched]) -> None:
    """When the phone is killed what is in flight is `unknown`, then comes the end."""
    control.fault(Fault("silence", times=None))
    watched = watch()
    watched.connect()
    watched.session.send([attempt()])
    control.wait("frames", 1)
    phone.kill()
    assert types(watched.wait(3)) == ["connected", "unknown", "disconnected"]


def test_a_question_without_an_answer(control: Control, watch: Callable[..., Watched]) -> None:
    """Traces that the phone does not tell in time were not read, which proves nothing."""
    watched = watch(connect_within=0.1)
    watched.connect()
    control.deafen()
    with pytest.raises(ConnectionError, match="did not answer"):
        watched.session.trace([(uuid4(), 1)])


def test_a_question_and_a_drop(control: Control, watch: Callable[..., Watched]) -> None:
    """A question whose connection ends before the answer fails at once."""
    watched = watch(connect_within=60, keep_alive=0.05)
    watched.connect()
    control.deafen()
    with pytest.raises(ConnectionError, match="keep-alive lost"):
        watched.session.trace([(uuid4(), 1)])


def test_closed(watch: Callable[..., Watched]) -> None:
    """A closed session takes nothing any more, since it could answer nothing."""
    watched = watch()
    watched.session.close()
    for use in (
        watched.session.connect,
        lambda: watched.session.send([attempt()]),
        lambda: watched.session.trace([(uuid4(), 1)]),
    ):
        with pytest.raises(RuntimeError, match="closed"):
            use()


def test_from_within_an_event(phone: Phone) -> None:
    """An event may hand over attempts, but not wait for the session, which waits for it."""
    raised: list[str] = []
    done = threading.Event()

    def emit(event: SessionEvent) -> None:
        assert not isinstance(event, Consent)
        if event.type == "connected":
            session.send([attempt()])
        if event.type == "sent":
            for wait in (session.close, lambda: session.trace([(uuid4(), 1)])):
                try:
                    wait()
                except RuntimeError as error:
                    raised.append(str(error))
            done.set()

    session = open_simulated(phone.url)("main", emit, Watched.no_media)
    session.connect()
    assert done.wait(10)
    session.close()
    assert raised == ["an event of a session cannot wait for the session"] * 2


def test_receipts_are_not_handed_over_twice(
    control: Control, watch: Callable[..., Watched]
) -> None:
    """A receipt that one session has told its owner is not handed to the next."""
    first = watch()
    first.connect()
    control.receipt("main", "3EB0", "read")
    assert first.wait(2)[1] == Receipt("3EB0", "read")
    first.session.close()
    control.wait("left", 1)
    second = watch()
    second.connect()
    control.receipt("main", "3EB1", "read")
    assert second.wait(2)[1:] == [Receipt("3EB1", "read")]
