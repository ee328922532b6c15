"""The simulated session: a session with a phone (`outbox.session.phone`) instead of WhatsApp.

simulated://127.0.0.1:PORT?capacity=100&acknowledge_within=75
simulated:///path/to.sock
"""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from outbox.session.consent import Words
from outbox.session.flight import Parcel
from outbox.session.phone.address import Address
from outbox.session.phone.line import Line, encode
from outbox.session.phone.link import Link
from outbox.session.phone.loop import Loop
from outbox.session.phone.options import Options
from outbox.session.port import Outcome, attempt_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from outbox.session.port import Attempt, Emit, Media, OpenSession, OutcomeType

_WORDS = Words()


def open_simulated(url: str, words: Words = _WORDS) -> OpenSession:
    """Return what opens sessions with the phone at this URL; its query sets `Options`.

    Args:
        url: The phone's.
        words: By which people opt out and in.

    Raises:
        ValueError: it is no URL of a phone.
    """
    return partial(SimulatedSession, *parse_url(url), words)


def parse_url(url: str) -> tuple[Address, Options]:
    """Return where the phone at this URL listens, and what the query says of sessions with it.

    Raises:
        ValueError: it is no URL of a phone.
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if parts.scheme != "simulated" or bool(parts.netloc) is bool(path):
        raise ValueError(f"{url!r} is neither simulated://HOST:PORT nor simulated:///path")
    address = Address(path=path) if path else Address.parse(parts.netloc)
    return address, Options.parse(parts.query)


def message_id_of(secret: bytes) -> str:
    """Return the id of the message that an attempt with this secret sends.

    WhatsApp's clients draw theirs by lot; made from the secret, no two attempts share one.
    """
    return f"3EB0{hashlib.sha256(secret).digest()[:9].hex().upper()}"


class SimulatedSession:
    """A session with a phone. Its thread's name is the account's; it does nothing until told."""

    def __init__(
        self,
        address: Address,
        options: Options,
        words: Words,
        account: str,
        emit: Emit,
        media: Callable[[str], Media],
    ) -> None:
        self._account = account
        self._options = options
        self._media = media
        self._loop = Loop()
        self._link = Link(self._loop, address, options, words, account, emit)
        self._thread = threading.Thread(
            target=self._loop.run, args=(self._link,), name=f"session {account}", daemon=True
        )
        self._closed = False
        self._thread.start()

    @property
    def capacity(self) -> int:
        """How many attempts it takes before an outcome is due; what goes beyond waits here."""
        return self._options.capacity

    @property
    def is_paced(self) -> bool:
        """A phone takes messages as fast as they come."""
        return False

    def connect(self) -> None:
        """Begin to connect; a `Transition` tells how it went. Does nothing while connected."""
        self._tell(self._link.begin)

    def send(self, attempts: Sequence[Attempt]) -> None:
        """Take these attempts and return soon; without a connection each ends as `not_sent`.

        The media that their bodies name are fetched here, in the caller's thread.
        """
        up = self._link.up
        prepared = [self._prepare(one) if up else _outcome(one, "not_sent") for one in attempts]
        self._tell(partial(self._link.take, prepared))

    def trace(self, attempts: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], str]:
        """Return the message id of each of these attempts that left a trace; needs a connection.

        Raises:
            ConnectionError: the trace could not be read, which proves nothing.
        """
        self._refuse_own_thread()
        asked = {attempt_secret(*attempt).hex(): attempt for attempt in attempts}
        found: Future[dict[str, str]] = Future()
        self._tell(partial(self._link.ask, list(asked), found))
        try:
            traces = found.result(self._options.connect_within)
        except TimeoutError:
            raise ConnectionError("the phone did not answer") from None
        return {asked[secret]: message_id for secret, message_id in traces.items()}

    def close(self) -> None:
        """End the connection within ten seconds, the outcomes of what is in flight first."""
        self._refuse_own_thread()
        if not self._closed:
            self._closed = True
            self._loop.tell(self._link.finish)
        self._thread.join()
        self._loop.close()

    def _tell(self, command: Callable[[], None]) -> None:
        # After `close` nothing may come any more, so nothing may be taken either.
        if self._closed:
            raise RuntimeError(f"the session of account {self._account!r} is closed")
        self._loop.tell(command)

    def _refuse_own_thread(self) -> None:
        if threading.current_thread() is self._thread:
            raise RuntimeError("an event of a session cannot wait for the session")

    def _prepare(self, attempt: Attempt) -> Parcel | Outcome:
        """Return the attempt ready to leave, or why it never can."""
        message_id = message_id_of(attempt.secret)
        body = dict(attempt.content)
        media = []
        for digest in attempt.digests:
            try:
                media.append(self._describe(digest))
            except KeyError:
                return _outcome(attempt, "rejected", f"media {digest} was erased")
            except ConnectionError as error:
                return _outcome(attempt, "not_sent", f"media {digest}: {error}")
            except Exception as error:  # noqa: BLE001 - whatever it is, the attempt ends somehow
                return _outcome(attempt, "failed", f"media {digest}: {error!r}")
        head = {"message_id": message_id, "secret": attempt.secret.hex(), "jid": attempt.jid}
        frame: Line = {
            "type": "frame",
            **head,
            "notification": str(attempt.notification),
            "attempt": attempt.number,
            "body": body,
            "media": media,
        }
        try:
            data = encode({"type": "trace", **head}) + encode(frame)
        except (TypeError, ValueError) as wrong:
            return _outcome(attempt, "rejected", f"the body is not JSON: {wrong}")
        return Parcel(attempt.notification, attempt.number, message_id, data)

    def _describe(self, digest: str) -> Line:
        media = self._media(digest)
        return {"digest": digest, "mime": media.mime, "size": media.size}


def _outcome(attempt: Attempt, kind: OutcomeType, error: str | None = None) -> Outcome:
    return Outcome(attempt.notification, attempt.number, kind, error=error)
