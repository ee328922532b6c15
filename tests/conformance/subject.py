"""What the suite needs of an implementation that it puts to the test.

Nothing here knows how an implementation is stimulated: the simulated session's phone is told over
its control channel, the session with WhatsApp talks to a server that the tests play.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from outbox.session.port import OpenSession, TransitionType


@dataclass(frozen=True)
class Received:
    """A message that the other side received and would show to its recipient."""

    jid: str
    message_id: str


class Stimulus(Protocol):
    """The other side of the account's session: WhatsApp's server and the recipients."""

    def drop(self) -> None:
        """Drop the connection now."""

    def drop_before_frame(self, nth: int = 1) -> None:
        """Drop the connection instead of receiving the nth frame from now on."""

    def drop_before_acknowledgement(self, nth: int = 1) -> None:
        """Receive the nth frame from now on, then drop the connection instead of answering."""

    def refuse(self, jid: str, *, permanently: bool) -> None:
        """Answer every frame to this recipient with an error; nobody receives it."""

    def silence(self) -> None:
        """Receive every frame from now on, and answer none."""

    def answer(self) -> None:
        """Answer frames again."""

    def replace(self) -> None:
        """End the session because another has taken its place."""

    def log_out(self) -> None:
        """End the session and refuse the account's logins: it was unlinked."""

    def ban(self, seconds: float) -> None:
        """End the session and refuse the account's logins for so long."""

    def outdate(self) -> None:
        """End the session and refuse the account's logins: its client is too old."""

    def offline(self) -> None:
        """Be unreachable: connections drop, and none is made."""

    def lift(self) -> None:
        """Be as at the beginning: reachable, and the account is welcome."""

    def receipt(self, message_id: str, kind: str) -> None:
        """Let a recipient's device report on a message, also in a way that nobody has heard of."""

    def write(self, jid: str, text: str) -> None:
        """Let a person write to the account; one that is away is told when it is there again."""

    def logins(self) -> int:
        """Return how often a session of the account was accepted."""

    def received(self) -> Sequence[Received]:
        """Return what was received from the account so far, in order."""

    def wait_received(self, count: int) -> None:
        """Return as soon as so many messages were received from the account.

        Raises:
            TimeoutError: they were not within some seconds.
        """


class Subject(Protocol):
    """An implementation, an account, and its other side."""

    @property
    def account(self) -> str:
        """The account's name."""

    @property
    def stimulus(self) -> Stimulus:
        """The other side."""

    @property
    def reconnects_within(self) -> float:
        """Seconds after which an implementation that reconnects by itself would have done so."""

    @property
    def at_once(self) -> int:
        """How many frames it lets leave before the first of them is acknowledged."""

    @property
    def survives_silence(self) -> bool:
        """Whether a connection stays on which an acknowledgement did not come in time."""

    @property
    def survives_the_unknown(self) -> bool:
        """Whether a connection stays on which a word came that nobody knows."""

    @property
    def hears_at_login(self) -> frozenset[TransitionType]:
        """What ends a connection without a word, and says why at the next login only."""

    def opener(self, *, acknowledge_within: float = 60.0, close_within: float = 0.5) -> OpenSession:
        """Return what opens sessions; it can be pickled, for a process of another's own.

        Args:
            acknowledge_within: the seconds after which a missing acknowledgement is `unknown`.
            close_within: the seconds that closing waits for what is in flight.
        """

    def left_running(self) -> Sequence[str]:
        """Name what sessions of the account have running or open, here or on the other side."""
