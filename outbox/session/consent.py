"""The words by which a person opts out of an account's messages, or in again.

They are those that the CTIA's messaging principles ask of senders, and that carriers and Twilio
answer to (https://help.twilio.com/articles/223134027). A message counts if it is nothing but the
word: "Stop!" does, "stop by at six" does not.
"""

from __future__ import annotations

from typing import Final, NamedTuple

OUT: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
IN: Final = frozenset({"START", "UNSTOP"})


class Word(NamedTuple):
    """A word that somebody wrote."""

    text: str
    """As it stands in the lists."""
    opts_out: bool


def word_of(text: str) -> Word | None:
    """Return the word that a message consists of, if it is one of these."""
    word = text.strip().rstrip(".!").rstrip().upper()
    if word in OUT:
        return Word(word, opts_out=True)
    if word in IN:
        return Word(word, opts_out=False)
    return None
