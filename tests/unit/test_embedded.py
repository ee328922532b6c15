"""The embedded server comes up again whatever happened to it, and lives only where it may."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from outbox import embedded
from outbox.embedded import EmbeddedError, NotInstalledError, Server

GIVEN = os.environ.get("OUTBOX_TEST_BINARIES")
BINARIES = Path(GIVEN) if GIVEN else None


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    """A server for the tests of this file, running or not."""
    server = embedded.server(embedded.folder(f"embedded {os.getpid()}"), binaries=BINARIES)
    yield server
    server.remove()


@pytest.fixture
def server(shared: Server) -> Server:
    """A running server."""
    return shared.start()


@pytest.fixture
def home(shared: Server) -> Iterator[Path]:
    """A place for a home that does not exist yet."""
    path = embedded.folder(f"home {os.getpid()}")
    yield path
    Server(path, shared.binaries).remove()


def postmaster(server: Server) -> psutil.Process:
    """Return the server's main process."""
    return psutil.Process(int((server.home / "data/postmaster.pid").read_text().split()[0]))


def query(server: Server, text: str) -> object:
    """Return the first value of a query's first row."""
    with psycopg.connect(server.url()) as connection:
        cursor = connection.execute(text.encode())
        row = cursor.fetchone() if cursor.description else None
    return row and row[0]


def test_it_answers_on_a_socket_and_nowhere_else(server: Server) -> None:
    """No port is opened: nobody but the owner of the home reaches a server without passwords."""
    assert query(server, "select current_user") == "postgres"
    assert query(server, "show listen_addresses") == ""
    assert query(server, "show fsync") == "on"
    for folder in ("data", "socket"):
        assert (server.home / folder).stat().st_mode & 0o077 == 0
    assert server.home.stat().st_mode & 0o007 == 0


def test_text_is_unicode_and_sorts_by_code_point(server: Server) -> None:
    """The order of text does not depend on the machine."""
    assert query(server, "show server_encoding") == "UTF8"
    assert query(server, "select 'a' > 'B'") is True


def test_starting_twice_is_starting_once(server: Server) -> None:
    """A second start leaves the running server alone."""
    before = postmaster(server).pid
    assert server.start().running
    assert postmaster(server).pid == before


def test_stopping_twice_is_stopping_once(server: Server) -> None:
    """A second stop finds nothing to do."""
    server.stop()
    assert not server.running
    server.stop()
    assert server.start().running


def test_what_was_committed_outlives_an_immediate_restart(server: Server) -> None:
    """`immediate` is a crash with recovery, not a loss of data."""
    query(server, "drop table if exists kept")
    query(server, "create table kept as select 7 as n")
    server.restart("immediate")
    assert query(server, "select n from kept") == 7


def test_it_starts_after_its_process_was_killed(server: Server) -> None:
    """The lock files and the shared memory of a killed server do not stop the next start."""
    with psycopg.connect(server.url()):
        main = postmaster(server)
        main.kill()
        main.wait()
        assert server.start().running
    assert query(server, "select 1") == 1


def test_it_starts_after_a_crash_when_another_process_has_its_number(server: Server) -> None:
    """A process number is used again after a reboot; PostgreSQL alone would not start then."""
    record = server.home / "data/postmaster.pid"
    before = record.read_text()
    server.stop()
    borrowed = str(os.getpid()) + before[before.index("\n") :]
    record.write_text(borrowed)
    (server.home / "socket/.s.PGSQL.5432.lock").write_text(borrowed)
    assert not server.running
    assert server.start().running


def test_a_start_waits_for_one_that_was_interrupted(server: Server) -> None:
    """A server found half-way up is waited for, not started again."""
    record = server.home / "data/postmaster.pid"
    ready = record.read_text()
    record.write_text(ready.replace("ready", "starting"))
    assert not server.running
    timer = threading.Timer(0.5, record.write_text, [ready])
    timer.start()
    assert server.start().running
    assert timer.finished.is_set()


