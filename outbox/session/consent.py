"""The words by which a person opts out of an account's messages, or in again.

Unless the operator sets others they are those that the CTIA's messaging principles ask of senders,
and that carriers and Twilio answer to (https://help.twilio.com/articles/223134027). A message
counts if it is nothing but the word: "Stop!" does, "stop by at six" does not.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

OUT: Final = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT")
IN: Final = ("START", "UNSTOP")


class Word(NamedTuple):
    """A word that somebody wrote."""

    text: str
    """As it stands in the lists."""
    opts_out: bool


@dataclass(frozen=True, slots=True)
class Words:
    """The words that are recognised; with none in a list, nobody opts out, or in, by themselves.

    Raises:
        ValueError: A word would say both, or has nothing in it.
    """

    opt_out: Sequence[str] = OUT
    opt_in: Sequence[str] = IN

    def __post_init__(self) -> None:
        for word in (*self.opt_out, *self.opt_in):
            if not _plain(word):
                raise ValueError(f"{word!r} is no word: give letters or digits")
        opt_in = {_plain(word) for word in self.opt_in}
        for word in self.opt_out:
            if _plain(word) in opt_in:
                raise ValueError(f"{word} would opt out and in: take it out of one of the two")

    def found(self, text: str) -> Word | None:
        """Return the word that a message consists of, if it is one of these."""
        written = _plain(text)
        for opts_out, words in ((True, self.opt_out), (False, self.opt_in)):
            for word in words:
                if _plain(word) == written:
                    return Word(word, opts_out)
        return None


def _plain(text: str) -> str:
    """Return a text without what does not change which word it is."""
    return unicodedata.normalize("NFKC", text).strip().rstrip(".!").rstrip().casefold()
