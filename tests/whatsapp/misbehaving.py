"""A session process that misbehaves as neonize's cannot be made to.

`python -m tests.whatsapp.misbehaving HOW HANDLE` speaks the channel, and connects to nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from outbox.session.whatsapp.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Callable

    from outbox.session.whatsapp.channel import Said

_EVER = 3600.0


class Stub:
    """What a process does well: it beats, and answers what it is sent."""

    def __init__(self, handle: int) -> None:
        self.channel = Channel(handle)
        self.memory = 50

    def beat(self) -> None:
        """Give signs of life, for ever."""
        while True:
            self.channel.tell({"type": "beat", "memory": self.memory})
            time.sleep(0.05)

    def connect(self) -> None:
        """Be logged in."""
        self.channel.hear()
        self.channel.tell({"type": "connected"})
        threading.Thread(target=self.beat, daemon=True).start()

    def hear(self) -> Said:
        """Return what comes next."""
        said = self.channel.hear()
        assert said is not None
        return said

    def tell(self, kind: str, said: Said, **more: object) -> None:
        """Tell something of an attempt."""
        of = {"notification": said["notification"], "attempt": said["attempt"]}
        self.channel.tell({"type": kind, **of, **more})


def behave(stub: Stub) -> None:
    """Do what is asked."""
    stub.connect()
    while (said := stub.hear())["type"] != "stop":
        if said["type"] == "send":
            stub.tell("begun", said)
            stub.tell("outcome", said, message_id="3EB0")


def panic(stub: Stub) -> None:
    """Die as Go does of a mistake, of a message that is out."""
    stub.connect()
    stub.tell("begun", stub.hear())
    _complain(
        "12:00:00.000 [Client INFO] Connected",
        "panic: runtime error: index out of range [3] for 31600900001:5@s.whatsapp.net",
        "",
        "goroutine 1 [running]:",
    )
    os._exit(2)


def fatal(stub: Stub) -> None:
    """Die as Go does when it gives up."""
    stub.connect()
    _complain("fatal error: concurrent map writes", "", "goroutine 1 [running]:")
    os._exit(2)


def exhausted(stub: Stub) -> None:
    """Die as Go does of a signal, by what it says and not by the signal itself."""
    stub.connect()
    _complain("SIGABRT: abort", "PC=0x0 m=0 sigcode=18446744073709551610")
    os._exit(2)


def crash(stub: Stub) -> None:
    """Die of a segmentation fault, with a message that was not begun and one that was."""
    stub.connect()
    stub.tell("begun", stub.hear())
    stub.hear()
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(stub: Stub) -> None:
    """Exit without a word."""
    stub.connect()
    sys.exit(3)


def mute(stub: Stub) -> None:
    """Say nothing at all."""
    stub.hear()
    time.sleep(_EVER)


def never_login(stub: Stub) -> None:
    """Live, and never be logged in."""
    stub.hear()
    stub.beat()


def grow(stub: Stub) -> None:
    """Become too large while a message is out, and have it acknowledged later."""
    stub.connect()
    said = stub.hear()
    stub.tell("begun", said)
    stub.memory = 9_999
    time.sleep(0.5)
    stub.tell("outcome", said, message_id="3EB0")
    time.sleep(_EVER)


def never_stop(stub: Stub) -> None:
    """Read what comes, and obey nothing."""
    stub.connect()
    while True:
        stub.hear()


def read_nothing(stub: Stub) -> None:
    """Read nothing any more."""
    stub.connect()
    time.sleep(_EVER)


def prepare(stub: Stub) -> None:
    """Turn to a message and never be done with it."""
    stub.connect()
    stub.hear()
    time.sleep(_EVER)


def babble(stub: Stub) -> None:
    """Say what nobody knows, and go on."""
    stub.connect()
    stub.channel.tell({"type": "weather", "is": "fine"})
    said = stub.hear()
    stub.tell("outcome", said, message_id="3EB0")
    stub.tell("outcome", said, message_id="3EB1")
    time.sleep(_EVER)


def nonsense(stub: Stub) -> None:
    """Say what is no outcome."""
    stub.connect()
    stub.tell("outcome", stub.hear(), surprise="31600900001@s.whatsapp.net")
    time.sleep(_EVER)


def garbage(stub: Stub) -> None:
    """Say what is no object."""
    stub.connect()
    with stub.channel.writing:
        stub.channel.put(b"\xff\xfe")
    time.sleep(_EVER)


HOW: dict[str, Callable[[Stub], None]] = {
    how.__name__: how
    for how in (
        behave,
        panic,
        fatal,
        exhausted,
        crash,
        leave,
        mute,
        never_login,
        grow,
        never_stop,
        read_nothing,
        prepare,
        babble,
        nonsense,
        garbage,
    )
}


def _complain(*lines: str) -> None:
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def main(how: str, handle: int) -> NoReturn:
    """Behave in this way until the end, or until the parent is gone."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        HOW[how](Stub(handle))
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
