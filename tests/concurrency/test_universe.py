"""Whatever happens, in whatever order: the projections are what the log says."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.concurrency.universe import Universe

# A run is a database and some hundred statements; ask for more before a release.
RUNS = int(os.environ.get("OUTBOX_TEST_RUNS", "12"))


def test_a_rebuild_equals_the_live_projections(
    server_url: str, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any commands from several connections, transactions left open and rolled back.

    A rebuild equals the live projections row for row, also in another order that keeps each
    stream's own; followers saw each event once, each stream in its order; every stream keeps the
    rules of its states, and every event of an owner lies within its tenure.
    """
    monkeypatch.setattr(Universe, "server_url", server_url, raising=False)
    monkeypatch.setattr(Universe, "template", template, raising=False)
    run_state_machine_as_test(
        Universe,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=60,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate] if RUNS <= 12 else list(Phase),
        ),
    )
