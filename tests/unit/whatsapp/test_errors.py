"""The error tables: which words mean what, that no row hides another, and that no number stays."""

import mmap
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from outbox.session.whatsapp.errors import (
    AFTER,
    BEFORE,
    Row,
    classify,
    classify_prepared,
    without_numbers,
)

FRIEND = "31600900001@s.whatsapp.net"

# What whatsmeow says, by why it says so; numbers and the database's words are filled in.
EXAMPLES: dict[str, tuple[str, ...]] = {
    "there is no client": ("client is nil",),
    "the account is not logged in": ("the store doesn't contain a device JID",),
    "the connection was lost while something was asked for the message": (
        (
            f"failed to get user info for {FRIEND} to fill LID cache: failed to send usync query: "
            "websocket disconnected before info query returned response"
        ),
        (
            "failed to get device list: failed to send usync query: "
            "websocket disconnected before info query (retry) returned response"
        ),
        "failed to get device list: failed to send usync query: info query timed out",
        "failed to get group members: websocket not connected",
        (
            "failed to refresh media connections: failed to query media connections: "
            "websocket not connected"
        ),
        "failed to send message node: websocket not connected",
    ),
    "too many questions; often it is they and not the messages": (
        (
            "failed to get device list: failed to send usync query: "
            "info query returned status 429: rate-overlimit"
        ),
        "failed to get group members: info query returned status 429: rate-overlimit",
    ),
    "WhatsApp knows nobody of this number": (f"no LID found for {FRIEND} from server",),
    "this address takes no messages": (
        "can't send message to unknown server c.us",
        "message recipient must be a user JID with no device part",
        (
            "failed to get broadcast list members: "
            "sending to non-status broadcast lists is not yet supported"
        ),
        "can't set disappearing time in a newsletter chat",
    ),
    "the account is no member of the group": (
        "failed to get group members: you're not participating in that group",
        "failed to get group members: that group does not exist",
    ),
    "this is no message": (
        "failed to marshal message: string field contains invalid UTF-8",
        "failed to marshal message (for own devices): string field contains invalid UTF-8",
    ),
    "the recipient's devices or keys could not be had": (
        "failed to get group members: info query returned status 500: internal-server-error",
        "failed to get broadcast list members: failed to get status privacy: EOF",
        (
            "failed to get device list: failed to send usync query: "
            "info query returned status 503: service-unavailable"
        ),
        f"failed to get LID for PN {FRIEND}: driver: bad connection",
        (
            f"failed to get user info for {FRIEND} to fill LID cache: failed to send usync query: "
            "info query returned status 500: internal-server-error"
        ),
        "failed to fetch LID mappings: driver: bad connection",
        "failed to prefetch sessions: driver: bad connection",
        "failed to process prekey bundle: untrusted identity",
        "can't encrypt message for device: no signal session established with 831600900001:0",
        "failed to encrypt group message to send 3EB0 to 120363000000000001@g.us: no key",
        "cipher encryption failed: no session",
        "failed to create sender key distribution message to send 3EB0 to 1@g.us: no key",
        "failed to marshal sender key distribution message to send 3EB0 to 1@g.us: no key",
        "failed to save cached sessions: driver: bad connection",
        "failed to clear untrusted identity: driver: bad connection",
    ),
    "what the message carries could not be uploaded": (
        (
            "failed to refresh media connections: failed to query media connections: "
            "info query returned status 500: internal-server-error"
        ),
        "failed to prepare request: net/http: invalid method",
        'failed to execute request: Post "https://mmg.whatsapp.net/mms/image": EOF',
        "upload failed with status code 507",
        "failed to parse upload response: unexpected end of JSON input",
    ),
    "too many messages: the account pauses, and the message is none the worse": (
        "server returned error 429",
    ),
    "no talking to strangers for now; to insist gets accounts banned": (
        "server returned error 463",
    ),
    "the recipient's devices or address had changed; whatsmeow asks anew": (
        "server returned error 479",
    ),
    "the server will not take this message to this recipient": tuple(
        f"server returned error {code}" for code in (400, 401, 403, 404, 405, 406, 410, 419, 420)
    ),
    "refused for now, or for a reason that nobody knows: once more, later": tuple(
        f"server returned error {code}" for code in (1, 4, 40, 421, 428, 430, 475, 500, 503, 4290)
    ),
    "no acknowledgement within whatsmeow's 75 seconds": (
        "timed out waiting for message send response",
    ),
    "the connection was lost between the frame and its acknowledgement": (
        "websocket disconnected before message send returned response",
        "websocket disconnected before message send (retry) returned response",
    ),
    "the connection broke while the frame was written": (
        "failed to send message node: frame socket is closed",
        "failed to send message node: failed to marshal node: invalid type",
    ),
}
UNKNOWN = (
    "websocket not connected",  # after a reconnection, when the first frame may have arrived
    "frame socket is closed",
    "context deadline exceeded",
    "websocket disconnected",
    "something that nobody has heard of",
    "",
)
ALL = BEFORE + AFTER


def _first(error: str) -> Row | None:
    return next((row for row in ALL if re.search(row.pattern, error)), None)


