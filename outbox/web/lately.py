"""Which tokens were valid a moment ago: their bodies may be read before the database is asked.

Nothing is done on the strength of this: whoever looks here judges the token again in the
transaction that does what is asked for. Only digests are kept, as in the database.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from outbox.log.tokens import Token

SECONDS: Final = 5.0
"""For so long a stranger who was none a moment ago can make us read a body in vain."""


class Lately:
    """The tokens that were valid within the last `SECONDS`, by their digests."""

    def __init__(self) -> None:
        self._seen: dict[bytes, tuple[float, Token]] = {}

    def valid(self, digest: bytes) -> Token | None:
        """Return a token as it was when it was found valid, if that was lately."""
        seen = self._seen.get(digest)
        return seen[1] if seen and time.monotonic() - seen[0] < SECONDS else None

    def keep(self, digest: bytes, token: Token) -> None:
        """Note that a token has just been found valid."""
        self._seen[digest] = time.monotonic(), token

    def forget(self, digest: bytes) -> None:
        """Note that a token is valid no longer."""
        self._seen.pop(digest, None)
