"""`outbox doctor` on the machine and the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


from tests.doctoring import doctor


def test_a_setting_that_cannot_be(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named with its value, and the other checks go on."""
    monkeypatch.setenv("OUTBOX_LEASE_SECONDS", "never")
    ran, lines = doctor(database_url)
    assert ran.code == 11
    assert lines["settings"]["verdict"] == "broken"
    assert "OUTBOX_LEASE_SECONDS cannot be 'never'" in lines["settings"]["seen"]
    assert lines["guards"]["verdict"] == "ok"


@pytest.mark.parametrize("url", ["whatsap:", "whatsapp:?capacity=0", "simulated://"])
def test_a_session_that_there_is_not(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """The value is repeated."""
    monkeypatch.setenv("OUTBOX_SESSION", url)
    _, lines = doctor("postgresql://127.0.0.1:1/x")
    assert lines["session"]["verdict"] == "broken"
    assert url in lines["session"]["seen"]


def test_a_machine_without_ffmpeg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It says which messages that concerns."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    _, lines = doctor(None)
    assert lines["ffmpeg"]["verdict"] == "warning"
    assert "voice messages" in lines["ffmpeg"]["seen"]


@pytest.mark.parametrize(
    ("session", "verdict"), [("whatsapp:", "broken"), ("simulated://127.0.0.1:1", "warning")]
)
def test_neonize_that_cannot_be_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, session: str, verdict: str
) -> None:
    """Its last words are shown; whoever sends nothing over WhatsApp can do without."""
    (tmp_path / "neonize.py").write_text("raise ImportError('failed to find libmagic')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("OUTBOX_SESSION", session)
    _, lines = doctor(None)
    assert lines["neonize"]["verdict"] == verdict
    assert lines["neonize"]["seen"].endswith("ImportError: failed to find libmagic")
    assert "pip install" in lines["neonize"]["advice"]
