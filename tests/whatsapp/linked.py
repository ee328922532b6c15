"""A WhatsApp that the product links accounts with, in tests of what it does around that."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from outbox.session.whatsapp import child, linking
from tests.whatsapp.server import WhatsApp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from subprocess import Popen

    import pytest


@contextmanager
def linking_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WhatsApp]:
    """Run a server, which the processes that pair and unpair take for WhatsApp."""

    def trusting(program: Sequence[str], handle: int, *, quiet: bool = False) -> Popen[str]:
        return child.start(("tests.whatsapp.trust", *program), handle, quiet=quiet)

    with WhatsApp.start(folder) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(linking, "start", trusting)
        yield server
