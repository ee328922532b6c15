"""The ledger keeps what was received, and nothing that was not."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from outbox.session.phone import Ledger, by_notification
from outbox.session.phone.line import Line
from tests.unit.phone.dialling import rows


def frame(notification: UUID, attempt: int = 1) -> Line:
    """Return a frame as a session sends it."""
    return {
        "type": "frame",
        "message_id": f"3EB0{attempt}",
        "secret": "ab",
        "jid": "1@s.whatsapp.net",
        "notification": str(notification),
        "attempt": attempt,
        "body": {"kind": "text", "text": "hé\nllo"},
        "media": [],
    }


def test_row(tmp_path: Path) -> None:
    """A row states all of the frame, when it came and as the how manieth."""
    path, notification = tmp_path / "ledger", uuid4()
    ledger = Ledger(path)
    before = datetime.now(UTC)
    ledger.append("main", frame(notification))
    ledger.append("main", {**frame(notification, 2), "media": [{"digest": "ab", "size": 3}]})
    ledger.close()
    first, second = Ledger.read(path)
    assert (first.sequence, first.account, first.jid) == (1, "main", "1@s.whatsapp.net")
    assert (first.notification, first.attempt, first.message_id) == (notification, 1, "3EB01")
    assert first.body == {"kind": "text", "text": "hé\nllo"}
    assert before <= first.received_at <= datetime.now(UTC)
    assert first.media == []
    assert (second.sequence, second.media) == (2, [{"digest": "ab", "size": 3}])


def test_flush(tmp_path: Path) -> None:
    """What was flushed can be read by others, while the ledger stays open."""
    path = tmp_path / "ledger"
    ledger = Ledger(path)
    ledger.append("main", frame(uuid4()))
    assert not Ledger.read(path)
    ledger.flush()
    assert len(Ledger.read(path)) == 1
    ledger.close()


def test_goes_on(tmp_path: Path) -> None:
    """A ledger that is opened again is continued, not begun anew."""
    path = tmp_path / "ledger"
    for _ in range(2):
        ledger = Ledger(path)
        ledger.append("main", frame(uuid4()))
        ledger.close()
    assert [row.sequence for row in Ledger.read(path)] == [1, 2]


def test_torn_row(tmp_path: Path) -> None:
    """A row that a killed phone wrote in part is not read, and is cut off before the next."""
    path = tmp_path / "ledger"
    ledger = Ledger(path)
    for _ in range(2):
        ledger.append("main", frame(uuid4()))
    ledger.close()
    whole, torn = rows(path)
    path.write_bytes(whole + torn[:50])
    assert [row.sequence for row in Ledger.read(path)] == [1]
    ledger = Ledger(path)
    ledger.append("main", frame(uuid4()))
    ledger.close()
    assert [row.sequence for row in Ledger.read(path)] == [1, 2]


def test_by_notification(tmp_path: Path) -> None:
    """Frames are grouped by notification, so that doubles show."""
    path, once, twice = tmp_path / "ledger", uuid4(), uuid4()
    ledger = Ledger(path)
    for one in (frame(twice, 1), frame(once, 1), frame(twice, 2)):
        ledger.append("main", one)
    ledger.close()
    grouped = by_notification(Ledger.read(path))
    assert {key: [row.attempt for row in group] for key, group in grouped.items()} == {
        twice: [1, 2],
        once: [1],
    }
