"""What the crash tests share.

Two environment variables lengthen them: OUTBOX_CRASH_RUNS is how many seeded runs each test of
random moments makes, OUTBOX_CRASH_SEED the seed of the first. A run that fails bears its seed in
its name, `test_…[seed 17]`, and is repeated by

    OUTBOX_CRASH_SEED=17 OUTBOX_CRASH_RUNS=1 make test ARGS=tests/crash
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from outbox.session.phone import Behaviour, Phone
from tests.crash.stage import SimulatedStage
from tests.crash.whatsapp import WhatsappStage
from tests.databases import database
from tests.whatsapp.device import create_store
from tests.whatsapp.server import WhatsApp

_RUNS = int(os.environ.get("OUTBOX_CRASH_RUNS", "4"))
_SEED = int(os.environ.get("OUTBOX_CRASH_SEED", "1"))
BEHAVIOUR = Behaviour(latency=0.004, jitter=0.003, delivered=0.02)

_numbers = count(1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that asks for a seed as many as there are to be runs."""
    if "seed" in metafunc.fixturenames:
        seeds = range(_SEED, _SEED + _RUNS)
        metafunc.parametrize("seed", seeds, ids=[f"seed {seed}" for seed in seeds])


@pytest.fixture(scope="package")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    """The phone of all runs; each has an account of its own."""
    with Phone.start(tmp_path_factory.mktemp("phone"), behaviour=BEHAVIOUR) as phone:
        yield phone


@pytest.fixture
def make_stage(
    server_url: str, template: str, phone: Phone, tmp_path: Path
) -> Iterator[Callable[[int], SimulatedStage]]:
    """Makes the stage of a run from its seed."""
    with ExitStack() as after:

        def make(seed: int) -> SimulatedStage:
            number = next(_numbers)
            url = after.enter_context(database(server_url, f"crash{number}", template))
            folder = tmp_path / str(number)
            folder.mkdir()
            stage = SimulatedStage(url, phone, f"run-{number}", seed, folder)
            after.callback(stage.close)
            with phone.control() as control:
                control.heal()
                control.behave(**BEHAVIOUR.to_json())
            return stage

        yield make


@pytest.fixture
def stage(make_stage: Callable[[int], SimulatedStage]) -> SimulatedStage:
    """The stage of a run without lots."""
    return make_stage(0)


@pytest.fixture(scope="package")
def whatsapp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhatsApp]:
    """The WhatsApp of all runs; each has an account of its own."""
    with WhatsApp.start(tmp_path_factory.mktemp("whatsapp")) as server:
        yield server


@pytest.fixture(scope="package")
def whatsapp_template(server_url: str, template: str) -> Iterator[str]:
    """The name of a database with whatsmeow's tables as well, which runs copy."""
    with database(server_url, "crashwhatsapp", template) as url:
        create_store(url, "whatsapp")
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def make_whatsapp_stage(
    server_url: str, whatsapp_template: str, whatsapp: WhatsApp, tmp_path: Path
) -> Iterator[Callable[[int], WhatsappStage]]:
    """Makes the stage of a run over WhatsApp from its seed."""
    with ExitStack() as after:

        def make(seed: int) -> WhatsappStage:
            number = next(_numbers)
            url = after.enter_context(database(server_url, f"crash{number}", whatsapp_template))
            folder = tmp_path / str(number)
            folder.mkdir()
            stage = WhatsappStage(url, whatsapp, 31_800_000_000 + number, seed, folder)
            after.callback(stage.close)
            return stage

        yield make
