"""The options of a notification, judged as the SQL function `option_problem` judges them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypedDict

from outbox.content.refused import unstorable
from outbox.errors import refusal

ACCOUNT: Final = "main"
"""The account that sends unless another one is named."""
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""What is past means now, however long past."""
LATEST: Final = datetime(3000, 1, 1, tzinfo=UTC)
LONGEST: Final = timedelta(days=36525)
"""A hundred years: beyond it is a mistake, and further still no clock of Python's would read it."""
LONGEST_KEY: Final = 255
PRIORITIES: Final = range(-32768, 32768)
ATTEMPTS: Final = range(1, 1001)

_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")


class Options(TypedDict, total=False):
    """What may be said of a notification besides its recipient and content; None means not given.

    What is not given is the account's policy's, or as stated.
    """

    idempotency_key: str | None
    """The same key, recipient and content return the first id again: 1 to 255 characters."""
    priority: int | None
    """-32768 to 32767, higher goes first; 0 unless given."""
    send_at: datetime | None
    """Not before this moment, with its time zone; now unless given."""
    expires_in: timedelta | None
    """Counted from `send_at`; what is not sent by then expires."""
    max_attempts: int | None
    """Attempts that may fail, 1 to 1000."""
    on_unknown: Literal["resend", "hold"] | None
    """After an attempt of unknown outcome: at least once, or at most once."""
    retry_after: timedelta | None
    """The delay after the first failure, which doubles with each one."""
    retry_limit: timedelta | None
    """The longest delay."""
    metadata: Mapping[str, Any] | None
    """A JSON object, kept in the log for ever: no personal data."""


def judge_account(account: object) -> str:
    """Return the name of an account.

    Raises:
        InvalidOption: It is none.
    """
    if isinstance(account, str) and _ACCOUNT.fullmatch(account):
        return account
    raise refusal("bad_account", _shown(account))


def judge_names(given: Mapping[str, object]) -> None:
    """Refuse an option that there is not.

    Raises:
        InvalidOption: There is one.
    """
    unknown = given.keys() - _JUDGES.keys()
    if unknown:
        raise refusal("unknown_option", ", ".join(sorted(map(str, unknown))))


def judge(given: Mapping[str, object]) -> dict[str, Any]:
    """Return the options that are given, as the members of a JSON object.

    Raises:
        InvalidOption: One is out of its range.
        ExpiryInPast: `expires_in` is not positive.
        InvalidContent: A text cannot be stored.
    """
    judged = {
        name: judge_one(given[name])
        for name, judge_one in _JUDGES.items()
        if given.get(name) is not None
    }
    after, limit = given.get("retry_after"), given.get("retry_limit")
    if isinstance(after, timedelta) and isinstance(limit, timedelta) and limit < after:
        raise refusal("bad_retry", f"{_interval(after)}, {_interval(limit)}")
    return judged


def _key(given: object) -> str:
    if not isinstance(given, str) or not 1 <= len(given) <= LONGEST_KEY:
        raise refusal("bad_idempotency_key", _shown(given))
    unstorable({"idempotency_key": given})
    return given


def _integer(rule: str, allowed: range) -> Callable[[object], int]:
    def judge_one(given: object) -> int:
        if isinstance(given, int) and not isinstance(given, bool) and given in allowed:
            return int(given)
        raise refusal(rule, _shown(given))

    return judge_one


def _send_at(given: object) -> str:
    if not isinstance(given, datetime):
        raise refusal("bad_send_at", _shown(given), "Give a datetime.datetime.")
    if given.utcoffset() is None:
        raise refusal("bad_send_at", given.isoformat(), "Give it a tzinfo, such as datetime.UTC.")
    if given >= LATEST:
        raise refusal("bad_send_at", given.isoformat())
    return max(given, EARLIEST).astimezone(UTC).isoformat()


def _duration(rule: str) -> Callable[[object], str]:
    def judge_one(given: object) -> str:
        if not isinstance(given, timedelta):
            raise refusal(rule, _shown(given), "Give a datetime.timedelta.")
        if given > LONGEST:
            raise refusal(rule, _interval(given))
        if given < timedelta():
            raise refusal("expiry_in_past" if rule == "bad_expires_in" else rule, _interval(given))
        return _interval(given)

    return judge_one


def _expires_in(given: object) -> str:
    if given == timedelta():
        raise refusal("expiry_in_past", _interval(timedelta()))
    return _duration("bad_expires_in")(given)


def _on_unknown(given: object) -> str:
    if given == "resend" or given == "hold":  # noqa: PLR1714 - it need not be hashable
        return str(given)
    raise refusal("bad_on_unknown", _shown(given))


def _metadata(given: object) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise refusal("bad_metadata", _shown(given))
    try:
        written = json.dumps(dict(given), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise refusal("bad_metadata", _shown(given), f"JSON has no such value: {error}.") from None
    read: dict[str, Any] = json.loads(written)
    unstorable({"metadata": read})
    return read


def _interval(given: timedelta) -> str:
    """Return a duration as PostgreSQL reads it, in seconds: its days have 23 hours at times."""
    sign = "-" if given < timedelta() else ""
    whole = abs(given)
    return f"{sign}{whole.days * 86400 + whole.seconds}.{whole.microseconds:06d} seconds"


def _shown(given: object) -> str:
    return given if isinstance(given, str) else repr(given)


_JUDGES: Final[dict[str, Callable[[object], object]]] = {
    "idempotency_key": _key,
    "priority": _integer("bad_priority", PRIORITIES),
    "send_at": _send_at,
    "expires_in": _expires_in,
    "max_attempts": _integer("bad_max_attempts", ATTEMPTS),
    "on_unknown": _on_unknown,
    "retry_after": _duration("bad_retry"),
    "retry_limit": _duration("bad_retry"),
    "metadata": _metadata,
}
