"""What is answered when something is wrong: `application/problem+json`, as RFC 9457 has it.

What the outbox refuses keeps its rule, sentence and hint; what only HTTP can get wrong has rules of
its own, below.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from fastapi import Response
from pydantic import BaseModel, ConfigDict

from outbox import errors
from outbox.errors import Refused
from outbox.rules import RULES

MEDIA_TYPE: Final = "application/problem+json"


class Problem(BaseModel):
    """What is wrong, with the value, and the way out."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str
    """A name of the kind of problem, made of its rule; nothing is to be fetched from it."""
    title: str
    """The kind of problem, the same for all of them."""
    status: int
    detail: str
    """What is wrong here, with the value."""
    rule: str
    """The name of what was broken, which programs can rely on."""
    hint: str
    """The way out."""
    field: str | None = None
    """Which member, parameter or header is wrong, where that is known."""
    number: int | None = None
    """Which notification of a list is wrong, counted from 1."""


class Kind(NamedTuple):
    """A rule of HTTP."""

    status: int
    title: str
    hint: str


KINDS: Final[dict[str, Kind]] = {
    "not_json": Kind(400, "Not JSON", "Send one JSON document, encoded as UTF-8."),
    "no_token": Kind(
        401,
        "No valid token",
        "Send the header “Authorization: Bearer outbox_…”; an operator makes a token with: outbox "
        "token create NAME --scope SCOPE",
    ),
    "missing_scope": Kind(
        403, "Not allowed", "Use a token with this scope: outbox token create NAME --scope SCOPE"
    ),
    "foreign_form": Kind(
        403, "Another site's form", "Load the page again, and use the form that is there."
    ),
    "unknown_route": Kind(404, "No such path", "See which there are: GET /openapi.json"),
    "unknown_method": Kind(
        405, "No such method here", "The header Allow says which methods there are."
    ),
    "no_code": Kind(
        404, "No code is shown", "Begin to pair the account, and ask again while it shows QR codes."
    ),
    "paired_already": Kind(409, "Paired already", "Nothing has changed."),
    "not_paired": Kind(409, "Not paired", "Pair it first."),
    "being_paired": Kind(
        409, "Being paired", "Wait until that is over, or end it where it was begun."
    ),
    "account_connected": Kind(
        409,
        "A worker has it connected",
        "Stop that worker, on Heroku by: heroku ps:scale worker=0; what is queued is kept.",
    ),
    "too_many_pairings": Kind(
        409, "Too many pairings at once", "Wait until one of them is over, or end it."
    ),
    "no_pairing": Kind(
        409, "Nothing to pair with", "Set OUTBOX_SESSION as docs/settings.md explains it."
    ),
    "not_linked": Kind(
        502,
        "The phone's side did not do its part",
        "Try it again later. To unpair without WhatsApp, forget the login.",
    ),
    "body_too_large": Kind(413, "Body too large", "Send less at once."),
    "bad_content_type": Kind(
        415, "Wrong type of body", "Say in the header Content-Type what the body is."
    ),
    "bad_parameter": Kind(422, "Not a value of this field", "Correct it, or leave it out."),
    "unknown_parameter": Kind(
        422, "Unknown field", "Correct its name or leave it out; nothing is dropped silently."
    ),
    "unreadable": Kind(
        422, "Not to be stored", "Correct the value: PostgreSQL cannot read or keep it."
    ),
    "too_many_requests": Kind(
        429, "Too many requests", "Repeat it after the seconds in the header Retry-After."
    ),
    "unexpected": Kind(
        500,
        "Unexpected error",
        "It is a mistake in the outbox, whose log has more. Repeat it with the same idempotency "
        "key, so that nothing is enqueued twice.",
    ),
    "unavailable": Kind(
        503,
        "The database is not to be had",
        "Repeat it after the seconds in the header Retry-After, with the same idempotency key.",
    ),
    "no_secret": Kind(
        503,
        "The pages are off",
        "Set OUTBOX_SECRET to at least 32 random characters, such as those of: openssl rand -hex "
        "32; the HTTP API works without.",
    ),
    "too_many_streams": Kind(
        503, "Too many open pages", "Close some of them, or reload this one now and then."
    ),
    "too_many_waiting": Kind(
        503, "Too many who wait", "Repeat it after the seconds in the header Retry-After."
    ),
    "not_ready": Kind(503, "Not ready", "Look at the database, and run: outbox migrate"),
    "too_many_uploads": Kind(
        503, "Too many uploads at once", "Repeat it after the seconds in the header Retry-After."
    ),
}
"""What only HTTP can get wrong."""

