"""Which frames a fault strikes."""

import pytest

from outbox.session.phone.behaviour import Behaviour, Fate, Fault


def struck(fate: Fate, jid: str = "1@s.whatsapp.net", account: str = "main", times: int = 6) -> str:
    """Return what befalls so many frames: an initial each, a dot for nothing."""
    faults = [fate.befalls(account, jid, trace=False) for _ in range(times)]
    return "".join(fault.do[0] if fault else "." for fault in faults)


def test_the_nth_frame_for_so_many_times() -> None:
    """A fault lets `after` frames pass, then strikes `times` frames, then never again."""
    fate = Fate(Behaviour())
    fate.add(Fault("reject", after=2, times=3))
    assert struck(fate) == "..rrr."


def test_without_end() -> None:
    """A fault without `times` strikes until it is healed."""
    fate = Fate(Behaviour())
    fate.add(Fault("silence", times=None))
    assert struck(fate) == "ssssss"
    fate.clear()
    assert struck(fate) == "......"


def test_patterns() -> None:
    """A fault meets only the recipients and accounts that its patterns name."""
    fate = Fate(Behaviour())
    fate.add(Fault("reject", jid="*@g.us", account="m*", times=None))
    assert struck(fate, jid="1@g.us") == "rrrrrr"
    assert struck(fate, jid="1@s.whatsapp.net") == "......"
    assert struck(fate, jid="1@g.us", account="other") == "......"


def test_others_do_not_count() -> None:
    """Frames that a fault's patterns do not name do not use up what it lets pass."""
    fate = Fate(Behaviour())
    fate.add(Fault("reject", jid="1@*", after=1))
    assert struck(fate, jid="2@s.whatsapp.net") == "......"
    assert struck(fate, jid="1@s.whatsapp.net") == ".r...."


def test_the_first_that_strikes() -> None:
    """Of several faults the first that strikes decides; the next waits for its own turn."""
    fate = Fate(Behaviour())
    fate.add(Fault("fail", times=2))
    fate.add(Fault("reject", times=2))
    assert struck(fate) == "ffrr.."


def test_traces_and_frames_apart() -> None:
    """Only `drop_before_trace` meets traces, and it meets nothing else."""
    fate = Fate(Behaviour())
    fate.add(Fault("drop_before_trace"))
    fate.add(Fault("reject"))
    assert struck(fate) == "r....."
    befalls = fate.befalls("main", "1@s.whatsapp.net", trace=True)
    assert befalls is not None
    assert befalls.do == "drop_before_trace"


def test_a_seed_repeats() -> None:
    """The same seed draws the same lots, another seed others, and jitter does not disturb them."""

    def drawn(seed: int, *, jitter: float = 0.0) -> str:
        fate = Fate(Behaviour(seed=seed, jitter=jitter))
        fate.add(Fault("reject", probability=0.5, times=None))
        result = ""
        for _ in range(50):
            fate.latency()
            result += struck(fate, times=1)
        return result

    assert drawn(1) == drawn(1) == drawn(1, jitter=1.0)
    assert drawn(1) != drawn(2)
    assert 10 < drawn(1).count("r") < 40


def test_latency() -> None:
    """The latency strays by the jitter to either side, never below zero."""
    fate = Fate(Behaviour(latency=1.0, jitter=0.5))
    drawn = [fate.latency() for _ in range(200)]
    assert 0.5 <= min(drawn) < 0.7
    assert 1.3 < max(drawn) <= 1.5
    fate.behave(Behaviour(latency=0.1, jitter=0.5))
    assert min(fate.latency() for _ in range(200)) == 0.0


def test_unknown_faults_and_fields() -> None:
    """What does not exist is refused with its name."""
    with pytest.raises(ValueError, match="explode"):
        Fault.of({"do": "explode"})
    with pytest.raises(ValueError, match="latancy"):
        Behaviour.of({"latancy": 1})
