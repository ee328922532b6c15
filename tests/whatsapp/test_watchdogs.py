"""Whatever a session process does, its session tells the end with its reason, and nothing is left.

The processes are stand-ins for one that misbehaves; `test_processes` has neonize's.
"""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import pytest

from outbox.session.port import Media
from tests.whatsapp.listener import Listener, Logins

_numbers = count(1)
MakeListener = Callable[..., Listener]


@pytest.fixture
def misbehaving() -> Iterator[MakeListener]:
    """Makes sessions whose processes misbehave in this way."""
    with ExitStack() as stack:

        def make(
            how: str, options: str = "", media: Callable[[str], Media] | None = None
        ) -> Listener:
            made = Listener(
                Logins("31600000001:5@s.whatsapp.net"),
                options,
                program=("tests.whatsapp.misbehaving", how),
                account=f"misbehaving-{next(_numbers)}",
                media=media,
            )
            stack.callback(made.close)
            return made

        yield make


def test_well(misbehaving: MakeListener) -> None:
    """A process that does well is not complained of, and ends when it is told to."""
    listener = misbehaving("behave")
    process = listener.connect()
    assert listener.outcome(listener.send()).type == "sent"
    assert listener.close() < 10
    assert not process.is_running()
    assert [one.type for one in listener.transitions()] == ["connected", "disconnected"]
    assert listener.end().reason == "closed"


def test_panic(misbehaving: MakeListener) -> None:
    """Go's last words are the reason, without numbers; the message that was out is unknown."""
    listener = misbehaving("panic")
    listener.connect()
    outcome = listener.outcome(listener.send())
    reason = (
        "the session process died with exit code 2: "
        "panic: runtime error: index out of range [3] for …"
    )
    assert (outcome.type, outcome.error) == ("unknown", reason)
    assert listener.end().type == "disconnected"
    assert listener.end().reason == reason


@pytest.mark.parametrize(
    ("how", "said"),
    [("fatal", ": fatal error: concurrent map writes"), ("exhausted", ": SIGABRT: abort")],
)
def test_fatal(misbehaving: MakeListener, how: str, said: str) -> None:
    """So it is when Go gives up, or says which signal it has died of."""
    listener = misbehaving(how)
    listener.session.connect()
    assert listener.end().reason == f"the session process died with exit code 2{said}"


def test_signal(misbehaving: MakeListener) -> None:
    """The reason names the signal; what was not begun is not sent."""
    listener = misbehaving("crash")
    listener.connect()
    begun, had, waiting = (listener.send() for _ in range(3))
    assert listener.outcome(begun).type == "unknown"
    assert listener.outcome(had).type == "not_sent"
    assert listener.outcome(waiting).type == "not_sent"
    assert listener.end().type == "disconnected"
    assert listener.end().reason == "the session process died by SIGSEGV"


def test_exit(misbehaving: MakeListener) -> None:
    """A process that exits without a word is told by its exit code."""
    listener = misbehaving("leave")
    listener.session.connect()
    assert listener.end().reason == "the session process died with exit code 3"


def test_mute(misbehaving: MakeListener) -> None:
    """A process that says nothing hangs, and is killed."""
    listener = misbehaving("mute", "silent_within=0.5")
    listener.session.connect()
    process = listener.process()
    assert listener.end().type == "disconnected"
    assert listener.end().reason == "the session process hung: no word for 0.5 s"
    assert not process.is_running()


def test_no_login(misbehaving: MakeListener) -> None:
    """A process that lives and is not logged in in time is killed."""
    listener = misbehaving("never_login", "connect_within=0.5")
    listener.session.connect()
    process = listener.process()
    assert listener.end().type == "disconnected"
    assert listener.end().reason == "no login within 0.5 s"
    assert not process.is_running()


def test_prepared_too_long(misbehaving: MakeListener) -> None:
    """A message that is not ready in time ends the connection; it has not left."""
    listener = misbehaving("prepare", "prepare_within=0.5")
    process = listener.connect()
    assert listener.outcome(listener.send()).type == "not_sent"
    assert listener.end().type == "disconnected"
    assert "in time" in listener.end().reason
    assert not process.is_running()


