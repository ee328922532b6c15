"""A neonize client that connects in a thread of its own, and what its events mean.

neonize delivers those events only that have a handler before `connect`, and swallows what a handler
raises. Every end of the connection is the end of this process: whatsmeow would reconnect by itself.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from neonize.events import (
    ClientOutdatedEv,
    ConnectedEv,
    ConnectFailureEv,
    DisconnectedEv,
    KeepAliveTimeoutEv,
    LoggedOutEv,
    StreamErrorEv,
    StreamReplacedEv,
    TemporaryBanEv,
)
from neonize.proto import Neonize_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from neonize.client import NewClient

    from outbox.session.whatsapp.process.main import End

_KEEP_ALIVE_FAILURES = 3
"""whatsmeow asks every 20 to 30 s and waits 10; after three in vain the server is gone."""
_DELETION_SECONDS = 0.5
"""whatsmeow deletes the login of an account that was logged out beside telling of it."""
_STOP_SECONDS = 1.0
"""How long the goodbye may take."""
_PASSING_FAILURES = ("INTERNAL_SERVER_ERROR", "EXPERIMENTAL", "SERVICE_UNAVAILABLE")
_PASSING_ERRORS = ("500", "503", "515")


class Ended(NamedTuple):
    """The end of a connection, in the words of the port."""

    kind: str
    reason: str
    retry_after: float | None = None


_UNNAMED = {
    "required field neonize.ConnectFailure": Ended(
        "halted", "WhatsApp refused the login for a reason that neonize has no name for"
    ),
    "required field neonize.TemporaryBan": Ended(
        "banned", "banned for a reason that neonize has no name for"
    ),
}
"""Words by which neonize cannot pack an event with an unknown reason that ends the connection."""


def watch(client: NewClient, connected: Callable[[], None], end: End) -> None:
    """Register what a connection has to be told of; call it before `connect`.

    Args:
        client: The client.
        connected: Called, in neonize's thread, when it is logged in.
        end: How this process ends.
    """
    once = threading.Lock()

    def on_connected(_client: NewClient, _event: object) -> None:
        if once.acquire(blocking=False):
            connected()
        else:
            end.saying("disconnected", "the connection was lost and built anew by whatsmeow")

    client.event(ConnectedEv)(on_connected)
    for event, meaning in _MEANINGS.items():
        client.event(event)(_ending(meaning, end))


def connect(client: NewClient, end: End) -> None:
    """Begin to connect, in a thread of its own; whatever ends it ends this process."""

    def run() -> None:
        try:
            client.connect()
            reason = "whatsmeow ended the connection"
        except Exception as error:  # noqa: BLE001  # neonize raises of several kinds
            # Also for an event that it cannot pack, after which it would be deaf: an unknown word.
            reason = str(error)
        unnamed = next((ended for name, ended in _UNNAMED.items() if name in reason), None)
        end.saying(*(unnamed or Ended("disconnected", reason)))

    threading.Thread(target=run, name="connect", daemon=True).start()


def say_goodbye(client: NewClient, end: End) -> None:
    """Disconnect, if that takes no longer than a moment, and end this process."""
    goodbye = threading.Thread(target=client.disconnect, daemon=True)
    goodbye.start()
    goodbye.join(_STOP_SECONDS)
    end.at_once()


def _ending(meaning: Callable[[Any], Ended | None], end: End) -> Callable[[NewClient, Any], None]:
    def handler(_client: NewClient, event: Any) -> None:  # noqa: ANN401  # protobuf messages
        ended = meaning(event)
        if ended is None:
            return
        if ended.kind == "logged_out":
            time.sleep(_DELETION_SECONDS)
        end.saying(*ended)

    return handler


# What each event means. Reasons by number: https://pkg.go.dev/go.mau.fi/whatsmeow/types/events


def _logged_out(event: Any) -> Ended:  # noqa: ANN401
    when = "at login" if event.OnConnect else "while connected"
    return Ended("logged_out", f"WhatsApp logged the account out {when}: {_reason(event.Reason)}")


def _banned(event: Any) -> Ended:  # noqa: ANN401
    why = Neonize_pb2.TemporaryBan.TempBanReason.Name(event.Code).lower().replace("_", " ")
    return Ended("banned", f"banned for {event.Expire} s: {why}", float(event.Expire))


def _outdated(_event: object) -> Ended:
    return Ended("outdated", "WhatsApp wants a newer client: upgrade neonize")


def _replaced(_event: object) -> Ended:
    return Ended("replaced", "another client has connected as this device")


def _failed(event: Any) -> Ended:  # noqa: ANN401
    reason = _reason(event.Reason)
    kind = "disconnected" if reason in map(_words, _PASSING_FAILURES) else "halted"
    return Ended(kind, f"WhatsApp refused the login: {reason} {event.Message}".rstrip())


def _stream_error(event: Any) -> Ended:  # noqa: ANN401
    kind = "disconnected" if event.Code in _PASSING_ERRORS else "halted"
    return Ended(kind, f"WhatsApp ended the stream with error {event.Code or 'unnamed'}")


def _disconnected(_event: object) -> Ended:
    return Ended("disconnected", "the connection was lost")


def _kept_waiting(event: Any) -> Ended | None:  # noqa: ANN401
    if event.ErrorCount < _KEEP_ALIVE_FAILURES:
        return None
    return Ended("disconnected", f"WhatsApp did not answer {event.ErrorCount} times in a row")


def _reason(number: int) -> str:
    return _words(Neonize_pb2.ConnectFailureReason.Name(number))


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


_MEANINGS: dict[type, Callable[[Any], Ended | None]] = {
    LoggedOutEv: _logged_out,
    TemporaryBanEv: _banned,
    ClientOutdatedEv: _outdated,
    StreamReplacedEv: _replaced,
    ConnectFailureEv: _failed,
    StreamErrorEv: _stream_error,
    DisconnectedEv: _disconnected,
    KeepAliveTimeoutEv: _kept_waiting,
}
