"""The container's files: what they name is there, and nothing in them is a secret."""

import re
from pathlib import Path

import pytest

from outbox.settings import Settings
from tests.cli_runner import run

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")


def test_the_image_runs_the_python_of_the_project() -> None:
    """Both stages, or the virtual environment would not fit."""
    python = (ROOT / ".python-version").read_text("utf-8").strip()
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(images) == 2
    assert all(image.startswith(f"python:{python}-slim") for image in images)


def test_the_image_is_nobody_special() -> None:
    """A number, since a platform that refuses root cannot know names; and no shell in between."""
    final = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER [1-9]\d+$", final, re.MULTILINE)
    assert 'ENTRYPOINT ["outbox"]\nCMD ["run"]\n' in final


@pytest.mark.parametrize(
    "command", ["run", *re.findall(r"^    command: \[(\w+)\]", COMPOSE, re.MULTILINE)]
)
def test_every_command_is_there(command: str) -> None:
    """As the command line has it."""
    assert run(command, "--help").code == 0


def test_everything_that_is_copied_is_let_in() -> None:
    """The rest of the folder stays out: a .env, a .git."""
    copied = {
        name
        for line in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for name in line.split()
    }
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


def test_no_secret_is_given() -> None:
    """And every variable of the example is one that is read."""
    example = dict(
        line.split("=", 1)
        for line in (ROOT / "env.example").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    )
    assert example["OUTBOX_SECRET"] == example["POSTGRES_PASSWORD"] == ""
    settings = {f"OUTBOX_{name.upper()}" for name in Settings.model_fields}
    assert example.keys() <= settings | {"TZ", "POSTGRES_PASSWORD"}
    assert "POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?" in COMPOSE