def test_every_row_has_examples() -> None:
    """What stands in the tables is tried, all of it."""
    assert [row.why for row in ALL] == list(EXAMPLES)


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.why)
def test_row_is_found(row: Row) -> None:
    """Each example is its row's and no earlier one's, and classified as the row says."""
    for error in EXAMPLES[row.why]:
        assert _first(error) is row, error
        assert classify(error) == row.type


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.why)
def test_every_alternative_is_tried(row: Row) -> None:
    """A row that waits for one of several words has an example with each of them."""
    for alternative in _alternatives(row.pattern):
        assert any(re.search(alternative, error) for error in EXAMPLES[row.why]), alternative


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.why)
def test_words_are_the_librarys(row: Row) -> None:
    """The words that a row waits for are in the library that is installed."""
    found = find_spec("neonize")
    assert found is not None
    assert found.origin is not None
    [library] = Path(found.origin).parent.glob("neonize-*.so")
    with (
        library.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as words,
    ):
        for fixed in _fixed(row.pattern):
            assert words.find(fixed.encode()) >= 0, fixed


def test_what_comes_before_a_frame_is_known() -> None:
    """An error before the frame never leaves open whether the message has left."""
    assert "unknown" not in {row.type for row in BEFORE}


def test_what_comes_after_a_frame_may_have_left() -> None:
    """An error after the frame never claims that nothing has left."""
    assert "not_sent" not in {row.type for row in AFTER}


@pytest.mark.parametrize("error", UNKNOWN)
def test_no_row(error: str) -> None:
    """What no row matches is unknown: nothing is sent again by a guess."""
    assert _first(error) is None
    assert classify(error) == "unknown"


@pytest.mark.parametrize("error", [*sum(EXAMPLES.values(), ()), *UNKNOWN])
def test_prepared_is_known(error: str) -> None:
    """Before a message was handed over no error is unknown, and the tables hold where they say."""
    kind = classify_prepared(error)
    assert kind != "unknown"
    if classify(error) != "unknown":
        assert kind == classify(error)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("websocket not connected", "not_sent"),
        ("websocket disconnected before message send returned response", "not_sent"),
        ("could not ask: client is nil", "not_sent"),
        ("ffmpeg took more than 60 seconds", "failed"),
        ("something that nobody has heard of", "failed"),
    ],
)
def test_prepared(error: str, kind: str) -> None:
    """A lost connection costs a prepared message no attempt, and anything else does."""
    assert classify_prepared(error) == kind


@pytest.mark.parametrize(
    ("error", "rest"),
    [
        (f"no LID found for {FRIEND} from server", "no LID found for … from server"),
        ("to 31600900001:5@s.whatsapp.net", "to …"),
        ("to 31600900001.0:5@s.whatsapp.net", "to …"),
        ("to 831600900001@lid, 831600900001:12@lid", "to …, …"),
        ("to 31600900001:99@hosted", "to …"),
        ("to 831600900001:99@hosted.lid", "to …"),
        ("to 120363000000000001@g.us", "to …"),
        ("to 31600900001-1600000000@g.us", "to …-…"),
        ("with 831600900001_1:0", "with …_1:0"),
        ("with 831600900001:0", "with …:0"),
        ("asked for +31600900001", "asked for …"),
        ("asked for 0031600900001.", "asked for …."),
        ("to 12345@newsletter", "to …"),
        ("server returned error 463", "server returned error 463"),
        ("upload failed with status code 507", "upload failed with status code 507"),
        ("took more than 3600 seconds", "took more than 3600 seconds"),
    ],
)
def test_without_numbers(error: str, rest: str) -> None:
    """Addresses and phone numbers go, codes and seconds stay."""
    assert without_numbers(error) == rest


@pytest.mark.parametrize("error", sum(EXAMPLES.values(), ()))
def test_examples_without_numbers(error: str) -> None:
    """Of no error a number is left, and what is left is classified alike."""
    kept = without_numbers(error)
    assert not re.search(r"\d{5}", kept)
    assert classify(kept) == classify(error)


def _alternatives(pattern: str) -> list[str]:
    """Return the patterns that a pattern chooses from: a|b(?:c|d)e are a, bce and bde."""
    group = re.search(r"\(\?:((?:[^()\[\]]|\[[^]]*\])*)\)", pattern)
    if group is None:
        return pattern.split("|")
    whole = _branches(pattern)
    if len(whole) > 1:
        return [one for branch in whole for one in _alternatives(branch)]
    before, after = pattern[: group.start()], pattern[group.end() :]
    return [
        one for chosen in group[1].split("|") for one in _alternatives(f"{before}{chosen}{after}")
    ]


def _branches(pattern: str) -> list[str]:
    """Split at each | that stands in no group."""
    found, depth = [""], 0
    for character in pattern:
        depth += (character == "(") - (character == ")")
        if character == "|" and not depth:
            found.append("")
        else:
            found[-1] += character
    return found


def _fixed(pattern: str) -> list[str]:
    """Return what stands in a pattern word for word, without numbers, which are filled in."""
    return [
        fixed
        for alternative in _alternatives(pattern)
        for part in re.split(
            r"(?<=disconnected before) |\.\*|\\d\+|\\b|\[[^]]*\]|\^|: | \d+", alternative
        )
        if (fixed := part.strip())
    ]
