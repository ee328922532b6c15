"""Imports neonize quietly before any test does, and composes for the tests."""

import logging
import warnings
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.whatsapp.composing import Composer


def _import_neonize() -> None:
    """Import it: it leaves pipes open, and sets up logging for the whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        import outbox.session.whatsapp.process.messages  # noqa: F401, PLC0415
    root.handlers[:] = handlers
    root.setLevel(level)


_import_neonize()


@pytest.fixture
def composed() -> "Composer":
    """Composes contents into messages."""
    from tests.unit.whatsapp.composing import Composer  # noqa: PLC0415 - it imports neonize

    return Composer()
