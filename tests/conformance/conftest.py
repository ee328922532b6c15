"""One suite for all implementations of the port: another one is another of `subject`'s params."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conformance.owner import Owner, Owners
from tests.conformance.simulated import simulated_subject
from tests.conformance.subject import Stimulus, Subject
from tests.conformance.whatsapp import whatsapp_subject
from tests.databases import database
from tests.whatsapp.device import create_store


@pytest.fixture(scope="package")
def store_url(server_url: str, template: str) -> Iterator[str]:
    """A database with whatsmeow's tables, which the accounts of all tests share."""
    with database(server_url, "conformance", template) as url:
        create_store(url, "whatsapp")
        yield url


@pytest.fixture(params=["simulated", "whatsapp"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """The implementation under test, with an account whose other side the test stimulates."""
    if request.param == "simulated":
        with simulated_subject(tmp_path) as simulated:
            yield simulated
    else:
        with whatsapp_subject(tmp_path, request.getfixturevalue("store_url")) as whatsapp:
            yield whatsapp


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
