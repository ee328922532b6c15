"""`outbox doctor` on LISTEN, with and without a pooler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.cli.checks import server
from outbox.log import examination
from tests.doctoring import doctor, line

if TYPE_CHECKING:
    import pytest


def test_pooled_without_a_direct_way(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """News is found by polling, and WhatsApp does not work at all."""
    monkeypatch.setenv("OUTBOX_POOLED", "true")
    ran, lines = doctor(database_url)
    assert ran.code == 11
    assert lines["LISTEN"]["verdict"] == "warning"
    assert "30 s" in lines["LISTEN"]["seen"]
    assert "OUTBOX_LISTEN_URL" in lines["LISTEN"]["advice"]
    assert lines["session"]["verdict"] == "broken"
    assert "whatsmeow cannot use" in lines["session"]["seen"]


def test_pooled_with_a_direct_way(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is heard on the other way."""
    monkeypatch.setenv("OUTBOX_POOLED", "true")
    monkeypatch.setenv("OUTBOX_LISTEN_URL", database_url)
    assert line(database_url, "LISTEN") == (
        "ok",
        "what is notified is heard through OUTBOX_LISTEN_URL",
        "",
    )


def test_a_direct_way_to_somewhere_else(
    database_url: str, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that lives and hears nothing is found out."""
    monkeypatch.setattr(server, "_HEAR_SECONDS", 0.2)
    monkeypatch.setenv("OUTBOX_LISTEN_URL", server_url)
    verdict, seen, advice = line(database_url, "LISTEN")
    assert verdict == "warning"
    assert "nothing is heard through OUTBOX_LISTEN_URL" in seen
    assert "the same database" in advice


def test_a_pooler_that_nobody_spoke_of(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deaf without OUTBOX_POOLED: both variables are named."""
    monkeypatch.setattr(examination, "hears", lambda *_: False)
    verdict, _, advice = line(database_url, "LISTEN")
    assert verdict == "warning"
    assert "OUTBOX_POOLED=true" in advice
    assert "OUTBOX_LISTEN_URL" in advice
