"""A phone for each test, and its control channel."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outbox.session.phone import Control, Phone


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    """A phone."""
    with Phone.start(tmp_path) as phone:
        yield phone


@pytest.fixture
def control(phone: Phone) -> Iterator[Control]:
    """Its control channel."""
    with phone.control() as control:
        yield control
