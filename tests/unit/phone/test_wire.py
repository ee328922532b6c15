"""A wire that never blocks, and knows what it has written."""

import socket
from collections.abc import Iterator

import pytest

from outbox.session.phone.wire import Wire

Ends = tuple[Wire, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A wire, and the socket at its other end."""
    ours, theirs = socket.socketpair()
    wire = Wire(ours)
    yield wire, theirs
    wire.close()
    theirs.close()


def test_writes_what_there_is_room_for(ends: Ends) -> None:
    """What the peer does not take stays in the backlog, uncounted, until there is room."""
    wire, theirs = ends
    lines = [bytes([n]) * 100_000 for n in range(20)]
    for line in lines:
        wire.push(line)
    wire.flush()
    assert wire.backlog
    assert wire.pushed == 2_000_000
    assert 0 < wire.written < wire.pushed
    received = b""
    while len(received) < wire.pushed:
        received += theirs.recv(1 << 20)
        assert len(received) <= wire.written
        wire.flush()
    assert received == b"".join(lines)
    assert not wire.backlog


def test_whole_lines(ends: Ends) -> None:
    """Lines come whole, however they were cut in transit."""
    wire, theirs = ends
    assert wire.pull() == []
    theirs.send(b"one\ntw")
    assert wire.pull() == [b"one"]
    theirs.send(b"o\nthree\n")
    assert wire.pull() == [b"two", b"three"]


def test_the_last_words_are_heard(ends: Ends) -> None:
    """What the peer said before it hung up is read, even after writing to it has failed."""
    wire, theirs = ends
    theirs.send(b"goodbye\n")
    theirs.close()
    wire.push(b"hello\n")
    wire.flush()
    assert not wire.backlog
    assert wire.written == 0
    assert wire.pull() == [b"goodbye"]
    with pytest.raises(ConnectionError):
        wire.pull()
