"""Settings: the environment, read once."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import ByteSize, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_SECRET_CHARACTERS = 32
_SECRET_VARIETY = 10
"""Fewer different characters than random hexadecimal digits have, all but never."""
_NO_WORDS = "none"


class Settings(BaseSettings):
    """What the environment says; `docs/settings.md` lists it for operators."""

    model_config = SettingsConfigDict(env_prefix="OUTBOX_", env_ignore_empty=True, frozen=True)

    database_url: Annotated[str, Field(validation_alias="DATABASE_URL")]
    """The PostgreSQL database, in any spelling of its URL."""
    listen_url: str | None = None
    """A direct way to the database, for LISTEN and for WhatsApp's login, where DATABASE_URL leads
    through a pooler."""
    pooled: bool = False
    """DATABASE_URL leads through a pooler in transaction mode."""
    accounts: Annotated[tuple[str, ...], NoDecode] = ("main",)
    """The accounts that the worker serves, in the environment separated by commas."""
    session: str = "whatsapp:"
    """Which sessions: WhatsApp's, or a phone's that is simulated."""
    lease_seconds: Annotated[float, Field(gt=0)] = 15
    """How long an account stays with a worker that has fallen silent."""
    poll_seconds: Annotated[float, Field(gt=0)] = 30
    """How often a parked owner looks although nobody told it to."""
    drain_seconds: Annotated[float, Field(ge=0)] = 5
    """How long a stopping worker waits for the outcomes of what is being sent."""
    window: Annotated[int, Field(ge=100)] = 20_000
    """How many notifications an owner holds in memory."""
    opt_out_words: Annotated[tuple[str, ...] | None, NoDecode] = None
    """By which recipients opt out themselves, in the environment separated by commas; `none` is no
    word at all, and without it they are those of `outbox.session.consent`."""
    opt_in_words: Annotated[tuple[str, ...] | None, NoDecode] = None
    """By which they opt in again, likewise."""
    secret: SecretStr | None = None
    """What the pages' login cookies are signed with; without one there are no pages."""
    web_requests_a_minute: Annotated[int, Field(ge=1)] = 600
    """How many requests a token may make of one process of the HTTP API."""
    archive_to: str | None = None
    """Where months of the log go that are over: a folder, or a bucket as s3://bucket/prefix."""
    archive_keep_months: Annotated[int, Field(ge=0)] | None = None
    """How many months that are over stay in the database; without it, as many as the limit lets."""
    database_limit: ByteSize | None = None
    """How large the database may become, as 1GB; from 70 % on months are archived, from 80 % on
    it is a warning."""
    webhooks_inside: bool = False
    """Webhooks may point inside: to loopback, private and link-local addresses, and to http://."""
    log_format: Literal["auto", "text", "logfmt", "json"] = "auto"
    """How the worker logs; `auto` is text on a terminal and logfmt elsewhere."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What is less urgent than this is not logged."""

    @property
    def lease_duration(self) -> timedelta:
        """The same as PostgreSQL takes it."""
        return timedelta(seconds=self.lease_seconds)

    @property
    def direct_url(self) -> str | None:
        """A way to the database without a pooler in transaction mode, if there is one."""
        return self.listen_url or (None if self.pooled else self.database_url)

    @field_validator("secret")
    @classmethod
    def _strong(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_strong(value.get_secret_value()):
            raise ValueError(
                f"it can be guessed: give at least {_SECRET_CHARACTERS} random characters, such as "
                "those of: openssl rand -hex 32"
            )
        return value

    @field_validator("accounts", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        return _split(value) if isinstance(value, str) else value

    @field_validator("opt_out_words", "opt_in_words", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        # An empty variable counts as not given, so that no slip turns opting out off.
        if value == _NO_WORDS:
            return ()
        words = _split(value) if isinstance(value, str) else value
        if words == ():
            raise ValueError(f"there is no word in it: write {_NO_WORDS} to recognise none")
        return words


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


def _is_strong(secret: str) -> bool:
    return len(secret) >= _SECRET_CHARACTERS and len(set(secret)) >= _SECRET_VARIETY
