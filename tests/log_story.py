"""A believable day of one account, for the questions of docs/log.md and docs/audit.md.

Every event is appended as the outbox would have, with the moment at which it happened. Run as a
module it writes the answers into the documents anew.
"""

import re
from pathlib import Path

import psycopg
from psycopg import sql

from outbox.log.migrate import upgrade
from tests.databases import database, embedded_server
from tests.day import DAY, Day

_DOCS = Path(__file__).resolve().parents[1] / "docs"
DOCUMENTS = (_DOCS / "log.md", _DOCS / "audit.md")

_BLOCK = re.compile(r"```sql\n(.*?)```\n\n```text\n(.*?)```\n", re.DOTALL)


def tell_the_day(connection: psycopg.Connection) -> None:
    """Append everything that happened on that day."""
    day = Day(connection)
    _morning(day)
    _afternoon(day)
    _evening(day)


def _morning(day: Day) -> None:
    """Most is well; three recipients cannot be reached."""
    day.own("06:58:00", "web.1", "v41")
    day.link("06:58:01", "connecting")
    day.link("06:58:04", "connected")

    booked = day.enqueue("09:00:00", "447700900101", "Your table for four is booked.")
    day.send("09:00:00.4", booked, "09:00:01.1", "3EB0A1")
    day.receive("09:00:03", booked, "delivered")
    day.receive("09:12:40", booked, "read")
    for second, (number, ack) in enumerate(
        [("447700900102", 0.9), ("447700900103", 1.3), ("447700900104", 4.8)]
    ):
        stream = day.enqueue(f"09:20:{second:02}", number, "Doors open at seven.")
        day.send(f"09:20:{second:02}.2", stream, f"09:20:{second + ack:06.3f}", f"3EB0B{second}")

    for at, until, throttles in (("09:40:12", "09:41:19", 1), ("09:41:21", "09:43:40", 2)):
        day.link(
            at,
            "throttled",
            reason="server returned error 429",
            throttles=throttles,
            until=f"{DAY} {until}Z",
        )

    full = day.enqueue("10:15:00", "447700900107", "Your parcel is at the door.")
    for attempt, (at, retry) in enumerate(
        [("10:15:01", "10:16:05"), ("10:16:05", "10:18:20"), ("10:18:20", "10:22:30")], 1
    ):
        day.start(at, full)
        day.end(
            f"{at}.9",
            full,
            "attempt_failed",
            **{"class": "transient"},
            error="server returned error 479",
            retry_at=f"{DAY} {retry}Z",
            recipient_failures=attempt,
        )
    day.end("10:18:20.9", full, "exhausted")
    nobody = day.enqueue("11:00:00", "447700900108", "Welcome!")
    day.start("11:00:01", nobody)
    day.end("11:00:02", nobody, "rejected", error="not on WhatsApp")
    other = day.enqueue("11:05:00", "447700900109", "Welcome!")
    day.start("11:05:01", other)
    day.end("11:05:02", other, "rejected", error="not on WhatsApp")


def _afternoon(day: Day) -> None:
    """The connection is lost for three quarters of an hour."""
    day.link("14:05:10", "disconnected", reason="keep-alive lost")
    day.link("14:05:10", "reconnect_scheduled", reconnect_at=f"{DAY} 14:05:12Z")
    day.link("14:05:12", "connecting")
    day.link("14:06:12", "disconnected", reason="dial timed out")
    day.link("14:06:12", "reconnect_scheduled", reconnect_at=f"{DAY} 14:06:15Z")
    day.link("14:06:15", "connecting")
    waited = [
        day.enqueue("14:10:00", "447700900101", "Your driver has arrived."),
        day.enqueue(
            "14:20:00", "447700900102", "Your code is 1234.", expires_at=f"{DAY} 14:25:00Z"
        ),
        day.enqueue("14:30:00", "447700900103", "Your order has shipped."),
    ]
    day.tell("14:25:07", waited[1], "expired", {"state": "pending"})
    day.link("14:52:30", "connected")
    day.send("14:52:30.5", waited[0], "14:52:31.2", "3EB0C0")
    day.send("14:52:31.3", waited[2], "14:52:32.1", "3EB0C2")


