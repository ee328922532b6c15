"""Notifications as they are given in JSON, and as `outbox.enqueue_batch` takes them.

Its parameters are the members; a text may stand instead of a content, as in the files of `outbox
enqueue --file`. The database judges what it takes, and names the rule. Python knows the same rules
and can say more of what breaks them, which takes longer: so a list is judged here once the database
has refused it, and a single notification before, since others may come to share its transaction.
"""

from collections.abc import Sequence
from typing import Any, Final

from outbox.caller.tracing import within
from outbox.content import parse
from outbox.content.refused import as_json, unstorable
from outbox.errors import Refused, refusal
from outbox.recipient import jid
from outbox.web.problems import ProblemError, refused

MOST: Final = 1000
"""Notifications in one request."""


def one(
    given: object, token: str, key: str | None = None, traceparent: str | None = None
) -> dict[str, Any]:
    """Return a notification as the database takes it.

    Args:
        given: What came as JSON.
        token: The name of the token, for the event's metadata.
        key: The idempotency key, if it came beside the JSON.
        traceparent: Of whose span it is, for the event's metadata.

    Raises:
        Refused: It breaks a rule.
    """
    unstorable(given)
    row = _row(given, token, key, traceparent)
    parse(row["content"])
    return row


def many(
    given: Sequence[object], token: str, traceparent: str | None = None
) -> list[dict[str, Any]]:
    """Return the notifications of a list, whose contents are still to be judged.

    Raises:
        Refused: There are none or too many.
        ProblemError: One breaks a rule; the problem says which.
    """
    if not 0 < len(given) <= MOST:
        raise refusal("bad_batch", f"{len(given)} notifications", f"Give 1 to {MOST} at once.")
    try:
        return [_row(item, token, None, traceparent) for item in given]
    except Refused:
        judge(given, token)
        raise


def judge(given: Sequence[object], token: str) -> None:
    """Judge the notifications of a list, of which one has been refused.

    Raises:
        ProblemError: It breaks a rule that Python knows; the problem says which and of which.
    """
    for number, item in enumerate(given, 1):
        try:
            one(item, token)
        except Refused as error:
            raise ProblemError(refused(error, number=number)) from None


def _row(given: object, token: str, key: str | None, traceparent: str | None) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise refusal("bad_batch", as_json(given), "A notification is a JSON object.")
    row = {name: value for name, value in given.items() if value is not None}
    if key is not None and row.setdefault("idempotency_key", key) != key:
        shown = f"{row['idempotency_key']} beside the header's {key}"
        raise refusal("bad_idempotency_key", shown, "Give it once.")
    if not isinstance(row.get("idempotency_key", ""), str):
        raise refusal("bad_idempotency_key", as_json(row["idempotency_key"]))
    row["recipient"] = _recipient(row.get("recipient"))
    row["content"] = _content(row)
    row["metadata"] = within(_metadata(row.get("metadata", {}), token), traceparent)
    return row


def _recipient(given: object) -> str:
    if not isinstance(given, str):
        raise refusal("bad_recipient", as_json(given))
    jid(given)
    return given


def _content(row: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON may be anything
    text, content = row.pop("text", None), row.get("content")
    if text is None:
        if content is None:
            raise refusal("body_not_object", None, "Give a text or a content.")
        return content
    if content is not None:
        raise refusal("unknown_field", "text beside content", "Give one of the two.")
    return {"kind": "text", "text": text}


def _metadata(given: object, token: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise refusal("bad_metadata", as_json(given))
    if "token" in given:
        shown = f"token {as_json(given['token'])}"
        raise refusal("bad_metadata", shown, "The outbox itself puts the token's name there.")
    return {**given, "token": token}
