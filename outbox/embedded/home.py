"""The folder that a server lives in: where it is, that it is ours, one process at a time in it."""

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from outbox.embedded.errors import EmbeddedError

_PARTS = ("data", "lock", "log", "programs", "socket")
HOMES = Path("/var/tmp")  # noqa: S108 - it outlives a restart; who owns a home is checked


def folder(name: str | None = None) -> Path:
    """Return the home for a name; without one, that of this installation of the outbox."""
    name = name or str(Path(__file__).resolve().parent.parent.parent)
    return HOMES / f"outbox-{os.geteuid()}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold a home, made if it is not there, against other processes that start or stop in it."""
    while True:
        try:
            claim(home)
            lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            continue  # removed meanwhile
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink:  # otherwise the home was removed while we waited
                yield
                return
        finally:
            os.close(lock)


def claim(home: Path) -> None:
    """Make a home or see that it is ours; a folder in a shared place could be anybody's."""
    try:
        home.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise EmbeddedError(f"cannot make the folder {home}: {error.strerror}") from error
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise EmbeddedError(f"{home} is not a folder: remove it or choose another home")
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise EmbeddedError(
            f"{home} belongs to user {found.st_uid} with mode {stat.filemode(found.st_mode)}, but "
            f"only we, user {os.geteuid()}, may write there: choose another home"
        )
    names = sorted(path.name for path in home.iterdir())
    others = [name for name in names if not name.startswith(_PARTS)]
    if others and "data" not in names:
        raise EmbeddedError(
            f"{home} holds {', '.join(others[:3])}, which is no part of a server: "
            f"choose an empty folder or one that does not exist"
        )
