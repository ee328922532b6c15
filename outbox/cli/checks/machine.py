"""This machine: what a worker would find on it, and whether its settings can be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from outbox.cli.checks.finding import Finding, broken, ok, warning

if TYPE_CHECKING:
    from outbox.settings import Settings

_PROCESS = "outbox.session.whatsapp.process.serving"
_IMPORT_SECONDS = 60


def session(settings: Settings) -> Finding:
    """OUTBOX_SESSION names sessions that there are."""
    from outbox.cli.environment import opener, wants_phone  # noqa: PLC0415
    from outbox.cli.exits import Failure  # noqa: PLC0415

    if wants_phone(settings):
        return ok(f"{settings.session} with a phone of the worker's own: nothing reaches anybody")
    try:
        opener(settings)
    except Failure as failure:
        return broken(str(failure), "correct it as docs/settings.md says")
    return ok(settings.session)


def ffmpeg() -> Finding:
    """It converts voice messages, and makes pictures of films."""
    found = shutil.which("ffmpeg")
    if found:
        return ok(found)
    return warning(
        "not on the PATH: voice messages that are not Ogg Opus are refused",
        "install ffmpeg where the worker runs (on Heroku: a buildpack), or send Ogg Opus",
    )


def neonize(settings: Settings) -> Finding:
    """A session's process can start; in one of its own, since neonize brings Go along."""
    try:
        ran = subprocess.run(  # noqa: S603 - no input of anybody's is in it
            [sys.executable, "-c", f"import {_PROCESS}"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_IMPORT_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        reason = f"took more than {_IMPORT_SECONDS} s"
    else:
        if ran.returncode == 0:
            return ok(f"neonize {version('neonize')} and libmagic can be imported")
        last = ran.stderr.strip().splitlines()[-1:] or [f"ended with {ran.returncode}"]
        reason = last[0].strip()
    seen = f"neonize or libmagic cannot be imported: {reason}"
    advice = "install the dependencies anew: pip install --force-reinstall neonize pylibmagic"
    if settings.session.startswith("whatsapp:"):
        return broken(seen, advice)
    return warning(seen, advice)
