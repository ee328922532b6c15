"""An incident told event by event: the connection is lost at 12:00 and back at 12:20.

Two dynos are restarted: one during the outage, for a deploy, and one at 12:40, which is killed in
the middle of two sends.
"""

import psycopg

from tests.day import DAY, Day

SINCE, UNTIL = f"{DAY}T11:50:00Z", f"{DAY}T13:00:00Z"


def tell_the_outage(connection: psycopg.Connection) -> None:
    """Append what happened from the morning until one o'clock."""
    day = Day(connection)
    day.own("06:58:00", "worker.1", "v41")
    day.link("06:58:01", "connecting")
    day.link("06:58:04", "connected")
    _before(day)
    _outage(day)
    _after(day)


def _before(day: Day) -> None:
    """Something is sent, and something waits for the evening."""
    day.enqueue("09:00:00", "447700900109", "See you tonight.", due_at=f"{DAY} 20:00:00Z")
    for minute in range(0, 60, 4):
        stream = day.enqueue(f"11:{minute:02}:00", "447700900199", "A reminder.")
        day.send(f"11:{minute:02}:00.4", stream, f"11:{minute:02}:01.2", f"3EB0{minute:02}")


def _outage(day: Day) -> None:
    """Six come due, one of them for five minutes only; the worker is restarted meanwhile."""
    day.link("12:00:00", "disconnected", reason="keep-alive lost")
    day.link("12:00:00", "reconnect_scheduled", reconnect_at=f"{DAY} 12:00:01Z")
    day.link("12:00:01", "connecting")
    day.link("12:01:01", "disconnected", reason="dial timed out")
    day.link("12:01:01", "reconnect_scheduled", reconnect_at=f"{DAY} 12:01:03Z")
    waited = [
        day.enqueue("12:02:00", "447700900101", "Your table for four is booked."),
        day.enqueue("12:04:00", "447700900102", "Your driver has arrived."),
        day.enqueue(
            "12:05:00", "447700900103", "Your code is 1234.", expires_at=f"{DAY} 12:10:00Z"
        ),
    ]
    day.link("12:07:00", "draining")
    day.link("12:07:01", "lease_released", epoch=day.epoch)
    day.own("12:07:09", "worker.1", "v42")
    day.link("12:07:10", "connecting")
    day.link("12:08:10", "disconnected", reason="dial timed out")
    day.link("12:08:10", "reconnect_scheduled", reconnect_at=f"{DAY} 12:19:58Z")
    day.tell("12:10:05", waited[2], "expired", {"state": "pending"})
    waited += [
        day.enqueue("12:12:00", "447700900101", "Your table is free now."),
        day.enqueue("12:15:00", "447700900104", "Your order has shipped."),
        day.enqueue("12:18:00", "447700900105", "Your invoice is ready."),
    ]
    day.link("12:19:58", "connecting")
    day.link("12:20:00", "connected")
    for second, stream in enumerate((waited[0], waited[1], waited[3], waited[4])):
        day.send(f"12:20:{second + 1:02}", stream, f"12:20:{second + 1:02}.8", f"3EB0C{second}")
    for attempt, (at, retry) in enumerate(
        (("12:20:06", "12:21:06"), ("12:21:06", "12:23:06"), ("12:23:06", "12:27:06")), 1
    ):
        day.start(at, waited[5])
        day.end(
            f"{at}.9",
            waited[5],
            "attempt_failed",
            **{"class": "transient"},
            error="server returned error 479",
            retry_at=f"{DAY} {retry}Z",
            recipient_failures=attempt,
        )
    day.end("12:23:06.9", waited[5], "exhausted")


def _after(day: Day) -> None:
    """A worker is killed while it sends two; one of them is sent again, one is held."""
    doubled = day.enqueue("12:39:58", "447700900106", "Your invoice is ready.")
    held = day.enqueue("12:39:59", "447700900107", "We have charged you 40.", on_unknown="hold")
    for stream in (doubled, held):
        day.start("12:40:00", stream)
    day.link("12:41:00", "lease_lost", epoch=day.epoch + 1)
    day.epoch += 1
    for stream in (doubled, held):
        day.tell(
            "12:41:00",
            stream,
            "attempt_unknown",
            {"attempt": 1, "error": "the worker that was sending it lost its lease"},
        )
    day.own("12:41:02", "worker.2", "v42")
    day.link("12:41:03", "connecting")
    day.link("12:41:06", "connected")
    for stream, message_id in ((doubled, "3EB0D0"), (held, "3EB0D1")):
        day.end("12:41:06.2", stream, "attempt_unknown", message_id=message_id)
    day.end(
        "12:42:07",
        doubled,
        "attempt_failed",
        **{"class": "unconfirmed"},
        error="it may have left, and no receipt came within the grace",
    )
    day.send("12:42:07.3", doubled, "12:42:08", "3EB0D5")
    nobody = day.enqueue("12:50:00", "447700900108", "Welcome!")
    day.start("12:50:01", nobody)
    day.end("12:50:02", nobody, "rejected", error="not on WhatsApp")
    day.enqueue("12:55:00", "447700900102", "Was all well?", due_at=f"{DAY} 18:00:00Z")
    wrong = day.enqueue("12:56:00", "447700900104", "Happy birthday!", due_at=f"{DAY} 18:00:00Z")
    day.tell("12:58:00", wrong, "cancelled", {"reason": "wrong person"}, {"token": "support"})
