"""How a session and its process talk."""

import threading

import pytest

from outbox.session.whatsapp.channel import Channel, pair


@pytest.fixture
def ends() -> tuple[Channel, Channel]:
    """Both ends, in one process."""
    ours, theirs = pair()
    return ours, Channel(theirs)


Ends = tuple[Channel, Channel]


def test_objects(ends: Ends) -> None:
    """What one end says the other hears, in order, whatever characters are in it."""
    ours, theirs = ends
    said = [{"type": "send", "text": "Grüße 👋\n\0", "n": n} for n in range(3)]
    for one in said:
        ours.tell(one)
    assert [theirs.hear() for _ in said] == said
    theirs.tell({"type": "beat"})
    assert ours.hear(20) == {"type": "beat"}


def test_nothing_said(ends: Ends) -> None:
    """Who does not want to wait for ever hears nothing when nothing is said."""
    ours, theirs = ends
    assert ours.hear(0) is None
    assert ours.hear(0.01) is None
    theirs.tell({})
    assert ours.hear(20) == {}


def test_raw_bytes(ends: Ends) -> None:
    """Raw bytes come as they are, none at all and many at once, too."""
    ours, theirs = ends
    chunks = [b"", b"\0\xff", b"x" * 1_000_000]

    def write() -> None:
        with ours.writing:
            for chunk in chunks:
                ours.put(chunk)

    writer = threading.Thread(target=write)
    writer.start()
    assert [theirs.take() for _ in chunks] == chunks
    writer.join()


def test_frames_do_not_mix(ends: Ends) -> None:
    """Nobody's object comes between frames that belong together."""
    ours, theirs = ends

    def write(name: int) -> None:
        for _ in range(20):
            with ours.writing:
                ours.put(b'{"name": %d}' % name)
                ours.put(bytes([name]) * 50_000)

    writers = [threading.Thread(target=write, args=(name,)) for name in range(3)]
    for writer in writers:
        writer.start()
    for _ in range(60):
        said = theirs.hear()
        assert said is not None
        assert theirs.take() == bytes([said["name"]]) * 50_000
    for writer in writers:
        writer.join()


def test_the_other_side_is_gone(ends: Ends) -> None:
    """What was said before is heard, then that nobody is there any more."""
    ours, theirs = ends
    theirs.tell({"type": "ended"})
    theirs.close()
    assert ours.hear(20) == {"type": "ended"}
    with pytest.raises(EOFError):
        ours.hear(20)
    with pytest.raises(OSError, match=r"Broken pipe"):
        ours.tell({"type": "stop"})
    ours.close()
