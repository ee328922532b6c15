"""One suite for all implementations of the port: another one is another line of `SUBJECTS`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from tests.conformance.owner import Owner, Owners
from tests.conformance.simulated import simulated_subject
from tests.conformance.subject import Stimulus, Subject

SUBJECTS: dict[str, Callable[[Path], AbstractContextManager[Subject]]] = {
    "simulated": simulated_subject,
}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """The implementation under test, with an account whose other side the test stimulates."""
    with SUBJECTS[request.param](tmp_path) as subject:
        yield subject


@pytest.fixture
def stimulus(subject: Subject) -> Stimulus:
    """The other side."""
    return subject.stimulus


@pytest.fixture
def owners(subject: Subject) -> Iterator[Owners]:
    """Makes owners of sessions, which are closed after the test."""
    with ExitStack() as stack:
        yield Owners(subject, stack)


@pytest.fixture
def owner(owners: Owners) -> Owner:
    """The owner of a session that is not connected yet."""
    return owners()


@pytest.fixture
def connected(owner: Owner) -> Owner:
    """The owner of a session that is connected."""
    owner.connect()
    return owner
