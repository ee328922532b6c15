"""What docs/log.md and docs/audit.md ask the log is answered as they say."""

from pathlib import Path

import psycopg
import pytest

from outbox.log import replay
from tests.log_story import DOCUMENTS, answered, questions, tell_the_day


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)
def test_the_document_shows_the_answers(connection: psycopg.Connection, document: Path) -> None:
    """Each query of the document runs, and its answer is the one that is shown.

    `python -m tests.log_story` writes the answers anew.
    """
    text = document.read_text("utf-8")
    assert len(questions(text)) >= 4
    tell_the_day(connection)
    assert answered(connection, text).splitlines() == text.splitlines()


def test_the_day_of_the_document_is_a_log(connection: psycopg.Connection) -> None:
    """The story is one that the outbox could have told: it replays like any other."""
    tell_the_day(connection)
    with replay.scratch(connection) as schema:
        assert list(replay.differences(connection, schema)) == []
