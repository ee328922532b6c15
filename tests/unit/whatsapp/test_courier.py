"""The courier: attempts and their media reach the process, one attempt's media at a time."""

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any
from uuid import UUID, uuid4

import pytest

from outbox.session.port import Attempt, Media, Outcome
from outbox.session.whatsapp.channel import Channel, Said, pair
from outbox.session.whatsapp.courier import Courier

_PATIENCE = 20.0
FILE, OTHER = "a" * 64, "b" * 64


class Carried:
    """A courier at work, with what it concludes and the end where a process would listen."""

    def __init__(self, media: Callable[[str], Media]) -> None:
        ours, theirs = pair()
        self.process = Channel(theirs)
        self.outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self.courier = Courier("courier", media, self.outcomes.put)
        self.courier.start(ours)

    def send(self, media: str = "", **more: Any) -> Attempt:  # noqa: ANN401 - JSON, mostly
        """Let an attempt be carried."""
        kind: dict[str, Any] = {"kind": "document", "media": media} if media else {"kind": "text"}
        attempt = Attempt(uuid4(), 1, "31600900001@s.whatsapp.net", kind | more)
        self.courier.take(attempt)
        return attempt

    def heard(self) -> Said:
        """Return what the process is told next."""
        said = self.process.hear(_PATIENCE)
        assert said is not None
        return said

    def hears_nothing(self) -> bool:
        """Whether the process is told nothing for a while."""
        return self.process.hear(0.3) is None

    def landed(self, attempt: Attempt) -> None:
        """Have the outcome of an attempt."""
        self.courier.landed((attempt.notification, attempt.number))


class Files:
    """Media that are fetched, chunk by chunk, until one of their chunks is an error."""

    def __init__(self, *chunks: bytes | Exception, size: int = 6) -> None:
        self._chunks = chunks
        self._size = size
        self.fetched: list[str] = []

    def __call__(self, digest: str) -> Media:
        """Describe media."""
        self.fetched.append(digest)
        return Media("text/plain", self._size, self._read())

    def _read(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


@pytest.fixture
def carry() -> Iterator[Callable[[Callable[[str], Media]], Carried]]:
    """Makes couriers, which are gone after the test."""
    made: list[Carried] = []

    def make(media: Callable[[str], Media]) -> Carried:
        made.append(Carried(media))
        return made[-1]

    yield make
    for carried in made:
        carried.courier.stop()
        carried.process.close()
        carried.courier._thread.join(_PATIENCE)
        assert not carried.courier._thread.is_alive()


Carry = Callable[[Callable[[str], Media]], Carried]


def _id(said: Said) -> UUID:
    return UUID(said["notification"])


def test_in_order(carry: Carry) -> None:
    """Attempts come in the order in which they were taken, with all that the process needs."""
    carried = carry(Files())
    first, second = carried.send(), carried.send(text="Hello")
    said = carried.heard()
    assert said == {
        "type": "send",
        "notification": str(first.notification),
        "attempt": 1,
        "jid": first.jid,
        "content": {"kind": "text"},
        "secret": first.secret.hex(),
        "check": False,
    }
    assert _id(carried.heard()) == second.notification


def test_media(carry: Carry) -> None:
    """Media follow their attempt in chunks, of which none is empty: that would mean their end."""
    carried = carry(Files(b"", b"abc", b"", b"def"))
    carried.send(FILE)
    assert carried.heard()["media"] == [{"mime": "text/plain", "size": 6}]
    assert [carried.process.take() for _ in range(2)] == [b"abc", b"def"]


def test_one_attempts_media_at_a_time(carry: Carry) -> None:
    """The next media are not even fetched before the attempt of the first has its outcome."""
    files = Files(b"abcdef")
    carried = carry(files)
    first, second = carried.send(FILE), carried.send(OTHER)
    assert _id(carried.heard()) == first.notification
    carried.process.take()
    assert carried.hears_nothing()
    assert files.fetched == [FILE]
    carried.landed(first)
    assert _id(carried.heard()) == second.notification
    assert files.fetched == [FILE, OTHER]


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (KeyError(FILE), "rejected", f"media {FILE} was erased"),
        (ConnectionError("the database is away"), "not_sent", "the database is away"),
        (ConnectionResetError("reset"), "not_sent", "reset"),
        (BrokenPipeError("the database's pipe"), "not_sent", "the database's pipe"),
        (TimeoutError("too slow"), "failed", "too slow"),
        (OSError("a broken disk"), "failed", "a broken disk"),
        (RuntimeError("a mistake"), "failed", "a mistake"),
    ],
)
def test_media_break_off(carry: Carry, error: Exception, kind: str, words: str) -> None:
    """In mid-stream: the attempt is concluded, and the process goes on with the next one."""
    carried = carry(Files(b"abc", error))
    first = carried.send(FILE)
    second = carried.send()
    assert _id(carried.heard()) == first.notification
    assert [carried.process.take() for _ in range(2)] == [b"abc", b""]
    outcome = carried.outcomes.get(timeout=_PATIENCE)
    assert (outcome.notification, outcome.type) == (first.notification, kind)
    assert words in (outcome.error or "")
    assert _id(carried.heard()) == second.notification
    third = carried.send(OTHER)
    assert _id(carried.heard()) == third.notification