def test_grown(misbehaving: MakeListener) -> None:
    """A process that has grown too large is replaced between two messages, not within one."""
    listener = misbehaving("grow", "memory=100")
    process = listener.connect()
    assert listener.outcome(listener.send()).type == "sent"
    assert listener.end().type == "disconnected"
    assert listener.end().reason == "the session process had grown to 9999 MiB"
    assert not process.is_running()
    assert listener.connect().pid != process.pid


def test_unknown_words(misbehaving: MakeListener) -> None:
    """What nobody knows is passed over, and so is a second outcome."""
    listener = misbehaving("babble")
    listener.connect()
    attempt = listener.send()
    assert listener.outcome(attempt).message_id == "3EB0"
    listener.close()
    assert listener.outcome(attempt).message_id == "3EB0"


def test_nonsense(misbehaving: MakeListener) -> None:
    """A process that says what is no outcome is killed, and what it had has one."""
    listener = misbehaving("nonsense")
    process = listener.connect()
    outcome = listener.outcome(listener.send())
    assert outcome.type == "not_sent"
    assert listener.end().type == "disconnected"
    assert "not an outcome" in listener.end().reason
    assert "31600900001" not in listener.end().reason
    assert not process.is_running()


def test_garbage(misbehaving: MakeListener) -> None:
    """So is one that says what is no object."""
    listener = misbehaving("garbage")
    listener.session.connect()
    process = listener.process()
    assert listener.end().type == "disconnected"
    assert "cannot be supervised" in listener.end().reason
    assert not process.is_running()


@pytest.mark.parametrize("how", ["never_stop", "read_nothing", "mute", "never_login", "prepare"])
def test_close(misbehaving: MakeListener, how: str) -> None:
    """Closing takes less than ten seconds, whatever the process does."""
    listener = misbehaving(how)
    listener.session.connect()
    process = listener.process()
    if how in {"never_stop", "read_nothing", "prepare"}:
        listener.transition("connected")
        attempt = listener.send()
        assert listener.close() < 10
        assert listener.outcome(attempt).type == "not_sent"
    else:
        assert listener.close() < 10
    assert listener.end().type == "disconnected"
    assert not process.is_running()


def test_close_amid_media(misbehaving: MakeListener) -> None:
    """Also while the process does not read the media of an attempt."""
    begun = threading.Event()

    def endless(_: str) -> Media:
        def chunks() -> Iterator[bytes]:
            while True:
                begun.set()
                yield b"x" * 65536

        return Media("text/plain", 1 << 40, chunks())

    listener = misbehaving("read_nothing", media=endless)
    process = listener.connect()
    attempt = listener.send(content={"kind": "document", "media": "a" * 64})
    assert begun.wait(20)
    assert listener.close() < 10
    assert listener.outcome(attempt).type == "not_sent"
    assert not process.is_running()


def test_not_paired() -> None:
    """Without a login there is no process, and the reason says what to do."""
    listener = Listener(Logins(None), account="unpaired")
    listener.session.connect()
    assert listener.end().type == "logged_out"
    assert listener.end().reason == "the account is not paired"
    listener.close()


def test_nothing_is_left(misbehaving: MakeListener) -> None:
    """After many connections no file is open and no thread runs that was not before."""

    def cycle(how: str, options: str = "") -> None:
        listener = misbehaving(how, options)
        listener.session.connect()
        if how == "behave":
            listener.transition("connected")
            assert listener.outcome(listener.send()).type == "sent"
        else:
            listener.end()
            listener.session.connect()
        listener.close()

    def left() -> tuple[set[str], set[str]]:
        gc.collect()
        files = set[str]()
        for handle in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # that of the folder itself is gone by now
                files.add(f"{handle.name}: {handle.readlink()}")
        return files, {thread.name for thread in threading.enumerate()}

    cycle("behave")
    before = left()
    for _ in range(4):
        cycle("behave")
        cycle("fatal")
        cycle("mute", "silent_within=0.1")
    after = left()
    assert len(after[0]) <= len(before[0]), after[0] - before[0]
    assert after[1] == before[1]
