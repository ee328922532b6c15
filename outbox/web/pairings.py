"""The pairings of this process: each in a thread of its own, with what it shows at the moment.

Invariants: an account has at most one, which holds the account's lease (`outbox.delivery.pairing`).
When the process stops they end and give it back. What came of one is remembered for some minutes,
so that whoever began it is told.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Final, Literal

import psycopg
import structlog

from outbox.delivery import pairing
from outbox.delivery.about import describe_worker
from outbox.errors import StaleEpoch
from outbox.session.linking import LinkingError, NobodyScannedError
from outbox.web.handlers import SOON
from outbox.web.problems import ProblemError, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from outbox.log.database import Connection
    from outbox.session.linking import Linking, Shown

MOST: Final = 3
"""At the same time: each has a connection to the database, and with WhatsApp a process of 90 MB."""
_BEGIN_SECONDS: Final = 15.0
"""How long whoever begins one waits to hear whether the account is to be had."""
_END_SECONDS: Final = 5.0
"""How long whoever ends one waits until it has."""
_REMEMBERED_SECONDS: Final = 300.0

_log: Any = structlog.get_logger()

Standing = Literal["starting", "showing", "paired", "refused", "timed_out", "stopped"]


@dataclass(frozen=True, slots=True)
class State:
    """Where a pairing stands."""

    standing: Standing
    until: float
    """By the monotonic clock: when it ends of itself; once it has ended, when it is forgotten."""
    shown: Shown | None = None
    jid: str | None = None
    """Of the device, once paired."""
    reason: str | None = None
    """Why it was refused."""

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.standing in {"starting", "showing"}

    @property
    def seconds_left(self) -> int | None:
        """Until it ends of itself; None if it has ended."""
        return max(0, round(self.until - time.monotonic())) if self.runs else None


class Pairings:
    """Begins, knows and ends them.

    Args:
        linking: What links accounts, or why there is none.
        connect: Opens a connection to the database.
        closing: Set when the process stops.
    """

    def __init__(
        self, linking: Linking | str, connect: Callable[[], Connection], closing: Event
    ) -> None:
        self._linking = linking
        self._connect = connect
        self._closing = closing
        self._lock = Lock()
        self._all: dict[str, _Pairing] = {}
        self._listeners: list[Callable[[], None]] = []

    @property
    def why_not(self) -> str | None:
        """Why there is nothing to pair with; None if there is."""
        return self._linking if isinstance(self._linking, str) else None

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Tell somebody whenever one has changed; return what ends it.

        The listener is called in a pairing's thread, so it returns soon.
        """
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return stop

    def of(self, account: str) -> State | None:
        """Return where the account's latest stands, unless that was some minutes ago."""
        with self._lock:
            one = self._all.get(account)
            if one is None:
                return None
            state = one.state
            if not state.runs and state.until < time.monotonic():
                del self._all[account]
                return None
            return state

    def begin(self, account: str, number: str | None, token: str) -> State:
        """Begin one.

        Args:
            account: The account.
            number: Of the phone, in digits, to have a code to type.
            token: The name of the token of who asked for it.

        Raises:
            NotNowError: The account's state does not allow it.
            ProblemError: One runs, too many do, or there is nothing to pair with.
        """
        linking = self._possible()
        with self._lock:
            running = [name for name, one in self._all.items() if one.state.runs]
            if account in running:
                found = f"A pairing of account {account} runs"
                raise ProblemError(problem("being_paired", found))
            if len(running) >= MOST:
                raise ProblemError(problem("too_many_pairings", f"{MOST} pairings run"))
            who = pairing.Whoever(describe_worker(), {"token": token})
            one = _Pairing(self, account, number, who, linking)
            self._all[account] = one
        one.thread.start()
        one.begun.wait(_BEGIN_SECONDS)
        if one.not_now is not None:
            with self._lock:
                if self._all.get(account) is one:
                    del self._all[account]
            raise one.not_now
        return one.state

    def stop(self, account: str) -> None:
        """End the account's, if one runs, and give the account back."""
        with self._lock:
            one = self._all.get(account)
        if one is not None:
            one.stopped.set()
            one.thread.join(_END_SECONDS)

    def unpair(self, account: str, token: str, *, tell: bool) -> None:
        """Log an account out, as `outbox.delivery.pairing.unpair` does.

        Raises:
            NotNowError: The account's state does not allow it.
            LinkingError: The phone's side could not be told.
            ProblemError: There is nothing to pair with, or the database is away.
        """
        linking = self._possible()
        who = pairing.Whoever(describe_worker(), {"token": token})
        try:
            with self._connect() as connection:
                pairing.unpair(connection, linking, account, who, tell=tell)
        except ConnectionError as error:
            raise ProblemError(problem("unavailable", str(error)), SOON) from None
        with self._lock:
            self._all.pop(account, None)

    def join(self) -> None:
        """Wait until all have ended, which they do once the process is closing."""
        with self._lock:
            threads = [one.thread for one in self._all.values()]
        for thread in threads:
            thread.join(_END_SECONDS)

    def _possible(self) -> Linking:
        if isinstance(self._linking, str):
            raise ProblemError(problem("no_pairing", self._linking))
        return self._linking

    # What a pairing needs.

    def tell(self) -> None:
        """Tell the listeners."""
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            with suppress(RuntimeError):  # the loop of an open page has ended
                listener()

    def open(self) -> Connection:
        """Open a connection to the database."""
        return self._connect()

    @property
    def is_closing(self) -> bool:
        """Whether the process stops."""
        return self._closing.is_set()


