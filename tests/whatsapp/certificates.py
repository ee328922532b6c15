"""Who the server says it is: to TLS, and to the Noise handshake within.

The library has the Noise root's key compiled in; `trust` overwrites it with that of ours.
"""

import datetime as dt
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.whatsapp import wire
from tests.whatsapp.signing import SigningKey

CHAT_HOST = "web.whatsapp.com"
MEDIA_HOST = "mmg.whatsapp.net"

_DAY = 86_400


class NoiseCertificates:
    """A root, an intermediate signed by it, and a leaf for the server's key."""

    def __init__(self) -> None:
        self._root = SigningKey()
        self.static = X25519PrivateKey.generate()
        """The server's own key in the handshake."""
        intermediate = SigningKey()
        self.chain = wire.encode(
            {
                1: self._certificate(
                    2, 1, self.static.public_key().public_bytes_raw(), intermediate
                ),
                2: self._certificate(1, 0, intermediate.public, self._root),
            }
        )
        """The leaf and the intermediate, as the handshake sends them."""

    @property
    def root(self) -> bytes:
        """The 32 bytes that the client has to trust."""
        return self._root.public

    @staticmethod
    def _certificate(serial: int, issuer: int, key: bytes, signer: SigningKey) -> bytes:
        now = int(time.time())
        details = wire.encode({1: serial, 2: issuer, 3: key, 4: now - _DAY, 5: now + _DAY})
        return wire.encode({1: details, 2: signer.sign(details)})


def write_tls(certificate: Path, key: Path) -> None:
    """Write a certificate for WhatsApp's hosts, which is its own authority, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CHAT_HOST)])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(CHAT_HOST), x509.DNSName(MEDIA_HOST)]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    key.write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
