"""How a simulated session behaves where its URL may say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Options:
    """How patient a session is, in seconds, and how much it takes."""

    capacity: int = 100
    """How many attempts fly at once."""
    acknowledge_within: float = 75.0
    """As whatsmeow, which gives up on an acknowledgement after 75 s."""
    connect_within: float = 10.0
    """For the login, and for a question about traces."""
    keep_alive: float = 20.0
    """After so long a silence the phone is asked; after as long again it is taken for dead."""
    close_within: float = 5.0
    """How long closing waits for acknowledgements."""

    @classmethod
    def parse(cls, query: str) -> Self:
        """Read the query of a URL, as `capacity=50&keep_alive=2.5`.

        Raises:
            ValueError: it says something else.
        """
        said: dict[str, Any] = {
            name: int(value) if name == "capacity" else float(value)
            for name, value in parse_qsl(query, strict_parsing=bool(query))
        }
        try:
            return cls(**said)
        except TypeError as wrong:
            raise ValueError(f"?{query}: {wrong}") from wrong
