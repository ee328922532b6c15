"""The command line itself: its help, its codes, what it imports."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from outbox.cli.app import app
from outbox.cli.exits import ExitCode
from outbox.words import narrative
from tests.cli_runner import run

DOCS = Path(__file__).resolve().parents[2] / "docs"
COMMANDS = [
    *("enqueue", "status", "list", "show", "tail", "top", "doctor", "cancel", "requeue", "resume"),
    "replay",
    *("suppress", "unsuppress", "suppressed", "forget", "export"),
    *("migrate", "accounts", "pair", "unpair", "worker", "web", "run", "demo", "phone", "bench"),
    *("postgres", "token", "webhook"),
]
GROUPS = {
    "postgres": ("start", "stop", "url"),
    "token": ("create", "list", "revoke"),
    "webhook": (*("create", "list", "show", "enable", "disable", "delete", "replay", "test"),),
}
"""Of the commands that are made of others, those that have an option --json."""


def _imported(code: str) -> set[str]:
    """Return the modules that are there after some code has run in a fresh interpreter."""
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


def test_every_command_is_in_the_help() -> None:
    """And has help of its own, with an option --json; of a group each command has."""
    ran = run("--help")
    assert ran.code == 0
    for name in COMMANDS:
        assert re.search(rf"^│ {name} ", ran.out, re.MULTILINE)
        help_ = run(name, "--help")
        assert help_.code == 0
        assert ("--json" in help_.out) is (name not in GROUPS)
    for group, names in GROUPS.items():
        for name in names:
            assert "--json" in run(group, name, "--help").out


def test_without_a_command_the_help_is_shown() -> None:
    """It ends with 2, since nothing was done."""
    ran = run()
    assert ran.code == 2
    assert "enqueue" in ran.out + ran.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--nope"], "No such option: --nope"),
        (["enqeue"], "No such command 'enqeue'"),
        (["show"], "Missing argument 'ID'"),
    ],
)
def test_a_command_line_that_cannot_be_is_one_sentence(arguments: list[str], sentence: str) -> None:
    """It ends with 2, and says where to read on."""
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {sentence}")
    assert ran.err.endswith("--help\n")


def test_help_imports_nothing_heavy() -> None:
    """Whoever reads help waits for neither the database's driver nor pydantic."""
    modules = _imported("import outbox.cli.app")
    heavy = {"psycopg", "pydantic", "pydantic_settings", "sqlalchemy", "alembic", "structlog"}
    assert not modules & (heavy | {"phonenumbers", "apscheduler", "rich.table"})


def test_a_worker_imports_no_more_than_it_needs() -> None:
    """Neither migrations nor numbering plans belong into its memory."""
    modules = _imported(
        "import outbox.cli.environment as w, outbox.cli.worker, outbox.logs\n"
        "import outbox.delivery.worker, outbox.log.schema\n"
        "s = w.read_settings(DATABASE_URL='postgresql:///x')\n"
        "w.opener(s)\n"
        "outbox.logs.configure()"
    )
    assert "apscheduler" in modules
    spared = {"alembic", "neonize", "phonenumbers", "sqlalchemy", "typer.rich_utils"}
    assert not modules & spared


def test_every_code_is_documented() -> None:
    """Scripts rely on docs/cli.md."""
    text = (DOCS / "cli.md").read_text("utf-8")
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert documented == {int(code) for code in ExitCode}


def test_every_command_and_option_is_documented() -> None:
    """Each command has a heading of its own, and each of its options is named below it."""
    text = (DOCS / "cli.md").read_text("utf-8")
    sections = dict(
        re.findall(r"^## outbox (\S+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    )
    assert set(sections) == set(COMMANDS)
    for name in COMMANDS:
        helps = run(name, "--help").out
        helps += "".join(run(name, one, "--help").out for one in GROUPS.get(name, ()))
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", helps))
        for option in options - {"--help", "--json", "--database-url"}:
            assert option in sections[name], f"{option} of {name}"


def test_every_event_of_a_connection_can_be_told() -> None:
    """The words are for the types that the database knows."""
    sql = (DOCS.parent / "alembic/sql/0001/functions/connection_types.sql").read_text("utf-8")
    types = set(re.findall(r"[a-z_]+", sql.partition("'{")[2].partition("}'")[0]))
    assert set(narrative.CONNECTIONS) == types


def test_every_event_of_a_recipient_can_be_told() -> None:
    """These, too."""
    sql = (DOCS.parent / "alembic/sql/0001/functions/recipient_types.sql").read_text("utf-8")
    types = re.findall(r"[a-z_]+", sql.partition("'{")[2].partition("}'")[0])
    assert list(narrative.RECIPIENTS) == types


def test_the_module_is_the_command() -> None:
    """`python -m outbox` is what a Procfile runs."""
    ran = subprocess.run(
        [sys.executable, "-m", "outbox", "--help"], capture_output=True, text=True, check=True
    )
    assert "Usage: outbox" in ran.stdout
    assert app.info.help is not None
    assert app.info.help in ran.stdout


def test_a_bench_of_somebody_unknown_ends_with_2() -> None:
    """Nothing is measured, and those that can be are named."""
    ran = run("bench", "--subject", "nobody")
    assert ran.code == 2
    assert ran.err.startswith("error: There is no subject nobody: the subjects are outbox, ")


@pytest.mark.parametrize(("adds_up", "code"), [(True, 0), (False, 1)])
def test_a_demo_that_does_not_add_up_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, adds_up: object, code: int
) -> None:
    """Its story goes to stderr with --json, so that stdout stays one document."""
    told: list[str | None] = []

    def play(url: str | None, console: Console, *, svg: Path | None) -> object:
        told.append(url)
        console.print("once upon a time")
        return adds_up

    monkeypatch.setattr("outbox.demo.run", play)
    ran = run("demo", "--json")
    assert (ran.code, told) == (code, [None])
    assert ran.json == {"adds_up": adds_up}
    assert "once upon a time" in ran.err
