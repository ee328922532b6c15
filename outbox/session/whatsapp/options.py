"""What the URL of a WhatsApp session may say: whatsapp:?acknowledge_within=75 and so on."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Options(BaseModel):
    """How a session with WhatsApp behaves; times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    capacity: Annotated[int, Field(ge=1, le=100)] = 8
    """How many attempts the process holds; whatsmeow sends them one by one."""
    connect_within: Seconds = 60.0
    """From the start of the process to the login. A dial into nothing takes 60 by itself."""
    acknowledge_within: Seconds = 90.0
    """From handing a message to whatsmeow to its answer. It gives up by itself after 75."""
    prepare_within: Seconds = 300.0
    """For converting and uploading what a message carries."""
    close_within: Annotated[float, Field(ge=0, le=7)] = 1.0
    """How long closing waits for what is being sent; the whole of it may take ten."""
    silent_within: Seconds = 30.0
    """After so long without a sign of life the process hangs."""
    memory: Annotated[int, Field(gt=0)] = 256
    """MiB that the process may have resident; beyond them it is replaced, between two messages."""

    @classmethod
    def parse(cls, url: str) -> Options:
        """Read them from a URL.

        Raises:
            ValueError: It is no such URL.
        """
        parts = urlsplit(url)
        if parts.scheme != "whatsapp" or parts.netloc or parts.path:
            raise ValueError(f"{url!r} is not whatsapp: with its options, if any, behind a ?")
        try:
            named = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError:
            raise ValueError(f"{url!r} has something behind the ? that is not name=value") from None
        try:
            return cls(**dict(named))  # type: ignore[arg-type]  # pydantic reads numbers
        except ValidationError as error:
            wrong = error.errors()[0]
            raise ValueError(f"{url!r}: {wrong['loc'][0]}: {wrong['msg']}") from None
