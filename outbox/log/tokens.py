"""Tokens of the HTTP API: made once, kept as a digest, known again by it.

A token is 32 random bytes, written as text behind a prefix by which secret scanners find it. That
much chance cannot be guessed, so one round of SHA-256 is enough, where a password would need many.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg
from psycopg.rows import kwargs_row

from outbox.errors import OutboxError
from outbox.log.database import query

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

    from outbox.log.database import Connection

PREFIX: Final = "outbox_"
SCOPES: Final = ("enqueue", "read", "operate", "admin")
"""What a token may be for; `admin` is all of them."""

_BYTES = 32
_NAME = re.compile("[a-z0-9][a-z0-9_.-]{0,62}")


class TokenError(OutboxError):
    """A token cannot be made, or there is none of this name."""


class UnknownTokenError(TokenError):
    """No token has this name."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret, which nobody knows any more."""

    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    state: str
    """`valid`, `expired` or `revoked`, by the database's clock."""

    def allows(self, scope: str) -> bool:
        """Return whether it is for this."""
        return scope in self.scopes or "admin" in self.scopes


class Created(NamedTuple):
    """A token that has just been made."""

    secret: str
    """What its bearer shows; it is kept nowhere."""
    expires_at: datetime | None


class _Digested(NamedTuple):
    digest: bytes
    token: Token


def create(
    connection: Connection,
    name: str,
    scopes: Sequence[str],
    expires_in: timedelta | None = None,
) -> Created:
    """Make a token and return it, this once.

    Args:
        connection: Where to.
        name: Who bears it; the log names it with what it causes.
        scopes: What it is for, out of `SCOPES`.
        expires_in: How long it is valid; for ever unless given.

    Raises:
        TokenError: The name is none or is taken, there is no such scope, or it would be expired.
    """
    if not _NAME.fullmatch(name):
        raise TokenError(
            f"Not a name of a token: {name!r}. Give 1 to 63 characters of a-z, 0-9, "
            f'"_", "." and "-", the first a letter or a digit.'
        )
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise TokenError(
            f"Not a scope: {', '.join(unknown) or 'none is given'}. "
            f"The scopes are {', '.join(SCOPES)}."
        )
    if expires_in is not None and expires_in.total_seconds() <= 0:
        raise TokenError(
            f"Expired at once: {expires_in}. Give a duration above zero, like 90 days."
        )
    secret = PREFIX + secrets.token_urlsafe(_BYTES)
    chosen = [scope for scope in SCOPES if scope in scopes]
    try:
        row = connection.execute(
            "insert into outbox.token (name, digest, scopes, expires_at)"
            " values (%s, %s, %s, statement_timestamp() + %s::interval) returning expires_at",
            (name, digest_of(secret), chosen, expires_in),
        ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise TokenError(
            f"There is a token {name} already, perhaps a revoked one. Give another name: names stay"
            " taken, since the log says by them who did what."
        ) from None
    if row is None:
        raise RuntimeError("an insert that returns a column returned no row")
    return Created(secret, row[0])


def listed(connection: Connection) -> list[Token]:
    """Return every token, revoked ones too, the oldest first."""
    return [found.token for found in _find(connection)]


def bearer(connection: Connection, secret: str) -> Token | None:
    """Return the token that somebody shows, whatever its state; None if there is no such.

    The index finds it by its digest, whose bytes a guesser cannot choose, and what is found is
    compared in constant time.
    """
    digest = digest_of(secret)
    return bearers(connection, [digest]).get(digest)


def bearers(connection: Connection, digests: Collection[bytes]) -> dict[bytes, Token]:
    """Return the tokens that there are of several digests, found as `bearer` finds one."""
    return {
        digest: found.token
        for found in _find(connection, digests=digests)
        for digest in digests
        if hmac.compare_digest(found.digest, digest)
    }


def named(connection: Connection, name: str) -> Token | None:
    """Return the token of this name, whatever its state; None if there is no such."""
    return next((found.token for found in _find(connection, name=name)), None)


def revoke(connection: Connection, name: str) -> None:
    """Let a token be valid no longer; revoking it twice is harmless.

    Raises:
        UnknownTokenError: There is none of this name.
    """
    done = connection.execute(
        "update outbox.token set revoked_at = coalesce(revoked_at, statement_timestamp())"
        " where name = %s",
        (name,),
    )
    if not done.rowcount:
        raise UnknownTokenError(f"No such token: {name}. See which there are: outbox token list")


def digest_of(secret: str) -> bytes:
    """Return what is kept of a token."""
    return sha256(secret.encode(errors="replace")).digest()


def _find(
    connection: Connection, *, digests: Collection[bytes] | None = None, name: str | None = None
) -> list[_Digested]:
    with connection.cursor(row_factory=kwargs_row(_row)) as cursor:
        wanted = {"digests": None if digests is None else [*digests], "name": name}
        return cursor.execute(query("tokens"), wanted).fetchall()


def _row(*, digest: bytes, scopes: list[str], **rest: object) -> _Digested:
    return _Digested(digest, Token(scopes=tuple(scopes), **rest))  # type: ignore[arg-type]
