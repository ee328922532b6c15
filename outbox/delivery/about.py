"""What the log says of the process that owns an account."""

from __future__ import annotations

import os
import platform
import shutil
from typing import Any

from outbox.release import VERSION


def describe_worker() -> dict[str, Any]:
    """Return what the log says of this worker: where it runs, which release it is, what it has.

    Without ffmpeg the database refuses what would have to be converted for its accounts.
    """
    about = {
        "host": platform.node(),
        "process": os.getpid(),
        "version": VERSION,
        # https://devcenter.heroku.com/articles/dyno-metadata
        "dyno": os.environ.get("DYNO"),
        "release": os.environ.get("HEROKU_RELEASE_VERSION"),
        "ffmpeg": shutil.which("ffmpeg") is not None,
    }
    return {name: value for name, value in about.items() if value is not None}