def test_media_end_early(carry: Carry) -> None:
    """Media that are shorter than was said break off, too."""
    carried = carry(Files(b"abc", size=7))
    carried.send(FILE)
    carried.heard()
    assert [carried.process.take() for _ in range(2)] == [b"abc", b""]
    outcome = carried.outcomes.get(timeout=_PATIENCE)
    assert outcome.type == "failed"
    assert "4 of 7 bytes are missing" in (outcome.error or "")


def test_error_behind_the_last_byte(carry: Carry) -> None:
    """What fails when the process has all bytes concludes nothing: the message leaves."""
    carried = carry(Files(b"abcdef", ConnectionError("the database is away")))
    first = carried.send(FILE)
    second = carried.send()
    carried.heard()
    assert carried.process.take() == b"abcdef"
    assert _id(carried.heard()) == second.notification
    assert carried.outcomes.empty()
    carried.landed(first)


@pytest.mark.parametrize(
    ("error", "kind"), [(KeyError(FILE), "rejected"), (ConnectionError("away"), "not_sent")]
)
def test_media_not_to_be_had(carry: Carry, error: Exception, kind: str) -> None:
    """An attempt whose media cannot be described is concluded; the process never hears of it."""

    def nothing(_: str) -> Media:
        raise error

    carried = carry(nothing)
    first, second = carried.send(FILE), carried.send()
    outcome = carried.outcomes.get(timeout=_PATIENCE)
    assert (outcome.notification, outcome.type) == (first.notification, kind)
    assert _id(carried.heard()) == second.notification


@pytest.mark.parametrize("media", ["", FILE])
def test_body_that_is_no_json(carry: Carry, media: str) -> None:
    """It is rejected, and what comes behind it is carried."""
    carried = carry(Files(b"abcdef"))
    first = carried.send(media, text={1, 2})
    second = carried.send(OTHER)
    outcome = carried.outcomes.get(timeout=_PATIENCE)
    assert (outcome.notification, outcome.type) == (first.notification, "rejected")
    assert _id(carried.heard()) == second.notification


def test_stop(carry: Carry) -> None:
    """What waits for media to be free is not sent, and the process is told to drain."""
    files = Files(b"abcdef")
    carried = carry(files)
    first, second, third = carried.send(FILE), carried.send(OTHER), carried.send()
    assert _id(carried.heard()) == first.notification
    carried.process.take()
    assert carried.hears_nothing()
    carried.courier.stop()
    assert carried.heard() == {"type": "drain"}
    outcomes = [carried.outcomes.get(timeout=_PATIENCE) for _ in range(2)]
    assert [(o.notification, o.type) for o in outcomes] == [
        (second.notification, "not_sent"),
        (third.notification, "not_sent"),
    ]
    assert files.fetched == [FILE]


def test_process_is_gone(carry: Carry) -> None:
    """The courier ends and concludes nothing: whoever follows the process does."""
    writing = threading.Event()

    def endless(_: str) -> Media:
        def chunks() -> Iterator[bytes]:
            while True:
                writing.set()
                yield b"x" * 65536

        return Media("text/plain", 1 << 40, chunks())

    carried = carry(endless)
    carried.send(FILE)
    assert writing.wait(_PATIENCE)
    carried.process.close()
    carried.courier._thread.join(_PATIENCE)
    assert not carried.courier._thread.is_alive()
    assert carried.outcomes.empty()
