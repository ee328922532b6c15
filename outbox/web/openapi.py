"""The OpenAPI document: FastAPI's, with the bodies and problems that FastAPI does not see.

Bodies are judged by the outbox's own rules, so no endpoint has a model of them; here is what they
look like, made of the models of `outbox.content`.
"""

from typing import Annotated, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from outbox.content import Content
from outbox.web.mending import Cancelling, Requeueing
from outbox.web.pairing import Handset
from outbox.web.people import Suppressing
from outbox.web.problems import Problem
from outbox.web.webhooks import Replaying, Subscribing

_REF = "#/components/schemas/{model}"


class Notification(BaseModel):
    """A notification: to whom, what, and how it is delivered. See docs/enqueue.md."""

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"oneOf": [{"required": ["text"]}, {"required": ["content"]}]},
    )

    recipient: Annotated[str, Field(examples=["+447700900123"])]
    """A number in international form, or a JID."""
    text: str = ""
    """A text message; instead of a content."""
    content: Content
    """What is sent."""
    idempotency_key: Annotated[str, Field(min_length=1, max_length=255)] = ""
    """The same key, recipient and content give the same id again."""
    priority: Annotated[int, Field(ge=-32768, le=32767)] = 0
    """Higher goes first."""
    send_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})] = ""
    """Not before."""
    expires_in: Annotated[str, Field(examples=["2 hours"])] = ""
    """Counted from send_at; as PostgreSQL reads an interval, like retry_after and retry_limit."""
    max_attempts: Annotated[int, Field(ge=1, le=1000)] = 10
    """Attempts that may fail."""
    on_unknown: Annotated[str, Field(json_schema_extra={"enum": ["resend", "hold"]})] = "resend"
    """After an unknown outcome: at least once, or at most once."""
    retry_after: str = ""
    """The first delay after a failure, which doubles."""
    retry_limit: str = ""
    """The longest delay."""
    metadata: dict[str, Any] = {}
    """Kept in the log for ever: no personal data. `token` is the outbox's own."""


def describe(app: FastAPI) -> None:
    """Let an application give the whole document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the way that FastAPI documents


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        openapi_version=app.openapi_version,
        routes=app.routes,
    )
    schemas: dict[str, Any] = made.setdefault("components", {}).setdefault("schemas", {})
    for model in (
        *(Notification, Cancelling, Requeueing, Handset, Suppressing),
        *(Subscribing, Replaying, Problem),
    ):
        schema = TypeAdapter(model).json_schema(ref_template=_REF)
        ours = schema.pop("$defs", {}) | {model.__name__: schema}
        schemas.update({name: _explicit(one) for name, one in ours.items()})
    schemas["Notification"]["required"].remove("content")
    return made


def _explicit(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a schema as contents are judged: what is absent is left out, and a kind is given.

    What the models say of a default is for Python, where an absent field is None.
    """
    if isinstance(schema, list):
        return [_explicit(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _explicit(one) for name, one in schema.items() if name != "default"}
    properties = plain.get("properties", {})
    if isinstance(properties, dict) and "const" in properties.get("kind", {}):
        plain["required"] = ["kind", *plain.get("required", [])]
    choices = plain.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [one for one in choices if one != {"type": "null"}]
        del plain["anyOf"]
        plain |= rest[0] if len(rest) == 1 else {"anyOf": rest}
    return plain