def test_two_processes_that_start_at_once_share_one_server(home: Path) -> None:
    """One makes the database files and starts; the other waits and finds the server running."""
    code = (
        "import sys; from pathlib import Path; from outbox import embedded;"
        "binaries = Path(sys.argv[2]) if sys.argv[2] else None;"
        "server = embedded.server(Path(sys.argv[1]), binaries=binaries).start();"
        "print((server.home / 'data/postmaster.pid').read_text().split()[0])"
    )
    command = [sys.executable, "-c", code, str(home), GIVEN or ""]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = {racer.communicate(timeout=120)[0] for racer in racers}
    assert len(said) == 1
    assert [racer.returncode for racer in racers] == [0, 0, 0]


def test_options_are_settings_of_the_server(home: Path, shared: Server) -> None:
    """Values reach the server whole, quotes and blanks included."""
    options = {"application_name": "it's a test", "max_connections": "17"}
    server = embedded.server(home, binaries=shared.binaries, options=options).start()
    assert query(server, "show max_connections") == "17"
    assert query(server, "select reset_val from pg_settings where name = 'application_name'")


def test_a_bad_option_is_named_in_the_error(home: Path, shared: Server) -> None:
    """What the server wrote to its log when it gave up is in the message."""
    server = embedded.server(home, binaries=shared.binaries, options={"max_connections": "many"})
    with pytest.raises(EmbeddedError, match='invalid value for parameter "max_connections"'):
        server.start()
    assert not server.running


def test_a_removed_server_says_how_to_get_it_back(home: Path, shared: Server) -> None:
    """Its home is gone with its data; starting it would be starting nothing."""
    server = embedded.server(home, binaries=shared.binaries)
    server.remove()
    assert not home.exists()
    with pytest.raises(EmbeddedError, match=r"holds no database: ask server\(\)"):
        server.start()


def test_without_the_wheel_the_error_says_what_to_install(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Production has no embedded database; who asks for it there learns the two ways out."""
    with monkeypatch.context() as patched:
        patched.setattr("importlib.util.find_spec", lambda _name: None)
        with pytest.raises(NotInstalledError, match=r"extra `embedded`.*or set DATABASE_URL"):
            embedded.server(home)
    assert not home.exists()


def test_when_initdb_fails_its_last_words_are_in_the_error(home: Path, tmp_path: Path) -> None:
    """And nothing is left that a later call would take for a database."""
    with pytest.raises(EmbeddedError, match=r"initdb.*cannot be run as"):
        embedded.server(home, binaries=tmp_path / "nowhere")
    programs = home.with_name(f"{home.name}-programs")
    programs.mkdir()
    initdb = programs / "initdb"
    try:
        initdb.write_text("#!/bin/sh\necho no space left\nexit 1\n")
        initdb.chmod(0o755)
        with pytest.raises(EmbeddedError, match="initdb failed:\nno space left"):
            embedded.server(home, binaries=programs)
    finally:
        initdb.unlink()
        programs.rmdir()
    assert not (home / "data").exists()


def test_a_home_that_is_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    """In a folder that all may write to, somebody else may have laid it there."""
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(EmbeddedError, match="link is not a folder"):
        embedded.server(tmp_path / "link", binaries=tmp_path)


def test_a_home_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    """They could put their own programs or data into it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(0o777)
    with pytest.raises(EmbeddedError, match="with mode drwxrwxrwx, but only we"):
        embedded.server(tmp_path / "home", binaries=tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_home_of_another_user_is_refused(tmp_path: Path) -> None:
    """Root, too, works only in a folder of its own."""
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", 65534, 65534)
    with pytest.raises(EmbeddedError, match="belongs to user 65534"):
        embedded.server(tmp_path / "home", binaries=tmp_path)


def test_a_folder_with_other_things_in_it_is_not_taken_for_a_home(tmp_path: Path) -> None:
    """A home's permissions are set and its contents may be removed: it must be nothing else."""
    (tmp_path / "letter").touch()
    with pytest.raises(EmbeddedError, match="holds letter, which is no part of a server"):
        embedded.server(tmp_path, binaries=tmp_path)


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    """PostgreSQL would fail with a message that names neither the folder nor a way out."""
    with pytest.raises(EmbeddedError, match="choose a shorter one, at most 82 bytes"):
        embedded.server(tmp_path / ("long" * 20), binaries=tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs the server itself")
def test_for_root_the_server_runs_as_nobody(server: Server) -> None:
    """And no folder above the programs was opened: they are copies in the home."""
    assert postmaster(server).username() == "nobody"
    assert BINARIES or server.binaries.is_relative_to(server.home)
