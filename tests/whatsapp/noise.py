"""The server's side of the handshake Noise_XX_25519_AESGCM_SHA256, and the ciphers it ends in.

The client sends its ephemeral key; the server answers with its own, with its static key and with
its certificates; the client ends with its static key and its payload, which says who it is.
"""

import hashlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.whatsapp import wire
from tests.whatsapp.certificates import NoiseCertificates

_PATTERN = b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0"
_CLIENT_HELLO, _SERVER_HELLO, _CLIENT_FINISH = 2, 3, 4
_EPHEMERAL, _STATIC, _PAYLOAD = 1, 2, 3
_FINISH_STATIC, _FINISH_PAYLOAD = 1, 2


class Cipher:
    """Encrypts, or decrypts, one direction of a connection, a counted frame at a time."""

    def __init__(self, key: bytes) -> None:
        self._key = AESGCM(key)
        self._count = 0

    def encrypt(self, plain: bytes, authenticated: bytes = b"") -> bytes:
        """Encrypt the next frame."""
        return self._key.encrypt(self._nonce(), plain, authenticated)

    def decrypt(self, secret: bytes, authenticated: bytes = b"") -> bytes:
        """Decrypt the next frame."""
        return self._key.decrypt(self._nonce(), secret, authenticated)

    def _nonce(self) -> bytes:
        self._count += 1
        return (self._count - 1).to_bytes(12)


class Handshake:
    """One connection's handshake: `answer` the client's first message, `finish` with its second."""

    def __init__(self, certificates: NoiseCertificates, header: bytes) -> None:
        self._certificates = certificates
        self._ephemeral = X25519PrivateKey.generate()
        self._hash = self._salt = _PATTERN
        self._cipher = Cipher(_PATTERN)
        self._authenticate(header)

    def answer(self, hello: bytes) -> bytes:
        """Return the server's message to the client's first."""
        theirs = wire.Fields.decode(hello).message(_CLIENT_HELLO).data(_EPHEMERAL)
        ours = self._ephemeral.public_key().public_bytes_raw()
        static = self._certificates.static
        self._authenticate(theirs)
        self._authenticate(ours)
        self._mix(self._ephemeral, theirs)
        sealed_static = self._encrypt(static.public_key().public_bytes_raw())
        self._mix(static, theirs)
        sealed_chain = self._encrypt(self._certificates.chain)
        fields = {_EPHEMERAL: ours, _STATIC: sealed_static, _PAYLOAD: sealed_chain}
        return wire.encode({_SERVER_HELLO: wire.encode({**fields})})

    def finish(self, message: bytes) -> tuple[bytes, Cipher, Cipher]:
        """Return the client's payload, and what decrypts and encrypts from now on."""
        finish = wire.Fields.decode(message).message(_CLIENT_FINISH)
        theirs = self._decrypt(finish.data(_FINISH_STATIC))
        self._mix(self._ephemeral, theirs)
        payload = self._decrypt(finish.data(_FINISH_PAYLOAD))
        reading, writing = self._expand(b"")
        return payload, Cipher(reading), Cipher(writing)

    def _authenticate(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def _expand(self, secret: bytes) -> tuple[bytes, bytes]:
        key = HKDF(SHA256(), length=64, salt=self._salt, info=b"").derive(secret)
        return key[:32], key[32:]

    def _mix(self, private: X25519PrivateKey, public: bytes) -> None:
        secret = private.exchange(X25519PublicKey.from_public_bytes(public))
        self._salt, key = self._expand(secret)
        self._cipher = Cipher(key)

    def _encrypt(self, plain: bytes) -> bytes:
        secret = self._cipher.encrypt(plain, self._hash)
        self._authenticate(secret)
        return secret

    def _decrypt(self, secret: bytes) -> bytes:
        plain = self._cipher.decrypt(secret, self._hash)
        self._authenticate(secret)
        return plain
