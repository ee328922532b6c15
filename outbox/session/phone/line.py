"""The lines of the protocol: one JSON object each, told apart by its `type`."""

from __future__ import annotations

import json
from typing import Any

Line = dict[str, Any]

_encoder = json.JSONEncoder(separators=(",", ":"), check_circular=False)


def encode(line: Line) -> bytes:
    """Return the line with its newline, which JSON itself never contains.

    Raises:
        TypeError: a value is not JSON's.
    """
    return _encoder.encode(line).encode() + b"\n"


def decode(data: bytes) -> Line:
    """Return the line.

    Raises:
        ValueError: it is no JSON object.
    """
    line = json.loads(data)
    if not isinstance(line, dict):
        raise ValueError(f"not a JSON object: {data[:80]!r}")  # noqa: TRY004 - one error for both
    return line