class _StoppedError(Exception):
    """Somebody has ended the pairing."""


class _Pairing:
    """One of them."""

    def __init__(
        self,
        all_: Pairings,
        account: str,
        number: str | None,
        who: pairing.Whoever,
        linking: Linking,
    ) -> None:
        self.state = State("starting", time.monotonic() + linking.patience)
        self.begun, self.stopped = Event(), Event()
        self.not_now: pairing.NotNowError | None = None
        self.thread = Thread(target=self._run, name=f"pairing {account}", daemon=True)
        self._all = all_
        self._account = account
        self._number = number
        self._who = who
        self._linking = linking

    def _run(self) -> None:
        try:
            jid = self._pair()
        except pairing.NotNowError as error:
            self.not_now = error
            self._end("refused", reason=str(error))
        except _StoppedError:
            self._end("stopped")
        except NobodyScannedError:
            self._end("timed_out")
        except LinkingError as error:
            self._end("refused", reason=str(error))
        except StaleEpoch:
            self._end("refused", reason="the account was lost to somebody else meanwhile")
        except (psycopg.OperationalError, psycopg.InterfaceError, ConnectionError):
            _log.exception("pairing failed", account=self._account)
            self._end("refused", reason="the database was lost meanwhile")
        except Exception:  # noqa: BLE001 - whoever waits for it has to hear that it is over
            _log.exception("pairing failed", account=self._account)
            self._end("refused", reason="an unexpected error, which is in the log of outbox web")
        else:
            self._end("paired", jid=jid)

    def _pair(self) -> str:
        with self._all.open() as connection:
            return pairing.pair(
                connection,
                self._linking,
                self._account,
                self._who,
                self._show,
                self._number,
                self._wait,
            )

    def _show(self, shown: Shown) -> None:
        self.state = replace(self.state, standing="showing", shown=shown)
        self._all.tell()
        self._wait()

    def _wait(self) -> None:
        self.begun.set()
        if self.stopped.is_set() or self._all.is_closing:
            raise _StoppedError

    def _end(self, standing: Standing, jid: str | None = None, reason: str | None = None) -> None:
        until = time.monotonic() + _REMEMBERED_SECONDS
        self.state = State(standing, until, jid=jid, reason=reason)
        _log.info("pairing ended", account=self._account, standing=standing)
        self.begun.set()
        self._all.tell()
