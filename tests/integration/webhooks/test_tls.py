"""Receivers over TLS: they have to prove themselves, to an authority that the sender trusts."""

import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from outbox.log import webhooks
from outbox.webhooks.request import post
from outbox.webhooks.sender import Sender
from tests.cli_runner import enqueue, run
from tests.receiver import Receiver
from tests.webhooks import again, log, settle, subscribe

DAY = dt.timedelta(days=1)
SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)
"""What Python asks of an authority from 3.13 on."""


class Authority:
    """An authority that nobody knows, and the certificates that it signs."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Shop authority")])
        self.certificate = (
            self._begun(self._name, self._key, DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(SIGNS, critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )

    def context(
        self, folder: Path, address: str = "127.0.0.1", ends_in: dt.timedelta = DAY
    ) -> ssl.SSLContext:
        """Return what a server proves with that it has this address."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
        known = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        signed = (
            self._begun(name, key, ends_in)
            .add_extension(known, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        path = folder / "shop.pem"
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + signed.public_bytes(Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _begun(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, ends_in: dt.timedelta
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + ends_in)
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority, whose certificate is in authority.pem."""
    made = Authority()
    (tmp_path / "authority.pem").write_bytes(made.certificate.public_bytes(Encoding.PEM))
    return made


@pytest.fixture
def receiver(authority: Authority, tmp_path: Path) -> Iterator[Receiver]:
    """A receiver with a certificate of that authority."""
    with Receiver(tls=authority.context(tmp_path)).up() as receiver:
        yield receiver


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender is made to trust the authority, as an operator would."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def test_who_proves_itself_is_told(
    connection: psycopg.Connection, receiver: Receiver, trusted: None
) -> None:
    """By an authority that SSL_CERT_FILE names, and to no one else."""
    subscribe(connection, receiver)
    for _ in range(3):
        enqueue(connection)
    settle(connection, Sender(inside=True))
    assert receiver.url.startswith("https://")
    assert receiver.ids == log(connection)


def test_who_does_not_is_told_nothing(
    connection: psycopg.Connection,
    database_url: str,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The failure says what is wrong and what to do; once that is done, nothing was lost."""
    subscribe(connection, receiver)
    enqueue(connection)
    sender = Sender(inside=True)
    settle(connection, sender)
    error = webhooks.named(connection, "shop").last_error
    assert error is not None
    assert error.startswith("its certificate is not trusted: ")
    assert "unable to get local issuer certificate" in error
    assert "SSL_CERT_FILE" in error
    assert receiver.asked == 0
    monkeypatch.setenv("OUTBOX_WEBHOOKS_INSIDE", "true")
    ran = run("webhook", "test", "shop", url=database_url)
    assert (ran.code, ran.out) == (3, "")
    assert f"The webhook shop failed: {error}" in ran.err
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    assert run("webhook", "test", "shop", url=database_url).out == "shop answered 204.\n"
    again(connection)
    settle(connection, sender)
    assert receiver.ids[1:] == log(connection)


@pytest.mark.parametrize(
    ("address", "ends_in", "why"),
    [("127.0.0.2", DAY, "IP address mismatch"), ("127.0.0.1", -DAY, "certificate has expired")],
)
def test_a_certificate_has_to_be_its_own_and_valid(
    authority: Authority,
    tmp_path: Path,
    trusted: None,
    address: str,
    ends_in: dt.timedelta,
    why: str,
) -> None:
    """Whoever signed it."""
    with Receiver(tls=authority.context(tmp_path, address, ends_in)).up() as receiver:
        answer = post(receiver.url, b"{}", {}, inside=True)
    assert answer.status is None
    assert why in (answer.error or "")
    assert receiver.asked == 0


def test_a_handshake_that_does_not_end_is_given_up(trusted: None) -> None:
    """It counts among what an answer may take, whatever dribbles in meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        answer = post(url, b"{}", {}, inside=True, patience=0.2)
    assert answer.error == "no answer within 0.2 seconds"


def test_plain_http_is_no_tls(trusted: None) -> None:
    """A receiver that does not speak it is a failure like another."""
    with Receiver().up() as receiver:
        answer = post(receiver.url.replace("http:", "https:"), b"{}", {}, inside=True)
    assert answer.status is None
    assert answer.error
    assert receiver.asked == 0
