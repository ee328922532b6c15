"""Login cookies: which token somebody has shown, signed, so that nobody makes one up.

A cookie holds the token's name, never the token; what the token may do, and whether it is still
valid, is asked of the database with every request, so a revoked one ends its logins.
"""

from __future__ import annotations

import secrets
from typing import Final, NamedTuple

from itsdangerous import BadData, URLSafeTimedSerializer

COOKIE: Final = "outbox_login"
SECONDS: Final = 12 * 3600
"""How long a login lasts: a working day."""


class Login(NamedTuple):
    """What a cookie says."""

    token: str
    """The name of the token."""
    csrf: str
    """What this login's forms carry, which no other site can know."""


class Logins:
    """Makes and reads cookies.

    Args:
        secret: What they are signed with.
    """

    def __init__(self, secret: str) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt="outbox login")

    def issue(self, token: str) -> str:
        """Return the cookie of whoever has shown this token."""
        return self._serializer.dumps([token, secrets.token_urlsafe(16)])

    def read(self, cookie: str) -> Login | None:
        """Return what a cookie says; None if it is too old or none of ours."""
        try:
            return Login(*self._serializer.loads(cookie, max_age=SECONDS))
        except BadData:
            return None
