"""POST /v1/media: keep bytes, and give the digest by which contents name them."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from outbox.errors import MediaTooLarge, Refused
from outbox.log import intake
from outbox.log.pool import transaction
from outbox.log.tokens import Token
from outbox.web.bearer import allowed
from outbox.web.body import MEBIBYTE, content_type, read
from outbox.web.handlers import SOON
from outbox.web.problems import ProblemError, documented, problem, refused
from outbox.web.service import Service, ServiceOf, place

MEDIA_BYTES: Final = 64 * MEBIBYTE
"""What the SQL function `media_limit` gives for a document, the largest kind."""
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")

media = APIRouter(prefix="/v1")


class Stored(BaseModel):
    """Media that are kept."""

    digest: str
    """What a content's `media` names them by."""
    mime: str
    """The type that they were given with."""
    size: int
    """In bytes."""


@media.post(
    "/media",
    status_code=201,
    response_description="Kept, perhaps since an earlier request.",
    responses=documented(401, 403, 413, 415, 422, 429, 500, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def store(
    request: Request,
    _token: Annotated[Token, Depends(allowed("enqueue"))],
    service: ServiceOf,
) -> Stored:
    """Keep media: the body is the bytes. Needs the scope `enqueue`."""
    mime = content_type(request)
    if not mime or mime in _FORMS:
        raise ProblemError(
            problem(
                "bad_content_type",
                f"The body is {mime or 'of no type'}",
                field="Content-Type",
                more="The body is the file itself, and no form: curl --data-binary @photo.jpg -H "
                "'Content-Type: image/jpeg'.",
            )
        )
    with place(service.uploads) as got:
        if not got:
            raise ProblemError(problem("too_many_uploads", "Other media are being taken"), SOON)
        data = await read(request, MEDIA_BYTES)
        digest = await run_in_threadpool(_store, service, data, mime)
    return Stored(digest=digest, mime=mime, size=len(data))


def _store(service: Service, data: bytes, mime: str) -> str:
    try:
        with transaction(service.pool) as connection:
            return intake.store_media(connection, data, mime)
    except MediaTooLarge as error:
        raise ProblemError(refused(error, status=413)) from None
    except Refused as error:
        status = 415 if error.rule == "bad_mime" else None
        raise ProblemError(refused(error, status=status)) from None
