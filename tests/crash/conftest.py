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

import pytest

from outbox.session.phone import Behaviour, Phone
from tests.crash.stage import Stage
from tests.databases import database

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
) -> Iterator[Callable[[int], Stage]]:
    """Makes the stage of a run from its seed."""
    with ExitStack() as after:

        def make(seed: int) -> Stage:
            number = next(_numbers)
            url = after.enter_context(database(server_url, f"crash{number}", template))
            folder = tmp_path / str(number)
            folder.mkdir()
            stage = Stage(url, phone, f"run-{number}", seed, folder)
            after.callback(stage.close)
            with phone.control() as control:
                control.heal()
                control.behave(**BEHAVIOUR.to_json())
            return stage

        yield make


@pytest.fixture
def stage(make_stage: Callable[[int], Stage]) -> Stage:
    """The stage of a run without lots."""
    return make_stage(0)
