"""What the outbox refuses, as exceptions: one class for each SQLSTATE that it uses.

The classes are psycopg's own kinds of error and registered with psycopg, which therefore raises
them by itself when the database refuses; Python's own checks raise them with the same sentence.
Only what is registered is raised so: this module has to be imported before the first refusal.
"""

# ruff: noqa: N818 - a refusal is named after what was refused, as psycopg names its errors

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
from psycopg.pq import DiagnosticField

from outbox.rules import RULES

if TYPE_CHECKING:
    from typing import Self

SHOWN = 120
"""Characters of a refused value that its sentence shows."""


class OutboxError(Exception):
    """Anything that the outbox raises on purpose."""


class Refused(OutboxError, psycopg.DatabaseError):
    """The outbox refused something; nothing of it was accepted.

    `diag` holds what the database said. When Python refused, it holds what the database would have
    said, with perhaps one more sentence in the hint.
    """

    @property
    def rule(self) -> str:
        """The name of the rule that was broken, such as "text_too_long"."""
        return self.diag.constraint_name or ""

    @property
    def message(self) -> str:
        """One sentence that says what is wrong, with the value."""
        return self.diag.message_primary or super().__str__()

    @property
    def hint(self) -> str:
        """The way out."""
        return self.diag.message_hint or ""

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}".strip()

    @classmethod
    def because(cls, rule: str, value: str | None, more: str = "") -> Self:
        """Make, but not raise, this class's refusal by a rule; `refusal` finds the class."""
        known = RULES[rule]
        fields = {
            DiagnosticField.SEVERITY: "ERROR",
            DiagnosticField.SQLSTATE: known.sqlstate,
            DiagnosticField.MESSAGE_PRIMARY: known.message.replace("%s", shown(value)),
            DiagnosticField.MESSAGE_HINT: f"{more} {known.hint}".strip(),
            DiagnosticField.CONSTRAINT_NAME: rule,
        }
        info: dict[int, bytes | None] = {
            int(field): text.encode(errors="replace") for field, text in fields.items()
        }
        return cls(fields[DiagnosticField.MESSAGE_PRIMARY], info=info)


class InvalidRecipient(Refused, psycopg.DataError, code="22O01"):
    """Neither a number in international form nor the JID of a user, group or newsletter."""


class InvalidContent(Refused, psycopg.DataError, code="22O02"):
    """A content of unknown kind, with a field that is unknown, missing or wrong."""


class TextTooLong(Refused, psycopg.DataError, code="22O03"):
    """A text, caption or name beyond its limit."""


class MediaTooLarge(Refused, psycopg.DataError, code="22O04"):
    """Media beyond the limit of their kind."""


class UnusableMedia(Refused, psycopg.DataError, code="22O05"):
    """Media that are not stored, or do not fit the kind of the content."""


class InvalidOption(Refused, psycopg.DataError, code="22O06"):
    """An option of an enqueue that is unknown or out of its range."""


class ExpiryInPast(Refused, psycopg.DataError, code="22O07"):
    """An expiry that is over before the notification can be sent."""


class InvalidWebhook(Refused, psycopg.DataError, code="22O08"):
    """A webhook whose name, URL, type of event or position in the log cannot be."""


class IdempotencyConflict(Refused, psycopg.IntegrityError, code="23O01"):
    """An idempotency key that stands for another content or recipient."""


class WebhookTaken(Refused, psycopg.IntegrityError, code="23O02"):
    """The name of a webhook that is another's."""


class VersionConflict(Refused, psycopg.OperationalError, code="40O01"):
    """Another writer changed the stream first; the transaction can be repeated."""


class UnknownNotification(Refused, psycopg.ProgrammingError, code="42O01"):
    """No notification has this id."""


class UnknownAccount(Refused, psycopg.ProgrammingError, code="42O02"):
    """No account has this name."""


class UnknownWebhook(Refused, psycopg.ProgrammingError, code="42O04"):
    """No webhook has this name."""


class UnknownRecipient(Refused, psycopg.ProgrammingError, code="42O03"):
    """Nothing is held of this recipient."""


class WrongState(Refused, psycopg.OperationalError, code="55O01"):
    """The notification or the recipient is in a state that does not allow it."""


class Suppressed(Refused, psycopg.OperationalError, code="55O03"):
    """The recipient is not to be written to."""


class StaleEpoch(Refused, psycopg.OperationalError, code="55O02"):
    """The owner has lost the lease of its account."""


_CLASSES: dict[str | None, type[Refused]] = {one.sqlstate: one for one in Refused.__subclasses__()}


def refusal(rule: str, value: str | None, more: str = "") -> Refused:
    """Return the exception by which a rule refuses a value, to be raised.

    Args:
        rule: A name from `outbox.rules.RULES`.
        value: What was refused; it is put on one line and shortened.
        more: A sentence that only Python knows to say; it comes before the rule's own hint.
    """
    return _CLASSES[RULES[rule].sqlstate].because(rule, value, more)


def shown(value: str | None) -> str:
    """Return a value as a sentence shows it, exactly as the SQL function `refuse` does."""
    if value is None:
        return "null"
    line = re.sub("[\u0000-\u0020\u007f-\u00a0\u2028\u2029]+", " ", value or '""')
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
