"""The types of event that Python names are those that the projection applies."""

import json
import re

import psycopg
import pytest

from outbox.errors import VersionConflict
from outbox.log.types import NOTIFICATION
from outbox.web import tally
from tests.cli_runner import enqueue

pytestmark = pytest.mark.undone

DATA = json.dumps({"attempt": 1, "class": "transient", "error": "x", "expires_at": "2100-01-01"})


def test_the_projection_applies_these_types_and_no_others(connection: psycopg.Connection) -> None:
    """Each word of its source is tried as a type, in every state that a notification comes to."""
    row = connection.execute(
        "select pg_get_functiondef('outbox.project_notification'::regproc),"
        " outbox.connection_types()"
    ).fetchone()
    assert row
    words = sorted({*re.findall("[a-z_]+", row[0]), *NOTIFICATION} - {*row[1]})
    applied, states = {"enqueued"}, {"pending"}
    id_ = enqueue(connection)

    def explore(version: int) -> None:
        for word in words:
            with connection.transaction(force_rollback=True):
                try:
                    connection.execute(
                        "insert into outbox.event (account, stream, version, type, data)"
                        " values ('main', %s, %s, %s, %s)",
                        (id_, version, word, DATA),
                    )
                except VersionConflict:
                    continue
                applied.add(word)
                state = connection.execute("select state from outbox.notification").fetchone()
                assert state
                if state[0] not in states:
                    states.add(state[0])
                    explore(version + 1)

    explore(2)
    assert applied == set(NOTIFICATION)
    assert len(states) == 11


def test_what_is_counted_are_types_of_the_log() -> None:
    """All but attempts, which are counted by their outcomes."""
    assert set(NOTIFICATION) - set(tally.NOTIFICATIONS) == {
        *("attempt_started", "attempt_failed", "attempt_unknown"),
    }
