"""The devices of those who are written to: they read what the client has encrypted for them.

They never answer. Therefore every message to one of them begins its session anew (X3DH) and
goes on along the sender's first chain, and every message to a group brings the key of its chain
along: nothing has to be remembered from one message to the next.

All of them have the same keys, in every run, as sessions outlive the server in a client's store.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

from tests.whatsapp.nodes import Node
from tests.whatsapp.signing import SigningKey
from tests.whatsapp.wire import Fields, encode

_IDENTITY = SigningKey(hashlib.sha256(b"identity").digest())
_PREKEY = SigningKey(hashlib.sha256(b"prekey").digest())
_PREKEY_ID = (1).to_bytes(3)
_REGISTRATION_ID = (7).to_bytes(4)

_CURVE = b"\5"
"""Precedes a public key where keys of another curve might stand."""
_VERSION = b"\x33"
_VERSION_SIZE, _MAC_SIZE, _SIGNATURE_SIZE = 1, 8, 64

# Fields of the messages, outer ones first.
_BASE_KEY, _SENDER, _MESSAGE, _REGISTRATION, _SIGNED_PREKEY = 2, 3, 4, 5, 6
_RATCHET_KEY, _COUNTER, _CIPHERTEXT = 1, 2, 4
_GROUP_CIPHERTEXT = 3
_CHAIN_KEY = 3
_DISTRIBUTION, _DISTRIBUTED = 2, 2


def keys() -> list[Node]:
    """Return the keys by which a client begins a session with any of the devices."""
    prekey = Node(
        "skey",
        {},
        [
            Node("id", {}, _PREKEY_ID),
            Node("value", {}, _PREKEY.public),
            Node("signature", {}, _IDENTITY.sign(_CURVE + _PREKEY.public)),
        ],
    )
    return [
        Node("registration", {}, _REGISTRATION_ID),
        Node("type", {}, _CURVE),
        Node("identity", {}, _IDENTITY.public),
        prekey,
    ]


def read(message: Node) -> bytes:
    """Return what a message says to its recipients: a `waE2E.Message` as protocol buffers have it.

    Nothing, if it is encrypted for nobody: the library, if it could not get the recipient's keys,
    sends it nevertheless.

    Raises:
        ValueError: it is not encrypted as a recipient expects it.
    """
    plain = message.find("plaintext")
    if plain is not None:
        return plain.data  # A channel's messages are not encrypted.
    sealed = message.find("participants", "to", "enc")
    if sealed is None:
        return b""
    content = _unpad(_read_first(sealed.data))
    for_group = message.find("enc")
    if for_group is None:
        return content
    distribution = Fields.decode(content).message(_DISTRIBUTION).data(_DISTRIBUTED)
    return _unpad(_read_group(for_group.data, distribution))


def written(content: bytes, identity: bytes, prekey: bytes) -> bytes:
    """Encrypt what somebody writes to a device, as a message that begins a session (X3DH).

    Args:
        content: A `waE2E.Message` as protocol buffers have it.
        identity: The public key of the device.
        prekey: Its signed prekey, of number 1.
    """
    base, ratchet = SigningKey(), SigningKey()
    agreed = b"\xff" * 32 + _IDENTITY.agree(prekey) + base.agree(identity) + base.agree(prekey)
    root = _derive(agreed, b"WhisperText", 64)[:32]
    chain = _derive(ratchet.agree(prekey), b"WhisperRatchet", 64, root)[32:]
    keys = _derive(hmac.digest(chain, b"\1", "sha256"), b"WhisperMessageKeys", 80)
    key, mac_key, start = keys[:32], keys[32:64], keys[64:]
    padder = PKCS7(128).padder()
    padded = padder.update(content + b"\1") + padder.finalize()
    sealed = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor().update(padded)
    fields: dict[int, int | bytes] = {
        _RATCHET_KEY: _CURVE + ratchet.public,
        _COUNTER: 0,
        3: 0,
        _CIPHERTEXT: sealed,
    }
    signed = _VERSION + encode(fields)
    authenticated = _CURVE + _IDENTITY.public + _CURVE + identity + signed
    mac = hmac.digest(mac_key, authenticated, "sha256")[:_MAC_SIZE]
    return _VERSION + encode(
        {
            _REGISTRATION: int.from_bytes(_REGISTRATION_ID),
            _SIGNED_PREKEY: 1,
            _BASE_KEY: _CURVE + base.public,
            _SENDER: _CURVE + _IDENTITY.public,
            _MESSAGE: signed + mac,
        }
    )


def _read_first(sealed: bytes) -> bytes:
    """Decrypt a message that begins a session."""
    first = Fields.decode(sealed[_VERSION_SIZE:])
    sender, base = first.data(_SENDER), first.data(_BASE_KEY)[1:]
    signed, mac = first.data(_MESSAGE)[:-_MAC_SIZE], first.data(_MESSAGE)[-_MAC_SIZE:]
    message = Fields.decode(signed[_VERSION_SIZE:])
    agreed = b"\xff" * 32 + _PREKEY.agree(sender[1:]) + _IDENTITY.agree(base) + _PREKEY.agree(base)
    root = _derive(agreed, b"WhisperText", 64)[:32]
    ratchet = _PREKEY.agree(message.data(_RATCHET_KEY)[1:])
    chain = _derive(ratchet, b"WhisperRatchet", 64, root)[32:]
    for _ in range(message.number(_COUNTER)):
        chain = hmac.digest(chain, b"\2", "sha256")
    keys = _derive(hmac.digest(chain, b"\1", "sha256"), b"WhisperMessageKeys", 80)
    key, mac_key, start = keys[:32], keys[32:64], keys[64:]
    authenticated = sender + _CURVE + _IDENTITY.public + signed
    if not hmac.compare_digest(hmac.digest(mac_key, authenticated, "sha256")[:_MAC_SIZE], mac):
        raise ValueError("a message is not encrypted as its recipient expects it")
    return _decrypt(key, start, message.data(_CIPHERTEXT))


def _read_group(sealed: bytes, distribution: bytes) -> bytes:
    """Decrypt a message to a group by the chain that was distributed with it."""
    message = Fields.decode(sealed[_VERSION_SIZE:-_SIGNATURE_SIZE])
    chain = Fields.decode(distribution[_VERSION_SIZE:]).data(_CHAIN_KEY)
    keys = _derive(hmac.digest(chain, b"\1", "sha256"), b"WhisperGroup", 48)
    return _decrypt(keys[16:], keys[:16], message.data(_GROUP_CIPHERTEXT))


def _derive(secret: bytes, purpose: bytes, size: int, salt: bytes = bytes(32)) -> bytes:
    return HKDF(SHA256(), length=size, salt=salt, info=purpose).derive(secret)


def _decrypt(key: bytes, start: bytes, secret: bytes) -> bytes:
    padded = Cipher(algorithms.AES(key), modes.CBC(start)).decryptor().update(secret)
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def _unpad(content: bytes) -> bytes:
    """Remove what hides a message's length."""
    return content[: -content[-1]]