def _evening(day: Day) -> None:
    """A worker dies in the middle of three sends; later some wait for their time."""
    doubled = day.enqueue("18:29:58", "447700900104", "Your invoice is ready.")
    proven = day.enqueue("18:29:58.5", "447700900105", "Your invoice is ready.")
    held = day.enqueue("18:29:59", "447700900106", "We have charged you 40.", on_unknown="hold")
    for stream in (doubled, proven, held):
        day.start("18:30:00", stream)
    day.link("18:31:02", "lease_lost", epoch=day.epoch + 1)
    day.epoch += 1
    for stream in (doubled, proven, held):
        day.tell(
            "18:31:02",
            stream,
            "attempt_unknown",
            {"attempt": 1, "error": "the worker that was sending it lost its lease"},
        )
    day.own("18:31:02.5", "worker.1", "v42")
    day.link("18:31:03", "connecting")
    day.link("18:31:06", "connected")
    for stream, message_id in ((doubled, "3EB0D0"), (proven, "3EB0D1"), (held, "3EB0D2")):
        day.end("18:31:06.2", stream, "attempt_unknown", message_id=message_id)
    day.end("18:31:40", proven, "sent", evidence="receipt", recipient_failures=0)
    day.receive("18:31:40", proven, "delivered")
    day.end(
        "18:32:07",
        doubled,
        "attempt_failed",
        **{"class": "unconfirmed"},
        error="it may have left, and no receipt came within the grace",
    )
    day.send("18:32:07.3", doubled, "18:32:08.1", "3EB0D5")

    wrong = day.enqueue("19:00:00", "447700900110", "Happy birthday!", due_at=f"{DAY} 20:00:00Z")
    day.tell("19:05:00", wrong, "cancelled", {"reason": "wrong person"}, {"token": "support"})
    day.enqueue("19:10:00", "447700900101", "How was your meal?", due_at=f"{DAY} 21:00:00Z")
    day.enqueue(
        "19:15:00", "447700900102", "Tomorrow: rain.", due_at=f"{DAY} 21:00:00Z", priority=5
    )
    late = day.enqueue("19:20:00", "447700900107", "Your parcel is with a neighbour.")
    day.start("19:20:01", late)
    day.end(
        "19:20:02",
        late,
        "attempt_failed",
        **{"class": "transient"},
        error="server returned error 479",
        retry_at=f"{DAY} 19:29:10Z",
        recipient_failures=4,
    )


def questions(text: str) -> list[str]:
    """Return the queries of a document whose answers it shows."""
    return [match[1] for match in _BLOCK.finditer(text)]


def answered(connection: psycopg.Connection, text: str) -> str:
    """Return a document with the answers that its queries have now."""
    connection.execute("set timezone = 'UTC'")

    def answer(match: re.Match[str]) -> str:
        return f"```sql\n{match[1]}```\n\n```text\n{_table(connection, match[1])}```\n"

    return _BLOCK.sub(answer, text)


def _table(connection: psycopg.Connection, query: str) -> str:
    """Return the result of a query as psql shows it, without the lines' trailing blanks."""
    cursor = connection.execute(query.encode())
    assert cursor.description
    names = [column.name for column in cursor.description]
    columns = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(n)) for n in names)
    inner = sql.SQL(query.rstrip().removesuffix(";"))
    rows = connection.execute(sql.SQL("select {} from ({}) q").format(columns, inner)).fetchall()
    cells = [names, *([cell or "" for cell in row] for row in rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(names))]
    lines = [
        " " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]
    lines.insert(1, "-+-".join("-" * width for width in widths).join("--"))
    return "".join(f"{line.rstrip()}\n" for line in lines)


def main() -> None:
    """Write the answers into the documents."""
    with embedded_server() as server, database(server, "story") as url:
        upgrade(url)
        with psycopg.connect(url, autocommit=True) as connection:
            tell_the_day(connection)
            for document in DOCUMENTS:
                document.write_text(answered(connection, document.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
