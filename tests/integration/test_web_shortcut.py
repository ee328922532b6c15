"""The way past the routing: only what it is for takes it, and errors are answered as elsewhere."""

import pytest

from outbox.web import enqueueing
from outbox.web.problems import ProblemError, problem
from tests.web_api import HELLO, Api, wrong


def test_an_enqueue_does_not_come_to_the_routing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else does."""

    async def routed(*_: object) -> None:
        raise ZeroDivisionError

    api.enqueue()  # which builds the application
    monkeypatch.setattr("fastapi.routing.APIRouter.__call__", routed)
    assert api.enqueue().status_code == 202
    wrong(api.ask("GET", "/v1/notifications"), 500, "unexpected")


def test_what_an_enqueue_raises_is_answered_as_everywhere(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A problem as itself, and a mistake of the outbox as that."""

    def problematic(*_: object) -> None:
        raise ProblemError(problem("not_ready", "on purpose"))

    def mistaken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(enqueueing, "judge_account", problematic)
    wrong(api.enqueue(HELLO), 503, "not_ready")
    monkeypatch.setattr(enqueueing, "judge_account", mistaken)
    wrong(api.enqueue(HELLO), 500, "unexpected")
