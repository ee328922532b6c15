"""The ledger: a JSONL file of every frame that the phone really received.

It is what the outbox's own log is judged by: a notification that is not in it was lost, one that
is in it twice reached its recipient twice. A frame is in the file before anything answers it, so
killing the phone takes no acknowledged frame along. Each row keeps the secret, so that a phone
started again on its ledger still knows the trace of every frame that it ever received.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from outbox.session.phone.line import Line, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame that the phone received: a row of the ledger."""

    sequence: int
    """Counts the rows of the file from 1."""
    received_at: datetime
    account: str
    jid: str
    notification: UUID
    attempt: int
    message_id: str
    secret: str
    """Hexadecimal."""
    body: Mapping[str, Any]
    media: Sequence[Mapping[str, Any]]
    """Digest, mime and size (bytes) of the media that the body names: those of an album in order.
    """

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return the frame that a row of the file states."""
        return cls(
            sequence=row["sequence"],
            received_at=datetime.fromisoformat(row["received_at"]),
            account=row["account"],
            jid=row["jid"],
            notification=UUID(row["notification"]),
            attempt=row["attempt"],
            message_id=row["message_id"],
            secret=row["secret"],
            body=row["body"],
            media=row["media"],
        )


class Ledger:
    """The file, as its only writer holds it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        whole = 0
        self.sequence = 0
        """How many rows the file has."""
        with path.open("rb") as rows:
            for row in rows:
                if row.endswith(b"\n"):
                    whole += len(row)
                    self.sequence += 1
        # What a killed phone wrote in part was never answered: it was not received.
        self._file.truncate(whole)
        self._pending: list[bytes] = []

    def append(self, account: str, frame: Line) -> None:
        """Take a frame as the session sent it; `flush` makes it durable."""
        self.sequence += 1
        row = {
            "sequence": self.sequence,
            "received_at": datetime.now(UTC).isoformat(),
            "account": account,
            **frame,
        }
        del row["type"]
        self._pending.append(encode(row))

    def flush(self) -> None:
        """Hand to the operating system what was appended. Nothing is answered before."""
        if self._pending:
            self._file.write(b"".join(self._pending))
            self._pending.clear()
            self._file.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        self._file.close()

    @staticmethod
    def rows(path: Path) -> Iterator[Line]:
        """Yield the whole rows of the file, also while a phone writes it."""
        with path.open("rb") as rows:
            for row in rows:
                if row.endswith(b"\n"):
                    yield json.loads(row)

    @staticmethod
    def read(path: Path) -> list[Frame]:
        """Return the frames in the order in which they were received."""
        return [Frame.from_row(row) for row in Ledger.rows(path)]


def by_notification(frames: Iterable[Frame]) -> dict[UUID, list[Frame]]:
    """Group the frames: two of one notification are a double."""
    grouped: defaultdict[UUID, list[Frame]] = defaultdict(list)
    for frame in frames:
        grouped[frame.notification].append(frame)
    return dict(grouped)
