"""The simulated session and its phone, as a subject of the suite."""
# ruff: noqa: D102 - these methods are explained where the suite asks for them

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import enumerate as running_threads

from outbox.session.linking import Shown
from outbox.session.phone import Control, Fault, Phone
from outbox.session.port import OpenSession, TransitionType
from outbox.session.simulated import open_simulated
from outbox.session.simulated_linking import SimulatedLinking
from tests.conformance.subject import Received


class SimulatedStimulus:
    """The phone's control channel, in the suite's words."""

    def __init__(self, phone: Phone, control: Control, account: str) -> None:
        self._phone = phone
        self._control = control
        self._account = account

    def drop(self) -> None:
        self._control.drop(self._account)

    def drop_before_frame(self, nth: int = 1) -> None:
        self._control.fault(Fault("drop_before_frame", account=self._account, after=nth - 1))

    def drop_before_acknowledgement(self, nth: int = 1) -> None:
        self._control.fault(Fault("drop_after_frame", account=self._account, after=nth - 1))

    def refuse(self, jid: str, *, permanently: bool) -> None:
        fault = Fault("fail", account=self._account, jid=jid, times=None)
        self._control.fault(replace(fault, do="reject") if permanently else fault)

    def silence(self) -> None:
        self._control.fault(Fault("silence", account=self._account, times=None))

    def answer(self) -> None:
        self._control.heal()

    def replace(self) -> None:
        self._control.replace(self._account)

    def log_out(self) -> None:
        self._control.unlink(self._account)

    def ban(self, seconds: float) -> None:
        self._control.stand("banned", self._account, seconds)

    def outdate(self) -> None:
        self._control.stand("outdated", self._account)

    def offline(self) -> None:
        self._control.stand("offline")

    def lift(self) -> None:
        self._control.lift()
        linking = SimulatedLinking(self._phone.url)
        if not linking.is_paired(self._account):
            for shown in linking.pair(self._account):
                if isinstance(shown, Shown):
                    self._control.scan(shown.text)

    def receipt(self, message_id: str, kind: str) -> None:
        self._control.receipt(self._account, message_id, kind)

    def write(self, jid: str, text: str) -> None:
        self._control.write(self._account, jid, text)

    def logins(self) -> int:
        return int(self._control.stats().get("logins", 0))

    def received(self) -> Sequence[Received]:
        return [
            Received(frame.jid, frame.message_id)
            for frame in self._phone.frames()
            if frame.account == self._account
        ]

    def wait_received(self, count: int) -> None:
        self._control.wait("frames", count)


class SimulatedSubject:
    """A phone with one account."""

    account = "main"
    reconnects_within = 0.3
    at_once = 100
    survives_silence = True
    survives_the_unknown = True
    hears_at_login: frozenset[TransitionType] = frozenset()

    def __init__(self, phone: Phone, control: Control) -> None:
        self._phone = phone
        self._control = control
        self.stimulus = SimulatedStimulus(phone, control, self.account)

    def opener(self, *, acknowledge_within: float = 60.0, close_within: float = 0.5) -> OpenSession:
        return open_simulated(
            f"{self._phone.url}?acknowledge_within={acknowledge_within}&close_within={close_within}"
        )

    def left_running(self) -> Sequence[str]:
        threads = [
            thread.name
            for thread in running_threads()
            if thread.name.startswith(f"session {self.account}")
        ]
        # The phone learns a moment later than we do that we have hung up.
        while (stats := self._control.stats())["connected"]:
            self._control.wait("left", stats["logins"])
        return threads


@contextmanager
def simulated_subject(folder: Path) -> Iterator[SimulatedSubject]:
    """Yield a subject with a phone of its own."""
    with ExitStack() as stack:
        phone = stack.enter_context(Phone.start(folder))
        yield SimulatedSubject(phone, stack.enter_context(phone.control()))
