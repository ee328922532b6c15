"""The session with WhatsApp: the port, filled by one supervised process after the other.

whatsapp:?capacity=8&acknowledge_within=90
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from outbox.session.consent import Words
from outbox.session.port import Outcome, attempt_secret
from outbox.session.whatsapp.child import Child
from outbox.session.whatsapp.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from outbox.session.port import Attempt, Emit, Media, OpenSession
    from outbox.session.whatsapp.store import Store

PROGRAM = ("outbox.session.whatsapp.process",)
"""The module that a session process runs."""
_WORDS = Words()


def open_whatsapp(
    url: str, store: Store, *, words: Words = _WORDS, program: Sequence[str] = PROGRAM
) -> OpenSession:
    """Return what opens sessions with WhatsApp.

    Args:
        url: whatsapp: and perhaps options.
        store: Where logins are.
        words: By which people opt out and in.
        program: What a session process runs: a module and its arguments. Tests have one that talks
            to a server of theirs.

    Raises:
        ValueError: It is no such URL.
    """
    return partial(WhatsappSession, Options.parse(url), store, words, program)


class WhatsappSession:
    """A session with WhatsApp; it does nothing until told."""

    def __init__(
        self,
        options: Options,
        store: Store,
        words: Words,
        program: Sequence[str],
        account: str,
        emit: Emit,
        media: Callable[[str], Media],
    ) -> None:
        self._options = options
        self._store = store
        self._words = words
        self._program = program
        self._account = account
        self._emit = emit
        self._media = media
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._closed = False

    @property
    def capacity(self) -> int:
        """How many attempts it takes before an outcome is due."""
        return self._options.capacity

    @property
    def is_paced(self) -> bool:
        """People are on the other side, and an operator who bans."""
        return True

    def connect(self) -> None:
        """Begin to connect; a `Transition` tells how it went. Does nothing while connected."""
        with self._lock:
            self._refuse_closed()
            if self._child is None or self._child.is_over:
                self._child = Child(
                    self._account,
                    self._options,
                    self._program,
                    self._store,
                    self._words,
                    self._emit,
                    self._media,
                )

    def send(self, attempts: Sequence[Attempt]) -> None:
        """Take these attempts and return; without a connection each ends as `not_sent`."""
        self._refuse_closed()
        child = self._child
        if child is not None:
            child.send(attempts)
            return
        for attempt in attempts:
            self._emit(Outcome(attempt.notification, attempt.number, "not_sent"))

    def trace(self, attempts: Sequence[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], str]:
        """Return the message id of each of these attempts that left a trace.

        It needs a connection, since that is what tells a former one of the account, perhaps of a
        worker that only sleeps, that it has been replaced: nothing it still writes arrives.

        Raises:
            ConnectionError: The traces could not be read, which proves nothing.
        """
        self._refuse_closed()
        if self._child is None or not self._child.is_up:
            raise ConnectionError("the session is not connected")
        asked = {attempt_secret(*attempt): attempt for attempt in attempts}
        found = self._store.traces(self._account, list(asked))
        return {asked[secret]: message_id for secret, message_id in found.items()}

    def close(self) -> None:
        """End the connection within ten seconds, the outcomes of what is in flight first."""
        if self._child is not None and threading.current_thread() is self._child.thread:
            raise RuntimeError("an event of a session cannot wait for the session")
        with self._lock:
            self._closed = True
        if self._child is not None:
            self._child.close()

    def _refuse_closed(self) -> None:
        # After `close` nothing may come any more, so nothing may be taken either.
        if self._closed:
            raise RuntimeError(f"the session of account {self._account!r} is closed")
