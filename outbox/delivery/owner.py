"""The owner of an account: it alone hands the account's notifications to the session.

The way of a notification through it, and what a kill at each step leaves behind:

1. It holds the lease, with an epoch that everything it writes carries. Killed: the lease lapses,
   and whoever is next begins with a new epoch.
2. It keeps the queue in memory (`Lanes`), fed by the log. Killed: the next one builds the same.
3. It starts attempts: durable and counted before the session sees them. Killed before the frame
   left: the attempt is unknown, no trace is found, and it is made again at once.
4. The session sends and answers with outcomes. Killed before they are recorded: the attempt is
   unknown, a trace is found, and a receipt or the notification's policy settles it.
5. It records outcomes, those of the last batch together with the starts of the next, in one commit.

A lost database costs nothing either: outcomes wait in memory until they are recorded, and what was
started by a call whose answer was lost is found again and was not sent.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import structlog

from outbox.delivery.alarm import Alarm
from outbox.delivery.tenure import Tenure
from outbox.delivery.vigil import Vigil
from outbox.errors import StaleEpoch
from outbox.log import lease, media
from outbox.log.connection import record_transition
from outbox.log.database import connect
from outbox.log.listen import Listener
from outbox.session.port import Media

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from outbox.log.database import Connection
    from outbox.session.port import OpenSession
    from outbox.settings import Settings

_RETRY_SECONDS = 1.0
"""How long it stays away after an error, or from an account that another worker owns."""
_STOP_RETRY_SECONDS = 0.1
"""How long it stays away after an error while it stops."""
_AWAY_SECONDS = 5.0
"""How long it stays away after its session has been replaced, or somebody wants the account."""
_IN_FLIGHT_SECONDS = 1.0
"""How long it rests at most while outcomes are due."""


class Owner:
    """Delivers the notifications of one account, pass by pass.

    `deliver`, the pass, is called by one thread at a time; `stop` and `renew` by any.

    Args:
        settings: What the environment says.
        account: The account.
        open_session: Makes the account's session.
        worker: What the log should say of this worker.
    """

    def __init__(
        self,
        settings: Settings,
        account: str,
        open_session: OpenSession,
        worker: Mapping[str, Any],
    ) -> None:
        self.account = account
        self._settings = settings
        self._open_session = open_session
        self._worker = worker
        self._id = uuid4()
        self._log = structlog.get_logger().bind(account=account)
        self._alarm = Alarm()
        self._stop_at: float | None = None
        self._draining = self._lost = self._memory_is_stale = False
        self._give_way_at: float | None = None
        self._beat = time.monotonic()
        self._connection: Connection | None = None
        self._listener: Listener | None = None
        self._tenure: Tenure | None = None
        self._vigil: Vigil | None = None

    def stop(self) -> None:
        """Start nothing more, wait for what is being sent, and give the lease back."""
        if self._stop_at is None:
            self._stop_at = time.monotonic() + self._settings.drain_seconds
        self._alarm.ring()

    def renew(self, connection: Connection) -> None:
        """Renew the lease, if there is one and the pass is alive."""
        tenure = self._tenure
        if tenure is None:
            return
        silent = time.monotonic() - self._beat
        if silent > 2 * self._settings.poll_seconds + self._settings.lease_seconds:
            self._log.error("the owner hangs, so its lease is left to lapse", seconds=round(silent))
        elif not lease.renew(connection, self.account, tenure.epoch, self._settings.lease_duration):
            self._lost = tenure is self._tenure
            self._alarm.ring()
        elif lease.is_wanted(connection, self.account):
            if self._give_way_at is None and tenure is self._tenure:
                self._log.info("gives the account to who unpairs it", epoch=tenure.epoch)
                self._give_way_at = time.monotonic() + self._settings.drain_seconds
            self._alarm.ring()

    def deliver(self) -> float | None:
        """Work until the account has been quiet for a poll.

        Returns:
            The seconds until the next pass, or None when the owner has stopped.
        """
        try:
            return self._pass()
        except StaleEpoch as error:
            self._log.warning("the account is owned no more", reason=error.message)
            self._abandon()
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._log.warning("the database is lost", reason=str(error).strip())
            self._disconnect()
        except Exception:  # noqa: BLE001  # whatever it was, the memory is not to be trusted any more
            self._log.exception("the pass failed, so all is left as if killed")
            self._abandon()
            self._disconnect()
        if self._stop_at is None:
            return _RETRY_SECONDS
        if time.monotonic() < self._stop_at:
            return _STOP_RETRY_SECONDS
        self._abandon()
        self._close()
        return None

    def _pass(self) -> float | None:
        connection = self._connection or self._connect()
        tenure = self._tenure
        if tenure is not None and self._memory_is_stale:
            tenure.load(connection)
        self._memory_is_stale = False
        if tenure is None:
            if self._stop_at is not None:
                self._close()
                return None
            tenure = self._begin(connection)
            if tenure is None:
                return _RETRY_SECONDS
        if self._vigil is None:
            self._vigil = Vigil(
                tenure.feed, self.account, tenure.epoch, self._settings.poll_seconds
            )
        return self._work(connection, tenure, self._vigil)

    def _work(self, connection: Connection, tenure: Tenure, vigil: Vigil) -> float | None:
        while True:
            self._beat = time.monotonic()
            if self._lost:
                raise StaleEpoch.because(
                    "stale_epoch", f"epoch {tenure.epoch} of account {self.account}"
                )
            busy = tenure.take_events(connection)
            if tenure.is_replaced or self._gives_way(tenure):
                self._give_up(connection, tenure)
                return _AWAY_SECONDS
            if self._stop_at is not None:
                if self._drained(connection, tenure, self._stop_at):
                    return None
            else:
                tenure.keep_connected(connection)
                vigil.look_if_due(connection)
            busy |= tenure.exchange(
                connection, start=self._stop_at is None and self._give_way_at is None
            )
            busy |= tenure.record_receipts(connection)
            busy |= tenure.record_consents(connection)
            busy |= tenure.settle(connection)
            if busy:
                vigil.note_work()
            elif vigil.is_over and tenure.is_idle:
                vigil.begin_again(connection)
                self._check_hearing()
                return 0.0
            else:
                self._rest(connection, tenure, vigil)

    def _rest(self, connection: Connection, tenure: Tenure, vigil: Vigil) -> None:
        """Wait for news from the session or the database, or until something is due."""
        seconds = vigil.seconds_to_rest(connection, idle=tenure.is_idle)
        if self._has_heard(vigil):
            return  # it came along with the answer to a query: no socket would tell of it
        if tenure.is_waiting_for_outcomes:
            seconds = min(seconds, _IN_FLIGHT_SECONDS)
        if tenure.seconds_to_next is not None:
            seconds = min(seconds, tenure.seconds_to_next)
        if self._stop_at is not None:
            seconds = min(seconds, max(self._stop_at - time.monotonic(), 0.01))
        self._alarm.wait([self._listener.socket] if self._listener else [], seconds)
        self._has_heard(vigil)

    def _has_heard(self, vigil: Vigil) -> bool:
        heard = self._listener is not None and self._listener.heard()
        if heard:
            vigil.hear()
        return heard

    def _check_hearing(self) -> None:
        if self._listener is not None and not self._listener.check():
            self._log.warning(
                "LISTEN does not get through, so new notifications wait for the poll; "
                "set OUTBOX_LISTEN_URL to a direct way to the database"
            )

    # The tenure.

    def _begin(self, connection: Connection) -> Tenure | None:
        epoch = lease.acquire(
            connection, self.account, self._id, self._settings.lease_duration, self._worker
        )
        if epoch is None:
            return None
        self._log.info("owns the account", epoch=epoch)
        self._lost, self._give_way_at = False, None
        self._tenure = Tenure(
            connection,
            self.account,
            epoch,
            window=self._settings.window,
            open_session=self._open_session,
            media=self._media,
            ring=self._alarm.ring,
        )
        return self._tenure

    def _media(self, digest: str) -> Media:
        """Describe media for the session, whose bytes are read when it asks for them.

        Each time on a connection of its own that is closed at once.

        Raises:
            KeyError: They have been erased.
            ConnectionError: The database is away, which is no fault of the attempt.
        """
        with self._fetching() as connection:
            stored = media.describe_media(connection, digest)
        return Media(stored.mime, stored.size, self._chunks(digest))

    def _chunks(self, digest: str) -> Iterator[bytes]:
        with self._fetching() as connection:
            yield from media.media_chunks(connection, digest)

    @contextmanager
    def _fetching(self) -> Iterator[Connection]:
        url, pooled = self._settings.database_url, self._settings.pooled
        try:
            with connect(url, f"outbox media {self.account}", pooled=pooled) as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise ConnectionError(str(error).strip()) from error

    def _drained(self, connection: Connection, tenure: Tenure, stop_at: float) -> bool:
        """Whether nothing is left to wait for, or waiting has lasted long enough; then stop."""
        if not self._draining:
            self._draining = True
            record_transition(connection, self.account, tenure.epoch, "draining")
        if tenure.is_waiting_for_outcomes and time.monotonic() < stop_at:
            return False
        self._give_up(connection, tenure)
        self._log.info("gave the account back", epoch=tenure.epoch)
        self._close()
        return True

    def _gives_way(self, tenure: Tenure) -> bool:
        """Whether somebody wants the account, and what was being sent is waited for no more."""
        if self._give_way_at is None or self._stop_at is not None:
            return False
        return not tenure.is_waiting_for_outcomes or time.monotonic() >= self._give_way_at

    def _give_up(self, connection: Connection, tenure: Tenure) -> None:
        """Close the session, record its last outcomes, and give the lease back."""
        tenure.close_session()
        tenure.take_events(connection)
        tenure.exchange(connection, start=False)
        tenure.record_receipts(connection)
        while tenure.record_consents(connection):
            pass
        lease.release(connection, self.account, tenure.epoch)
        self._tenure = self._vigil = None

    def _abandon(self) -> None:
        """Leave everything to the next owner: this one may write no more."""
        tenure, self._tenure, self._vigil = self._tenure, None, None
        if tenure is not None:
            tenure.close_session()

    # The database.

    def _connect(self) -> Connection:
        settings = self._settings
        self._connection = connect(
            settings.database_url, f"outbox owner {self.account}", pooled=settings.pooled
        )
        if settings.listen_url:
            self._listener = Listener.direct(settings.listen_url, self.account)
        elif not settings.pooled:
            self._listener = Listener(self._connection, self.account)
        return self._connection

    def _disconnect(self) -> None:
        """Let go of the database, and of the memory, which is loaded anew; the session goes on."""
        self._vigil = None
        self._memory_is_stale = True
        if self._listener is not None:
            self._listener.close()
        if self._connection is not None:
            self._connection.close()
        self._listener = self._connection = None

    def _close(self) -> None:
        self._disconnect()
        self._alarm.close()
