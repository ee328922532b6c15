"""What a worker's log says of each attempt that has been recorded: ids and reasons, nobody's name.

What went well is told at the level debug, since there may be hundreds a second; what ended without
success is a warning, and so is what failed or is in doubt.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outbox.log.attempts import Recorded, Result


def tell(log: Any, result: Result, recorded: Recorded | None) -> None:  # noqa: ANN401 - structlog's
    """Write a line about an attempt.

    Args:
        log: Where to; it says which account.
        result: What the session said of it.
        recorded: What has become of its notification; None if it was sent, or settled before.
    """
    if result.type == "sent" and not log.is_enabled_for(logging.DEBUG):
        return  # before anything is made of it: thousands may come at once
    about = {
        "notification": str(result.notification),
        "attempt": result.attempt,
        **({"message_id": result.message_id} if result.message_id else {}),
        **({"reason": result.error} if result.error else {}),
    }
    match result.type:
        case "sent":
            log.debug("sent", **about)
        case "rejected" | "restricted":
            log.warning("rejected", **about)
        case _ if recorded is not None and recorded.state == "exhausted":
            log.warning("exhausted", **about)
        case "failed":
            log.warning("attempt failed", **about)
        case "unknown" if result.error is not None:
            log.warning("outcome unknown", **about)
        case "unknown":
            log.info("trace found", **about)
        case _:
            log.info("back in the queue", outcome=result.type, **about)
