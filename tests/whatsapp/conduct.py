"""How WhatsApp treats an account: well, until a test says otherwise."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.whatsapp.nodes import Jid

BANNED, LOGGED_OUT, OUTDATED, UNAVAILABLE = 402, 401, 405, 503
"""Reasons for which a login is refused."""

Fate = Literal["dropped", "dropped unanswered", "ignored", "answered"]


@dataclass(slots=True)
class Ban:
    """A ban that ends by itself."""

    code: int
    until: float
    """As `time.monotonic` has it."""


@dataclass(slots=True)
class Conduct:
    """What is done with logins and messages; a new one is as at the beginning."""

    failure: int | None = None
    """Refuses logins, for this reason."""
    ban: Ban | None = None
    refused: dict[Jid, int] = field(default_factory=dict)
    """Answers messages to these recipients with an error."""
    all_refused: int | None = None
    is_silent: bool = False
    """Answers no messages."""
    is_stalled: bool = False
    """Answers nothing."""
    frames_to_drop: int = 0
    """Which message from now on is not received, but dropped with the connection."""
    acknowledgements_to_drop: int = 0
    """Which message from now on is received, but the connection dropped instead of an answer."""

    def refusal(self) -> dict[str, str] | None:
        """Return with which attributes a login fails now, if it does."""
        if self.ban and (left := math.ceil(self.ban.until - time.monotonic())) > 0:
            return {"reason": str(BANNED), "code": str(self.ban.code), "expire": str(left)}
        return None if self.failure is None else {"reason": str(self.failure)}

    def error(self, recipient: Jid) -> int | None:
        """Return the code with which a message to this recipient is refused, if it is."""
        return self.refused.get(recipient, self.all_refused)

    def fate(self) -> Fate:
        """Return what happens to the message that has just come."""
        self.frames_to_drop -= 1
        self.acknowledgements_to_drop -= 1
        if self.frames_to_drop == 0:
            return "dropped"
        if self.acknowledgements_to_drop == 0:
            return "dropped unanswered"
        return "ignored" if self.is_silent or self.is_stalled else "answered"
