"""PgBouncer in transaction mode before a database, as Debian packages it."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
PATIENCE = 20.0

# Two connections to the server are fewer than there are clients: that each transaction may come
# upon another one is the point.
_CONFIGURATION = """\
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 100
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


@contextmanager
def bouncer(url: str, folder: Path) -> Iterator[str]:
    """Run PgBouncer before a database's server and hand out the URL of the database through it.

    Args:
        url: The database, reached by TCP or a socket.
        folder: Where its configuration and its log go; whoever it runs as may write there.
    """
    assert PROGRAM is not None
    found = conninfo_to_dict(url)
    names = ("host", "port", "user", "password")
    server = " ".join(f"{name}={found[name]}" for name in names if found.get(name))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        _CONFIGURATION.format(server=server, port=port, folder=folder), encoding="utf-8"
    )
    command = [PROGRAM, "-q", str(configuration)]
    if os.geteuid() == 0:  # which it refuses to be
        owner = Path(str(found["host"])) if str(found["host"]).startswith("/") else folder
        user = owner.owner() if owner.owner() != "root" else "nobody"
        command += ["-u", user]
        for path in (folder, *folder.parents[:-2]):
            path.chmod(path.stat().st_mode | 0o711)
        shutil.chown(folder, user)
    with subprocess.Popen(command) as process:
        through = f"postgresql://{found.get('user')}@127.0.0.1:{port}/{found['dbname']}"
        try:
            _wait(process, through)
            yield through
        finally:
            process.kill()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "PgBouncer has ended"
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
