"""Recipients: numbers and JIDs, judged as the database's `outbox.jid` does, and then more.

A JID that this module returns is the one that the database returns for the same text. For a number
Python also asks the numbering plans, and refuses a number that no country could have: a caller who
knows better gives the JID instead of the number.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from outbox.errors import refusal

_SEPARATORS = "- .\u00a0"
_BESIDE_DIGITS = dict.fromkeys(map(ord, "+" + _SEPARATORS))
_NUMBER = re.compile(rf"\+[1-9]([{_SEPARATORS}]*[0-9])+")
_DIGITS = range(7, 16)
"""How many digits a number has: E.164 allows 15, and none in use has fewer than 7."""
_LONGEST = 64
_REMEMBERED: Final = 10_000
"""Recipients that were judged lately: some megabytes, and to ask a numbering plan takes long."""
_USER = re.compile(r"[1-9][0-9]{6,14}@s\.whatsapp\.net|[0-9]+@lid")
_OTHER = re.compile(r"[0-9]+(-[0-9]+)?@g\.us|[0-9]+@newsletter|status@broadcast")
_FOREIGN_JID = re.compile(r"\+?([1-9][0-9]{6,14})(:[0-9]+)?@(c\.us|s\.whatsapp\.net)")


def jid(to: str) -> str:
    """Return the JID of a recipient.

    Args:
        to: A number in international form (+44 7700 900123), or the JID of a user, group or
            newsletter, which is returned as it is.

    Raises:
        InvalidRecipient: it is neither, or the number fits no numbering plan.
    """
    if not isinstance(to, str):
        raise refusal("bad_recipient", str(to), _meant(str(to)))
    return _jid(to)


@lru_cache(_REMEMBERED)
def _jid(to: str) -> str:
    found = form(to)
    if found is None:
        raise refusal("bad_recipient", to, _meant(to))
    if to.startswith("+"):
        _check_plan(to, found)
    return found


def form(to: object) -> str | None:
    """Return the JID by the form of the text alone, or None: what the database's `jid` does."""
    if not isinstance(to, str) or len(to) > _LONGEST:
        return None
    if _NUMBER.fullmatch(to):
        digits = to.translate(_BESIDE_DIGITS)
        return f"{digits}@s.whatsapp.net" if len(digits) in _DIGITS else None
    return to if _USER.fullmatch(to) or _OTHER.fullmatch(to) else None


def digits(number: str) -> str:
    """Return the digits, with the country's, of a phone's number in international form, or a JID's.

    Raises:
        InvalidRecipient: It is no number of a phone.
    """
    found, _, kind = jid(number).partition("@")
    if kind != "s.whatsapp.net":
        raise refusal("bad_recipient", number, "It has to be the number of a phone.")
    return found


def is_user(to: object) -> bool:
    """Return whether this is a recipient and a person: only people are mentioned or send."""
    return _USER.fullmatch(form(to) or "") is not None


def _check_plan(to: str, found: str) -> None:
    digits = found.partition("@")[0]
    canonical = _canonical(to)
    if canonical is None:
        raise refusal(
            "bad_recipient",
            to,
            f"It fits no numbering plan; to skip this check write {found}.",
        )
    if canonical != f"+{digits}":
        raise refusal(
            "bad_recipient",
            to,
            f"Did you mean {canonical}? If not, write {found} to skip this check.",
        )


def _meant(to: str) -> str:
    """Return a question that offers what the text probably stands for, or nothing."""
    foreign = _FOREIGN_JID.fullmatch(to.strip())
    if foreign:
        return f"Did you mean {foreign[1]}@s.whatsapp.net?"
    canonical = _canonical(re.sub(r"^(00|\+)?", "+", to.strip()))
    return f"Did you mean {canonical}?" if canonical else ""


def _canonical(number: str) -> str | None:
    """Return the number as its country's plan writes it in E.164, or None if it has no such.

    Possible is asked for, not valid: the ranges that are assigned change faster than the library,
    and numbers reserved for examples, such as +44 7700 900123, are never assigned.
    """
    import phonenumbers  # noqa: PLC0415 - heavy, and not needed for a JID

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
