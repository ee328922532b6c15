"""How the process that serves the HTTP API takes signals."""

import signal
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import uvicorn

from outbox.web.serving import _Server

if TYPE_CHECKING:
    from outbox.web.service import Service


@pytest.mark.parametrize(("number", "at_once"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_only_an_impatient_hand_stops_it_at_once(
    number: signal.Signals,
    at_once: bool,  # noqa: FBT001
) -> None:
    """Heroku may send SIGTERM twice and means no more by it; who waits is still answered."""
    service = cast("Service", SimpleNamespace(closing=Event()))
    server = _Server(uvicorn.Config("nothing:app"), service)
    server.handle_exit(number, None)
    assert (server.should_exit, server.force_exit) == (True, False)
    assert service.closing.is_set()
    server.handle_exit(number, None)
    assert server.force_exit is at_once
