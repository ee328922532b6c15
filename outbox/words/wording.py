"""Plain words for what the log calls by its names: states, times, sizes, recipients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outbox.log.login import Login
    from outbox.log.overview import Account

STATE_STYLES = {
    "pending": "",
    "sending": "cyan",
    "unknown": "yellow",
    "sent": "green",
    "delivered": "green",
    "read": "green",
    "played": "green",
    "rejected": "red",
    "expired": "red",
    "exhausted": "red",
    "cancelled": "dim",
}
"""How a notification's state looks."""

CONNECTION_STYLES = {
    "free": "dim",
    "owned": "yellow",
    "connecting": "yellow",
    "connected": "green",
    "disconnected": "yellow",
    "waiting": "yellow",
    "pairing": "red",
    "paired": "yellow",
    "fenced": "yellow",
    "logged_out": "red",
    "banned": "red",
    "outdated": "red",
    "halted": "red",
    "draining": "yellow",
}
"""How the state of a connection looks: red needs a person."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def span(seconds: float) -> str:
    """Return a length of time in its two largest units: 3 h 20 min."""
    seconds = abs(seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:  # noqa: PLR2004 - below ten, tenths are worth saying
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    for unit, name, below, lesser in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // below
            return f"{whole // unit} {name}" + (f" {rest} {lesser}" if rest else "")
    return f"{whole} s"


def clock(moment: datetime, now: datetime | None = None) -> str:
    """Return a moment in the reader's own time zone; today's without its date."""
    local = moment.astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M:%S}"


def when(moment: datetime, now: datetime) -> str:
    """Return a moment and how far away it is: 14:03:10 (in 8 s)."""
    away = (moment - now).total_seconds()
    return f"{clock(moment, now)} ({'in ' + span(away) if away > 0 else span(away) + ' ago'})"


def ago(moment: datetime | None, now: datetime) -> str:
    """Return how long ago a moment was, in a table's cell."""
    return span((now - moment).total_seconds()) if moment else ""


def recipient(jid: str | None) -> str:
    """Return a recipient as people write it: a number where it has one."""
    if jid is None:
        return "(erased)"
    user, _, server = jid.partition("@")
    return f"+{user}" if server == "s.whatsapp.net" else jid


def size(count: int) -> str:
    """Return a number of bytes: 1.2 MiB."""
    if count < 1024:  # noqa: PLR2004
        return f"{count} bytes"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024:  # noqa: PLR2004
            return f"{amount:.1f} {unit}"
    return f"{amount / 1024:.1f} TiB"


def number(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: 1 notification, 2 notifications."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def device(jid: str | None) -> str:
    """Return the number of an account's device."""
    return "nobody" if jid is None else "+" + jid.partition("@")[0].partition(":")[0]


def connection(account: Account | Login, now: datetime) -> tuple[str, str]:
    """Return where an account's connection stands, in plain words, and how it looks."""
    because = f": {account.reason}" if account.reason else ""
    again = f" at {when(account.reconnect_at, now)}" if account.reconnect_at else ""
    since = f" for {ago(account.connected_at, now)}" if account.connected_at else ""
    words = {
        "free": "not connected, no owner",
        "owned": "not connected yet",
        "connecting": "connecting",
        "connected": f"connected{since}",
        "disconnected": f"connection lost{because}",
        "waiting": f"connection lost, next try{again or ' soon'}{because}",
        "pairing": "waits to be paired: scan the code",
        "paired": "paired, not connected yet",
        "fenced": f"replaced by another client{because}",
        "logged_out": f"logged out, has to be paired again{because}",
        "banned": f"banned{', next try' + again if again else ''}{because}",
        "outdated": f"WhatsApp wants a newer client{because}",
        "halted": f"halted{because}",
        "draining": "its worker is stopping",
    }
    state = account.state
    return words.get(state, state), CONNECTION_STYLES.get(state, "")


def pace(account: Account, now: datetime) -> list[str]:
    """Return what holds back the next message and the next stranger of an account, in plain words.

    Nothing of an account that is not paced, or that may send at once to whom it likes.
    """
    said = []
    if account.next_send_at and account.next_send_reason == "throttled":
        said.append(f"throttled by WhatsApp until {when(account.next_send_at, now)}")
    elif account.next_send_at and account.next_send_reason == "pace":
        away = span((account.next_send_at - now).total_seconds())
        said.append(f"next send in {away}: {account.messages_a_minute:g} messages a minute")
    if account.next_stranger_at and account.next_stranger_reason == "restricted":
        until = when(account.next_stranger_at, now)
        said.append(f"no strangers until {until}: WhatsApp refused one (463)")
    elif account.strangers_left is not None:
        left = f"strangers: {account.strangers_left} of {account.strangers_a_day} left today"
        if account.next_stranger_at and account.next_stranger_reason == "strangers":
            left += f", the next at {when(account.next_stranger_at, now)}"
        said.append(left)
    return said


def worker(about: object) -> str:
    """Return which worker something was: its dyno or host, and its process."""
    if not isinstance(about, dict) or not about:
        return ""
    place = about.get("dyno") or about.get("host") or "?"
    return f"{place} (process {about['process']})" if "process" in about else str(place)


def seconds(length: timedelta) -> str:
    """Return a length of time as `span` does."""
    return span(length.total_seconds())
