"""Procfile and app.json: what they name is there, and the second is as Heroku's schema has it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from outbox.settings import Settings
from tests.cli_runner import run

ROOT = Path(__file__).resolve().parents[2]
APP: dict[str, Any] = json.loads((ROOT / "app.json").read_text("utf-8"))
PROCFILE = dict(
    line.split(": ", 1) for line in (ROOT / "Procfile").read_text("utf-8").splitlines() if line
)
SCHEMA = os.environ.get("OUTBOX_APP_JSON_SCHEMA")
"""The file that Heroku publishes in its npm package @heroku/mcp-server; `.ci/run` gets it."""


def _environments() -> Iterator[dict[str, Any]]:
    yield APP
    yield from APP["environments"].values()


@pytest.mark.skipif(SCHEMA is None, reason="OUTBOX_APP_JSON_SCHEMA names no file")
def test_app_json_is_as_its_published_schema_has_it() -> None:
    """With the schema's own formats and no key that Heroku would not know."""
    schema = json.loads(Path(str(SCHEMA)).read_text("utf-8"))
    jsonschema.validate(APP, schema)
    for one in APP["environments"].values():  # of these it says less than of the whole
        part = {name: one[name] for name in one.keys() - {"scripts"}}
        jsonschema.validate(part, schema)


def test_the_release_migrates_before_anything_starts() -> None:
    """Three kinds of process, as docs/heroku.md tells them."""
    assert PROCFILE.keys() == {"release", "web", "worker"}
    assert PROCFILE["release"] == "python -m outbox migrate"


@pytest.mark.parametrize("kind", PROCFILE)
def test_every_command_of_the_procfile_is_there(kind: str) -> None:
    """So nobody finds out by a dyno that crashes."""
    python, dash_m, module, command = PROCFILE[kind].split()
    assert (python, dash_m, module) == ("python", "-m", "outbox")
    assert run(command, "--help").code == 0


def test_the_formation_is_of_the_procfile() -> None:
    """Of review apps as well."""
    for one in _environments():
        assert one.get("formation", {}).keys() <= PROCFILE.keys() - {"release"}


def test_every_variable_is_a_setting() -> None:
    """Or the platform's own, of which there is one."""
    settings = {f"OUTBOX_{name.upper()}" for name in Settings.model_fields}
    for one in _environments():
        assert one.get("env", {}).keys() <= settings | {"TZ"}


def test_what_the_button_sets_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The values can be, and a secret is generated instead of one that everybody knows."""
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@h/d")
    for one in (APP, APP["environments"]["review"]):
        assert one["env"]["OUTBOX_SECRET"].get("generator") == "secret"
        assert "value" not in one["env"]["OUTBOX_SECRET"]
        for name, said in one["env"].items():
            if "value" in said:
                monkeypatch.setenv(name, said["value"])
        Settings()  # type: ignore[call-arg]  # the environment fills it


def test_review_apps_reach_nobody() -> None:
    """Their sessions are simulated, with a phone that the worker brings along."""
    assert APP["environments"]["review"]["env"]["OUTBOX_SESSION"] == {"value": "simulated:"}


def test_ffmpeg_comes_by_the_first_buildpack() -> None:
    """Python's has to be the last: the last one says what kinds of process there are."""
    urls = [one["url"] for one in APP["buildpacks"]]
    assert urls == ["heroku-community/apt", "heroku/python"]
    assert (ROOT / "Aptfile").read_text("utf-8").split() == ["ffmpeg"]


def test_it_runs_from_its_folder() -> None:
    """Heroku installs requirements.txt, and not the package: nothing may ask for its metadata."""
    hidden = (
        "import importlib.metadata as m, sys\n"
        "found = m.version\n"
        "def version(name):\n"
        "    if name == 'whatsapp-outbox': raise m.PackageNotFoundError(name)\n"
        "    return found(name)\n"
        "m.version = version\n"
        "from outbox.delivery.about import describe_worker\n"
        "import outbox.web.app\n"
        "print(describe_worker()['version'])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", hidden], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", ran.stdout)


def test_python_is_one_that_the_project_supports() -> None:
    """Heroku reads .python-version."""
    assert (ROOT / ".python-version").read_text("utf-8") == "3.13\n"
