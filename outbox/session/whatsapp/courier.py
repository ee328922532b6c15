"""Carries attempts to a session process, media and all, one behind the other.

Media stream from the database to the process, which holds those of one attempt at a time: a dyno
has 512 MB, and a document, or an album as a whole, may have 64 of them.
"""

from __future__ import annotations

import json
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

from outbox.session.port import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from outbox.session.port import Attempt, Media
    from outbox.session.whatsapp.channel import Channel, Said

_ABORTED = b""
"""Instead of a chunk: the rest does not come, and the attempt is concluded already."""


class Courier:
    """Carries in a thread of its own, from `start` until `stop` or the end of the process.

    Args:
        name: Of the thread.
        media: Describes media by digest.
        conclude: Takes the outcome of an attempt that the process never gets.
    """

    def __init__(
        self, name: str, media: Callable[[str], Media], conclude: Callable[[Outcome], None]
    ) -> None:
        self._media = media
        self._conclude = conclude
        self._queue: SimpleQueue[Attempt | None] = SimpleQueue()
        self._laden: tuple[UUID, int] | None = None
        self._free = threading.Event()
        self._free.set()
        self._stopping = False
        self._thread = threading.Thread(target=self._carry, name=name, daemon=True)
        self._channel: Channel | None = None

    def start(self, channel: Channel) -> None:
        """Begin to carry."""
        self._channel = channel
        self._thread.start()

    def take(self, attempt: Attempt) -> None:
        """Carry this one behind the others."""
        self._queue.put(attempt)

    def landed(self, key: tuple[UUID, int]) -> None:
        """Know that an attempt has its outcome, so that its media are held no more."""
        if key == self._laden:
            self._laden = None
            self._free.set()

    def stop(self) -> None:
        """Conclude what waits as not sent, and let the process do the same with what it holds."""
        self._stopping = True
        self._free.set()
        self._queue.put(None)

    def _carry(self) -> None:
        # Not kept: the socket is closed when neither this thread nor who listens needs it any more.
        channel, self._channel = self._channel, None
        if channel is None:
            raise RuntimeError("the courier was started without a channel")
        try:
            while (attempt := self._queue.get()) is not None:
                if self._stopping:
                    self._conclude(Outcome(attempt.notification, attempt.number, "not_sent"))
                else:
                    self._hand(channel, attempt)
            channel.tell({"type": "drain"})
        except OSError:
            pass  # the process is gone: whoever follows it concludes what it had

    def _hand(self, channel: Channel, attempt: Attempt) -> None:
        key = attempt.notification, attempt.number
        said: Said = {
            "type": "send",
            "notification": str(attempt.notification),
            "attempt": attempt.number,
            "jid": attempt.jid,
            "content": dict(attempt.content),
            "secret": attempt.secret.hex(),
            "check": attempt.check,
        }
        laden: list[tuple[str, Media]] = []
        if attempt.digests:
            self._free.wait()
            if self._stopping:
                self._conclude(Outcome(*key, "not_sent"))
                return
            self._free.clear()
            self._laden = key
            for digest in attempt.digests:
                try:
                    laden.append((digest, self._media(digest)))
                except Exception as error:  # noqa: BLE001  # whatever it is, the attempt ends somehow
                    self._refuse(key, digest, error)
                    return
            said["media"] = [{"mime": media.mime, "size": media.size} for _, media in laden]
        try:
            head = json.dumps(said).encode()
        except (TypeError, ValueError) as error:
            self._refuse(key, "", ValueError(f"the body is not JSON: {error}"))
            return
        with channel.writing:
            channel.put(head)
            for digest, media in laden:
                broken_off = _stream(channel, media)
                if broken_off is not None:
                    self._refuse(key, digest, broken_off)
                    return

    def _refuse(self, key: tuple[UUID, int], digest: str, error: Exception) -> None:
        """Conclude an attempt whose media are not to be had."""
        self.landed(key)
        if isinstance(error, KeyError):
            outcome = Outcome(*key, "rejected", error=f"media {digest} was erased")
        elif isinstance(error, ConnectionError):
            outcome = Outcome(*key, "not_sent", error=f"media {digest}: {error}")
        elif isinstance(error, ValueError):
            outcome = Outcome(*key, "rejected", error=str(error))
        else:
            outcome = Outcome(*key, "failed", error=f"media {digest}: {error!r}")
        self._conclude(outcome)


def _stream(channel: Channel, media: Media) -> Exception | None:
    """Write the bytes; if they break off say so, and return why.

    Nothing is read behind the last byte: what failed there would come too late, as the process has
    it all by then and sends it.

    Raises:
        OSError: The process is gone.
    """
    chunks: Iterator[bytes] | None = None
    left = media.size
    while left > 0:
        try:
            chunks = chunks or iter(media.chunks)
            chunk = next(chunk for chunk in chunks if chunk)
        except StopIteration:
            channel.put(_ABORTED)
            return EOFError(f"{left} of {media.size} bytes are missing")
        except Exception as error:  # noqa: BLE001  # whatever it is, the attempt ends somehow
            channel.put(_ABORTED)
            return error
        channel.put(chunk)
        left -= len(chunk)
    return None
