"""What docs/log.md asks the log is answered as it says."""

import psycopg

from outbox.log import replay
from tests.log_story import DOCUMENT, answered, questions, tell_the_day


def test_the_document_shows_the_answers(connection: psycopg.Connection) -> None:
    """Each query of the document runs, and its answer is the one that is shown.

    `python -m tests.log_story` writes the answers anew.
    """
    text = DOCUMENT.read_text("utf-8")
    assert len(questions(text)) >= 10
    tell_the_day(connection)
    assert answered(connection, text).splitlines() == text.splitlines()


def test_the_day_of_the_document_is_a_log(connection: psycopg.Connection) -> None:
    """The story is one that the outbox could have told: it replays like any other."""
    tell_the_day(connection)
    with replay.scratch(connection) as schema:
        assert list(replay.differences(connection, schema)) == []
