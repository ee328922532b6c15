"""The process from its start to its end.

It ends by `os._exit`, always: Go's threads would keep an ordinary exit waiting, for ever after a
pairing that came to nothing. When its parent is gone its socket says so, and it ends as well.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from outbox.session.whatsapp.channel import Channel

if TYPE_CHECKING:
    from outbox.session.whatsapp.channel import Said

_BEAT_SECONDS = 1.0
"""How often it gives a sign of life."""


def main(handle: int) -> None:
    """Do what the parent says first: serve an account, pair one, or log one out.

    Args:
        handle: Of the socket to the parent.
    """
    # Heroku sends SIGTERM to every process of a dyno; when to stop is the parent's to say.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("NEONIZE_BOT_TAG", "off")  # a person's message bears no mark of a bot
    channel = Channel(handle)
    end = End(channel)
    try:
        job = channel.hear()
        if job is None:
            return
        # Imported here, since it takes half a second and 60 MB.
        from outbox.session.whatsapp.process.pairing import pair, unpair  # noqa: PLC0415
        from outbox.session.whatsapp.process.serving import serve  # noqa: PLC0415

        logging.getLogger("neonize.utils.log").setLevel(logging.WARNING)
        start = {"serve": serve, "pair": pair, "unpair": unpair}
        obey = start[job["type"]](job, channel, end)
        threading.Thread(target=_beat, args=(channel, end), daemon=True).start()
        while True:
            said = channel.hear()
            if said is not None:
                obey(said)
    except (EOFError, OSError):
        end.at_once()
    except BaseException as error:  # noqa: BLE001  # the parent is to know, whatever it is
        end.saying("disconnected", f"{type(error).__name__}: {error}")


class End:
    """The end of this process, which comes once."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._once = threading.Lock()

    def saying(self, kind: str, reason: str, retry_after: float | None = None) -> None:
        """Tell the parent how the connection ended, and exit; a second call does nothing."""
        if not self._once.acquire(blocking=False):
            return
        try:
            said: Said = {"type": "ended", "as": kind, "reason": reason, "retry_after": retry_after}
            self._channel.tell(said)
        except OSError:
            pass
        self.at_once()

    def at_once(self) -> NoReturn:
        """Exit."""
        os._exit(0)


def _beat(channel: Channel, end: End) -> None:
    pause = threading.Event()
    while not pause.wait(_BEAT_SECONDS):
        try:
            channel.tell({"type": "beat", "memory": _memory()})
        except OSError:
            end.at_once()


def _memory() -> int:
    """Return how many MiB of this process are resident; 0 where that cannot be told."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20
