"""Imports neonize quietly before any test does, and composes for the tests."""

import logging
import os
from io import StringIO
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

if TYPE_CHECKING:
    from tests.unit.whatsapp.composing import Composer


def _import_neonize() -> None:
    """Import it without what it leaves behind.

    It asks `uname` by pipes that it never closes, of which Python warns when some later test starts
    a process; and it sets up logging for all.
    """
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    with patch.object(os, "popen", lambda _: StringIO("Linux")):
        import outbox.session.whatsapp.process.messages  # noqa: F401, PLC0415
    root.handlers[:] = handlers
    root.setLevel(level)


_import_neonize()


@pytest.fixture
def composed() -> "Composer":
    """Composes contents into messages."""
    from tests.unit.whatsapp.composing import Composer  # noqa: PLC0415 - it imports neonize

    return Composer()
