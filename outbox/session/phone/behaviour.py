"""How a phone behaves: its steady manners, and the faults that strike chosen frames."""

from __future__ import annotations

import fnmatch
import random
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

ReceiptKind = Literal["delivered", "read", "played"]
StandingKind = Literal["offline", "logged_out", "banned", "outdated"]
FaultKind = Literal[
    "drop_before_trace",
    "drop_before_frame",
    "drop_after_frame",
    "fail",
    "reject",
    "silence",
    "replace",
    "log_out",
    "ban",
    "outdate",
]
ANY = "*"


class _Known:
    """Built from JSON, which must name only what is known."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return what these values state.

        Raises:
            ValueError: there is no such field, or a value that it cannot have.
        """
        try:
            return cls(**values)
        except TypeError as wrong:
            raise ValueError(f"{cls.__name__}: {wrong}") from wrong

    def to_json(self) -> dict[str, Any]:
        """Return what `of` reads."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True, slots=True)
class Behaviour(_Known):
    """What holds for every frame. Times are seconds, probabilities 0 to 1."""

    latency: float = 0.0
    """From a frame to its acknowledgement, on average."""
    jitter: float = 0.0
    """How far the latency strays to either side, evenly."""
    delivered: float | None = None
    """From a frame to the receipt; None: there is none."""
    read: float | None = None
    played: float | None = None
    duplicate: float = 0.0
    """The probability that a receipt comes twice."""
    stray: float = 0.0
    """The probability that a receipt comes with one for a message that nobody sent."""
    code: float = 20.0
    """How long a QR code can be used; then comes the next, and after the sixth none."""
    seed: int = 0
    """What everything drawn by lot is drawn from."""

    def receipts(self) -> list[tuple[ReceiptKind, float]]:
        """Return which receipts a frame gets, and when."""
        delays = {"delivered": self.delivered, "read": self.read, "played": self.played}
        return [
            (kind, delay) for kind in get_args(ReceiptKind) if (delay := delays[kind]) is not None
        ]


@dataclass(frozen=True, slots=True)
class Fault(_Known):
    """What befalls some frames.

    `drop_before_trace`: the connection drops and neither trace nor frame was received.
    `drop_before_frame`: the trace is there, the frame was not received.
    `drop_after_frame`: the frame is in the ledger, its acknowledgement never comes.
    `fail` and `reject`: answered with an error, transient or permanent; not received.
    `silence`: received, and never acknowledged; the connection stays.
    `replace`, `log_out`, `ban`, `outdate`: the connection ends so, before the frame is received.
    """

    do: FaultKind
    account: str = ANY
    """A pattern with `*`, as is `jid`."""
    jid: str = ANY
    after: int = 0
    """How many frames that match pass unharmed first."""
    times: int | None = 1
    """How many frames it strikes; None: every one that matches."""
    probability: float = 1.0
    error: str = "server returned error 503"
    """WhatsApp's words, for `fail` and `reject`."""
    seconds: float | None = None
    """How long a ban lasts; None: until it is lifted."""

    def __post_init__(self) -> None:
        if self.do not in get_args(FaultKind):
            raise ValueError(f"there is no fault {self.do!r}")


class Fate:
    """Decides what befalls a frame: the first of the faults that strikes it."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._armed: list[_Armed] = []
        self.behave(behaviour)

    def behave(self, behaviour: Behaviour) -> None:
        """Behave so from now on; lots are drawn from its seed again."""
        self.behaviour = behaviour
        # Two, so that a fault's lots do not depend on how many acknowledgements had jitter.
        self._lots = random.Random(f"faults {behaviour.seed}")  # noqa: S311 - to be repeated
        self._times = random.Random(f"times {behaviour.seed}")  # noqa: S311 - to be repeated

    def add(self, fault: Fault) -> None:
        """Let this fault strike, too, after those that there are."""
        self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Let no fault strike any more."""
        self._armed.clear()

    def befalls(self, account: str, jid: str, *, trace: bool) -> Fault | None:
        """Return what befalls this frame, or with `trace` the trace that comes before it."""
        for armed in self._armed:
            if (armed.fault.do == "drop_before_trace") is trace and armed.strikes(
                account, jid, self._lots
            ):
                if armed.fault.times == armed.struck:
                    self._armed.remove(armed)
                return armed.fault
        return None

    def latency(self) -> float:
        """Return the seconds until this frame is acknowledged."""
        behaviour = self.behaviour
        if not behaviour.jitter:
            return behaviour.latency
        return max(0.0, behaviour.latency + behaviour.jitter * (2.0 * self._times.random() - 1.0))

    def happens(self, probability: float) -> bool:
        """Draw a lot."""
        return probability > 0.0 and self._times.random() < probability


class _Armed:
    """A fault, and how often it has had its chance."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.passed = 0
        self.struck = 0

    def strikes(self, account: str, jid: str, lots: random.Random) -> bool:
        fault = self.fault
        if not fnmatch.fnmatchcase(account, fault.account) or not fnmatch.fnmatchcase(
            jid, fault.jid
        ):
            return False
        if self.passed < fault.after:
            self.passed += 1
            return False
        if fault.probability < 1.0 and lots.random() >= fault.probability:
            return False
        self.struck += 1
        return True
