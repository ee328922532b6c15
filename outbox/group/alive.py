"""Asking for one's own address from outside, so that a platform does not let the process sleep.

An eco dyno of Heroku's sleeps after thirty minutes without a request, and what it would have sent
waits until one comes (https://devcenter.heroku.com/articles/eco-dyno-hours).
"""

from __future__ import annotations

import time
import urllib.request
from threading import Thread
from typing import Final

import structlog

EVERY_SECONDS: Final = 20 * 60
_PATIENCE_SECONDS: Final = 30


def keep_alive(url: str) -> None:
    """Ask for this URL every twenty minutes for as long as the process lives.

    Args:
        url: Of http or https; an answer of any status counts as a request.
    """
    Thread(target=_ask_for_ever, args=(url,), name="keep alive", daemon=True).start()


def _ask_for_ever(url: str) -> None:
    while True:
        time.sleep(EVERY_SECONDS)
        try:
            with urllib.request.urlopen(url, timeout=_PATIENCE_SECONDS):  # noqa: S310 - http, see run
                pass
        except OSError as error:
            structlog.get_logger().warning("keep alive failed", reason=str(error))
