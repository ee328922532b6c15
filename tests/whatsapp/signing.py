"""Signatures as the Signal protocol makes them: by a Curve25519 key.

The verifier knows the Montgomery form of a key; Ed25519 signs with the Edwards form of the same.
The sign, which the Montgomery form lacks, travels in the signature's last bit (XEdDSA's forerunner,
as libsignal has it).
"""

import hashlib
import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

_PRIME = 2**255 - 19


class SigningKey:
    """A key that signs, and that agrees on secrets; the same 32 bytes of a seed make it again."""

    def __init__(self, seed: bytes | None = None) -> None:
        self._edwards = Ed25519PrivateKey.from_private_bytes(seed or os.urandom(32))
        scalar = hashlib.sha512(self._edwards.private_bytes_raw()).digest()[:32]
        self._montgomery = X25519PrivateKey.from_private_bytes(scalar)
        edwards = self._edwards.public_key().public_bytes_raw()
        self._sign = edwards[31] & 0x80
        y = int.from_bytes(edwards, "little") & (2**255 - 1)
        self.public = ((1 + y) * pow(1 - y, -1, _PRIME) % _PRIME).to_bytes(32, "little")
        """The 32 bytes by which others know it."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of a signature."""
        signature = bytearray(self._edwards.sign(message))
        signature[63] |= self._sign
        return bytes(signature)

    def agree(self, public: bytes) -> bytes:
        """Return the secret that the holder of the other key can compute as well."""
        return self._montgomery.exchange(X25519PublicKey.from_public_bytes(public))
