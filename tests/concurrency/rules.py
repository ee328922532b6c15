"""What holds of any log, judged from its events alone."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from outbox.log.follow import Event

ACCOUNTS_OWN = frozenset(
    [
        "attempt_started",
        "attempt_unknown",
        "attempt_failed",
        "sent",
        "delivered",
        "read",
        "played",
        "rejected",
    ]
)
"""Events of a notification that only the account's owner appends, under its epoch."""

PENDING = frozenset({"attempt_started", "cancelled", "expired"})
SENT = frozenset({"delivered", "read", "played"})
MAY_FOLLOW = {
    "enqueued": PENDING,
    "requeued": PENDING,
    "attempt_started": frozenset({"sent", "attempt_failed", "attempt_unknown", "rejected"}),
    "attempt_unknown": frozenset(
        {"sent", "attempt_failed", "attempt_unknown", "cancelled", "expired", "requeued"}
    ),
    "attempt_failed": PENDING | {"exhausted"},
    "sent": SENT,
    "delivered": SENT - {"delivered"},
    "read": frozenset({"played"}),
    "played": frozenset[str](),
    "rejected": frozenset({"requeued"}),
    "expired": frozenset({"requeued"}),
    "exhausted": frozenset({"requeued"}),
    "cancelled": frozenset({"requeued"}),
}
"""Which events may come next in a notification's stream."""


def broken_rules(events: Iterable[Event]) -> list[str]:
    """Return what is wrong with events in the order in which they were read; nothing if all is."""
    streams: dict[object, list[Event]] = defaultdict(list)
    for event in events:
        streams[event.stream].append(event)
    return [
        f"{problem}: {[(e.version, e.type) for e in stream]}"
        for stream in streams.values()
        for problem in _broken_in_stream(stream)
    ] + list(_broken_fences(streams.values()))


def _broken_in_stream(stream: list[Event]) -> Iterator[str]:
    if [event.version for event in stream] != list(range(1, len(stream) + 1)):
        yield "versions are not contiguous"
    is_connection = stream[0].type not in MAY_FOLLOW
    if not is_connection and stream[0].type != "enqueued":
        yield "it does not begin with enqueued"
    for before, after in pairwise(stream):
        if after.position <= before.position:
            yield "positions do not grow"
        if after.recorded_at < before.recorded_at:
            yield "moments do not grow"
        if not is_connection and after.type not in MAY_FOLLOW[before.type]:
            yield f"{after.type} follows {before.type}"
        if is_connection and after.type in MAY_FOLLOW:
            yield "a connection has a notification's event"


def _broken_fences(streams: Iterable[list[Event]]) -> Iterator[str]:
    """An owner's events lie between the beginning and the end of its tenure in the log."""
    begun: dict[tuple[str, int], int] = {}
    ended: dict[tuple[str, int], int] = {}
    owners: list[Event] = []
    for stream in streams:
        for event in stream:
            if event.type == "lease_acquired":
                begun[event.account, event.data["epoch"]] = event.position
            elif event.type == "lease_released":
                ended[event.account, event.data["epoch"]] = event.position
            elif event.type == "lease_lost":
                ended[event.account, event.data["epoch"] - 1] = event.position
            elif event.type in ACCOUNTS_OWN and "epoch" in event.metadata:
                owners.append(event)
    for event in owners:
        tenure = (event.account, event.metadata["epoch"])
        if tenure not in begun:
            yield f"{event.type} of {event.stream} under an epoch that nobody has had: {tenure}"
        elif not begun[tenure] < event.position < ended.get(tenure, event.position + 1):
            yield f"{event.type} of {event.stream} was appended outside its tenure {tenure}"
