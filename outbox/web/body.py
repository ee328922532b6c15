"""Reading bodies: no more of them than may come, and JSON only where it says so."""

import json
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from outbox.content.refused import unstorable
from outbox.errors import Refused
from outbox.web.handlers import invalid
from outbox.web.problems import ProblemError, problem, refused

MEBIBYTE: Final = 1024 * 1024
JSON_BYTES: Final = 8 * MEBIBYTE
"""A thousand notifications of the largest kind are more; of any usual kind, much less."""

Wish = TypeVar("Wish", bound=BaseModel)


async def read(request: Request, limit: int) -> bytes:
    """Return the body, which is refused before it is read where its length is announced.

    Raises:
        ProblemError: There is more than the limit, in bytes.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(f"{announced} bytes", limit)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(f"more than {limit} bytes", limit)
        parts.append(part)
    return b"".join(parts)


async def any_json(request: Request) -> Any:  # noqa: ANN401 - JSON may be anything
    """Return the body as JSON.

    Raises:
        ProblemError: It is none, says that it is something else, or is too large.
    """
    return _parsed(request, await read(request, JSON_BYTES))


async def optional_json(request: Request) -> Any:  # noqa: ANN401
    """Return the body as JSON, and an empty object if there is no body.

    Raises:
        ProblemError: As for `any_json`.
    """
    data = await read(request, JSON_BYTES)
    return _parsed(request, data) if data else {}


def judged(model: type[Wish], body: object) -> Wish:
    """Return what is wished for, out of a body that is small and has a model.

    Raises:
        ProblemError: It does not fit the model, or PostgreSQL cannot store it.
    """
    try:
        unstorable(body)
        return model.model_validate(body)
    except Refused as error:
        raise ProblemError(refused(error, field="body")) from None
    except ValidationError as error:
        errors = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise ProblemError(invalid(errors)) from None


def described(model: type[BaseModel], *, required: bool) -> dict[str, Any]:
    """Return how the OpenAPI document describes a body that `judged` judges."""
    schema = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    return {"requestBody": {"required": required, "content": {"application/json": schema}}}


def content_type(request: Request) -> str:
    """Return the type of the body, in small letters and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _parsed(request: Request, data: bytes) -> Any:  # noqa: ANN401
    found = content_type(request)
    if found != "application/json":
        raise ProblemError(
            problem(
                "bad_content_type",
                f"The body is {found or 'of no type'}, not application/json",
                field="Content-Type",
            )
        )
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_no_constant)
        json.dumps(value, allow_nan=False)  # a number too large for a double reads as infinite
    except (ValueError, RecursionError) as error:
        detail = str(error) or type(error).__name__
        raise ProblemError(problem("not_json", f"The body is no JSON: {detail}")) from None
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON's")


def _too_large(size: str, limit: int) -> ProblemError:
    return ProblemError(
        problem(
            "body_too_large", f"The body has {size}", more=f"At most {limit} bytes are taken here."
        ),
        {"Connection": "close"},
    )