_STATUSES: Final[dict[type[Refused], int]] = {
    errors.UnknownNotification: 404,
    errors.UnknownAccount: 404,
    errors.UnknownWebhook: 404,
    errors.UnknownRecipient: 404,
    errors.IdempotencyConflict: 409,
    errors.WebhookTaken: 409,
    errors.WrongState: 409,
    errors.Suppressed: 409,
    errors.VersionConflict: 409,
    errors.StaleEpoch: 409,
}
"""Of refusals; all others are 422."""

_FIELDS: Final[dict[str, str]] = {
    "bad_recipient": "recipient",
    "expiry_in_past": "expires_in",
    "idempotency_conflict": "idempotency_key",
    "bad_retry": "retry_after",
    "bad_webhook": "name",
    "webhook_taken": "name",
    "bad_webhook_url": "url",
    "bad_event_type": "events",
    "bad_position": "position",
    "personal_metadata": "metadata",
    **{
        f"bad_{name}": name
        for name in (
            *("account", "idempotency_key", "priority", "send_at", "expires_in"),
            *("max_attempts", "on_unknown", "metadata"),
        )
    },
}
_OF_CONTENT: Final = ("22O02", "22O03", "22O04", "22O05")
_NUMBER: Final = re.compile(r"number (\d+) of the batch: ")


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = headers


def problem(rule: str, detail: str, *, field: str | None = None, more: str = "") -> Problem:
    """Return the problem that a rule of HTTP was broken.

    Args:
        rule: A name from `KINDS`.
        detail: What is wrong, with the value.
        field: The parameter, header or member that is wrong.
        more: A sentence that comes before the rule's own hint.
    """
    kind = KINDS[rule]
    return Problem(
        type=_type(rule),
        title=kind.title,
        status=kind.status,
        detail=detail,
        rule=rule,
        hint=f"{more} {kind.hint}".strip(),
        field=field,
    )


def refused(
    error: Refused,
    *,
    number: int | None = None,
    status: int | None = None,
    field: str | None = None,
) -> Problem:
    """Return a refusal as a problem.

    Args:
        error: The refusal.
        number: Which of a list it is about, unless its sentence says so.
        status: Instead of the one that such a refusal has.
        field: Instead of the one that the rule is about.
    """
    named = _NUMBER.search(error.message)
    if named and number is None:
        number = int(named[1])
    known = RULES.get(error.rule)
    found = next((code for kind, code in _STATUSES.items() if isinstance(error, kind)), 422)
    field = field or _FIELDS.get(error.rule)
    if field is None and known and known.sqlstate in _OF_CONTENT:
        field = "content"
    return Problem(
        type=_type(error.rule),
        title=known.message.partition(":")[0].removesuffix(" in %s") if known else "Refused",
        status=status or found,
        detail=_NUMBER.sub("", error.message),
        rule=error.rule,
        hint=error.hint,
        field=field,
        number=number or None,
    )


def answer(found: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response that carries a problem."""
    return Response(
        found.model_dump_json(exclude_none=True),
        found.status,
        headers=dict(headers or {}),
        media_type=MEDIA_TYPE,
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how an endpoint's problems are described in its OpenAPI document."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": _MEANINGS[status], "content": {MEDIA_TYPE: schema}}
        for status in sorted(statuses)
    }


def parameters(model: type[BaseModel], places: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return how the OpenAPI document describes the parameters that a model reads.

    Args:
        model: Its fields are the parameters, by their aliases where they have one.
        places: Where each of them is: query, header.
    """
    properties = model.model_json_schema()["properties"]
    return [
        {
            "name": name,
            "in": place,
            "required": False,
            "description": properties[name].pop("description"),
            "schema": properties[name],
        }
        for name, place in places.items()
    ]


def _type(rule: str) -> str:
    return f"urn:outbox:problem:{rule}"


_MEANINGS: Final = {
    400: "The body is no JSON.",
    401: "There is no valid token.",
    403: "The token is not for this.",
    404: "There is no such thing.",
    409: "Its state, or an earlier request with the same key, does not allow it.",
    413: "The body is too large.",
    415: "The body is of a wrong type.",
    422: "A rule is broken; nothing was done.",
    429: "The token has made too many requests.",
    500: "A mistake in the outbox.",
    502: "WhatsApp, or the phone, did not do its part.",
    503: "The database is not to be had, or does not answer in time.",
}
