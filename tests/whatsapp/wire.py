"""Protocol buffers by their field numbers, for the few messages that logging in takes.

The tests' own process stays free of the library under test, which brings the generated classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def encode(fields: dict[int, int | bytes]) -> bytes:
    """Return a message of numbers, and of bytes, strings and messages that are encoded already."""
    message = bytearray()
    for number, value in fields.items():
        if isinstance(value, int):
            message += _varint(number << 3) + _varint(value)
        else:
            message += _varint(number << 3 | 2) + _varint(len(value)) + value
    return bytes(message)


@dataclass(frozen=True, slots=True)
class Fields:
    """A message's fields; of a repeated one, the last."""

    values: dict[int, int | bytes]

    @classmethod
    def decode(cls, message: bytes) -> Fields:
        """Read a message."""
        return cls(dict(_fields(message)))

    def number(self, field: int) -> int:
        """Return a number, 0 where it is missing."""
        value = self.values.get(field, 0)
        if not isinstance(value, int):
            raise TypeError(f"field {field} is {value!r}, not a number")
        return value

    def data(self, field: int) -> bytes:
        """Return bytes, none where they are missing."""
        value = self.values.get(field, b"")
        if not isinstance(value, bytes):
            raise TypeError(f"field {field} is {value!r}, not bytes")
        return value

    def message(self, field: int) -> Fields:
        """Return a message within this one, an empty one where it is missing."""
        return Fields.decode(self.data(field))


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def raw(size: int) -> bytes:
        nonlocal at
        at += size
        return message[at - size : at]

    while at < len(message):
        key = varint()
        match key & 7:
            case 0:
                yield key >> 3, varint()
            case 1:
                yield key >> 3, raw(8)
            case 2:
                yield key >> 3, raw(varint())
            case 5:
                yield key >> 3, raw(4)
            case kind:
                raise ValueError(f"field {key >> 3} has the unknown wire type {kind}")
