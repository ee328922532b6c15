"""WhatsApp's media hosts: they take what clients upload, encrypted as it is."""

import hmac
import json
from threading import Lock
from typing import Literal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

from tests.whatsapp.certificates import MEDIA_HOST
from tests.whatsapp.websocket import Head, Wire

Kind = Literal["Image", "Video", "Audio", "Document"]
_MAC_SIZE = 10


class Uploads:
    """What was uploaded so far."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken: list[bytes] = []
        self._refused: str | None = None

    def taken(self) -> list[bytes]:
        """Return the bodies in the order in which they came."""
        with self._lock:
            return list(self._taken)

    def refuse(self, status: str | None) -> None:
        """Answer with this HTTP status instead of taking a body; None to take it."""
        with self._lock:
            self._refused = status

    def serve(self, wire: Wire, head: Head) -> None:
        """Take what is uploaded, until the client hangs up."""
        while True:
            body = wire.take(int(head.headers.get("content-length", "0")))
            self._answer(wire, head, body)
            head = wire.head()

    def _answer(self, wire: Wire, head: Head, body: bytes) -> None:
        with self._lock:
            refused = self._refused if head.method == "POST" else "405 Method Not Allowed"
            if refused is None:
                self._taken.append(body)
        if refused is not None:
            wire.answer(refused)
            return
        path = head.target.partition("?")[0]
        answer = {"url": f"https://{MEDIA_HOST}{path}", "direct_path": path}
        wire.answer("200 OK", json.dumps(answer).encode(), Content_Type="application/json")


def opened(body: bytes, key: bytes, kind: Kind) -> bytes:
    """Return what an uploaded body holds, to one who has the key from the message about it.

    Raises:
        ValueError: it is another key's, or another kind of media's.
    """
    keys = HKDF(SHA256(), 80, salt=bytes(32), info=f"WhatsApp {kind} Keys".encode()).derive(key)
    start, cipher_key, mac_key = keys[:16], keys[16:48], keys[48:80]
    secret, mac = body[:-_MAC_SIZE], body[-_MAC_SIZE:]
    if not hmac.compare_digest(hmac.digest(mac_key, start + secret, "sha256")[:_MAC_SIZE], mac):
        raise ValueError(f"a body of {len(body)} bytes is not this key's, or no {kind}")
    padded = Cipher(algorithms.AES(cipher_key), modes.CBC(start)).decryptor().update(secret)
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()
