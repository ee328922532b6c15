"""The owner of a session, as the tests play it: it hands over attempts and keeps every event."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import TypeVar
from uuid import UUID, uuid4

import pytest

from outbox.session.port import (
    Attempt,
    Consent,
    Media,
    Outcome,
    Receipt,
    SessionEvent,
    Transition,
    TransitionType,
)
from tests.conformance.subject import Subject

PATIENCE = 10.0
"""Seconds after which what has not happened never will."""

Seen = TypeVar("Seen")
Key = tuple[UUID, int]


def attempt(to: str = "447700900123@s.whatsapp.net", text: str = "hello") -> Attempt:
    """Return the first attempt of a new notification."""
    return Attempt(uuid4(), 1, to, {"kind": "text", "text": text})


def attempts(count: int) -> list[Attempt]:
    """Return attempts to as many recipients."""
    return [attempt(f"{447700900000 + n}@s.whatsapp.net", f"hello {n}") for n in range(count)]


def key(of: Attempt | Outcome) -> Key:
    """Return what names an attempt."""
    return of.notification, of.number


def no_media(digest: str) -> Media:
    """Have no media at all."""
    raise KeyError(digest)


class Owner:
    """A session and all its events, in the order in which they came."""

    def __init__(
        self,
        subject: Subject,
        media: Callable[[str], Media] = no_media,
        *,
        acknowledge_within: float = 60.0,
        close_within: float = 0.5,
    ) -> None:
        self.events: list[SessionEvent] = []
        self._changed = threading.Condition()
        opener = subject.opener(acknowledge_within=acknowledge_within, close_within=close_within)
        self.session = opener(subject.account, self._emit, media)

    def _emit(self, event: SessionEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def until(self, seen: Callable[[Sequence[SessionEvent]], Seen | None], what: str) -> Seen:
        """Return what is seen in the events as soon as it is neither None nor empty."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while not (found := seen(self.events)):
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    pytest.fail(f"no {what} within {PATIENCE} s; there were {self.events}")
            return found

    def transition(self, kind: TransitionType, nth: int = 1) -> Transition:
        """Wait for the nth transition of this type."""

        def seen(events: Sequence[SessionEvent]) -> Transition | None:
            all_of_it = [e for e in events if isinstance(e, Transition) and e.type == kind]
            return all_of_it[nth - 1] if len(all_of_it) >= nth else None

        return self.until(seen, f"transition {nth} to {kind}")

    def transitions(self) -> list[TransitionType]:
        """Return the types of all transitions so far."""
        with self._changed:
            return [event.type for event in self.events if isinstance(event, Transition)]

    def connect(self, nth: int = 1) -> None:
        """Connect, for the nth time, and wait for it."""
        self.session.connect()
        self.transition("connected", nth)

    def outcomes(self, of: Iterable[Attempt]) -> list[Outcome]:
        """Wait until all of these have an outcome, and return them in their order.

        It fails when one has two: so every test proves that rule, too.
        """
        wanted = [key(one) for one in of]

        def seen(events: Sequence[SessionEvent]) -> dict[Key, Outcome] | None:
            found = {key(e): e for e in events if isinstance(e, Outcome)}
            return found if found.keys() >= set(wanted) else None

        found = self.until(seen, f"outcome of each of {len(wanted)} attempts")
        self.check_one_outcome_each()
        return [found[one] for one in wanted]

    def outcome(self, of: Attempt) -> Outcome:
        """Wait for the outcome of this one."""
        return self.outcomes([of])[0]

    def receipts(self, count: int) -> list[Receipt]:
        """Wait for so many receipts, and return all that there are."""

        def seen(events: Sequence[SessionEvent]) -> list[Receipt] | None:
            found = [event for event in events if isinstance(event, Receipt)]
            return found if len(found) >= count else None

        return self.until(seen, f"{count} receipts")

    def consents(self, count: int) -> list[Consent]:
        """Wait for so many who opt out or in, and return all that there are."""

        def seen(events: Sequence[SessionEvent]) -> list[Consent] | None:
            found = [event for event in events if isinstance(event, Consent)]
            return found if len(found) >= count else None

        return self.until(seen, f"{count} who opt out or in")

    def sent(self, *these: Attempt) -> list[Outcome]:
        """Hand these over, and return their outcomes."""
        self.session.send(these)
        return self.outcomes(these)

    def check_one_outcome_each(self) -> None:
        """Fail if an attempt has had a second outcome."""
        with self._changed:
            counts = Counter(key(event) for event in self.events if isinstance(event, Outcome))
        assert not [one for one, count in counts.items() if count > 1]

    def close(self) -> None:
        """Close the session, and check what holds after every test."""
        self.session.close()
        self.check_one_outcome_each()


class Owners:
    """Makes the owners of a test, and closes what it leaves open."""

    def __init__(self, subject: Subject, stack: ExitStack) -> None:
        self._subject = subject
        self._stack = stack

    def __call__(
        self,
        media: Callable[[str], Media] = no_media,
        *,
        acknowledge_within: float = 60.0,
        close_within: float = 0.5,
    ) -> Owner:
        """Return the owner of a new session, not connected yet."""
        owner = Owner(
            self._subject,
            media,
            acknowledge_within=acknowledge_within,
            close_within=close_within,
        )
        self._stack.callback(owner.close)
        return owner
