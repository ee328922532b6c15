"""The secrets of pairing by a code that is shown by the device and typed into the phone.

Each side sends an ephemeral key under the code, so that who does not know the code cannot stand
between them. What the keys agree on hides the device's identity key, and bytes that it has drawn.
"""

import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC


def wrap(code: bytes, key: bytes) -> bytes:
    """Return a public key as one sends it to the other."""
    salt, start = os.urandom(32), os.urandom(16)
    return salt + start + _by_code(code, salt, start, key)


def unwrap(code: bytes, wrapped: bytes) -> bytes:
    """Return the public key that the other has sent."""
    return _by_code(code, wrapped[:32], wrapped[32:48], wrapped[48:])


def _by_code(code: bytes, salt: bytes, start: bytes, data: bytes) -> bytes:
    """Encrypt, or decrypt, under the code."""
    key = PBKDF2HMAC(SHA256(), length=32, salt=salt, iterations=2 << 16).derive(code)
    return Cipher(algorithms.AES(key), modes.CTR(start)).encryptor().update(data)


def open_bundle(wrapped: bytes, shared: bytes) -> tuple[bytes, bytes]:
    """Return the device's identity key and the random bytes that it has drawn."""
    key = _derive(shared, wrapped[:32], b"link_code_pairing_key_bundle_encryption_key")
    bundle = AESGCM(key).decrypt(wrapped[32:44], wrapped[44:], None)
    return bundle[:32], bundle[64:]


def pairing_secret(shared: bytes, agreed: bytes, drawn: bytes) -> bytes:
    """Return the secret under which the phone vouches for the device.

    Args:
        shared: what the two ephemeral keys agree on.
        agreed: what the two identity keys agree on.
        drawn: the device's random bytes.
    """
    return _derive(shared + agreed + drawn, None, b"adv_secret")


def _derive(secret: bytes, salt: bytes | None, purpose: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=salt, info=purpose).derive(secret)
