"""The phone of an account that links another device, by a QR code or by a code that is typed.

Both ways end alike: the phone vouches for the new device's identity key, under a secret that it
shares with the device. From the QR code it learns the secret; by the typed code they agree on it.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import time
from dataclasses import dataclass
from threading import Condition
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.whatsapp import wire
from tests.whatsapp.connection import SERVER
from tests.whatsapp.directory import hidden
from tests.whatsapp.nodes import Jid, Node
from tests.whatsapp.signing import SigningKey
from tests.whatsapp.typed_code import open_bundle, pairing_secret, unwrap, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.whatsapp.connection import Connection

_PATIENCE = 20.0
_REFS = 6
"""How many QR codes a client may show, one after the other."""
_ACCOUNT_SIGNATURE = b"\6\0"
_DETAILS, _ACCOUNT_KEY, _ACCOUNT_SIGNED, _DEVICE_SIGNED = 1, 2, 3, 4
_MAC = 2
_CODE = "link_code_companion_reg"


@dataclass(frozen=True, slots=True)
class _Companion:
    """A client that asked for a code to be typed into the phone."""

    connection: Connection
    wrapped_key: bytes


class Phone:
    """Links devices to accounts; a client that wants to be paired gets what it can show."""

    def __init__(self) -> None:
        self._identity = SigningKey()
        self._changed = Condition()
        self._shown: dict[str, Connection] = {}
        self._companions: dict[str, _Companion] = {}
        self._answers: dict[str, Node] = {}

    @property
    def refs(self) -> list[str]:
        """The references that the waiting clients' QR codes hold."""
        with self._changed:
            return list(self._shown)

    def scan(self, qr_text: str, jid: str) -> None:
        """Link the client that shows this QR code as a device of an account.

        Args:
            qr_text: what the QR code says.
            jid: the device that the client becomes, such as `31600000001:5@s.whatsapp.net`.

        Raises:
            KeyError: no client that shows this code is connected.
            RuntimeError: the client refuses the pairing.
            TimeoutError: the client does not answer.
        """
        ref, _noise_key, identity, secret, *_ = qr_text.rpartition("#")[2].split(",")
        with self._changed:
            connection = self._shown[ref]
        self._link(connection, base64.b64decode(identity), base64.b64decode(secret), Jid(jid))

    def enter(self, code: str, jid: str) -> None:
        """Link the client that shows this code for the account's number as a device of it.

        Raises:
            KeyError: no client has asked for a code for this number.
            RuntimeError: the client refuses the pairing.
            TimeoutError: the client does not answer.
        """
        device = Jid(jid)
        with self._changed:
            companion = self._companions[device.user]
        typed = code.replace("-", "").encode()
        ephemeral = X25519PrivateKey.generate()
        shared = ephemeral.exchange(
            X25519PublicKey.from_public_bytes(unwrap(typed, companion.wrapped_key))
        )
        hello = Node(
            _CODE,
            {"stage": "primary_hello"},
            [
                Node("link_code_pairing_ref", {}, device.user.encode()),
                Node(
                    "link_code_pairing_wrapped_primary_ephemeral_pub",
                    {},
                    wrap(typed, ephemeral.public_key().public_bytes_raw()),
                ),
                Node("primary_identity_pub", {}, self._identity.public),
            ],
        )
        notification = {"from": SERVER, "type": _CODE, "id": secrets.token_hex(8)}
        companion.connection.send(Node("notification", {**notification, "t": _now()}, [hello]))
        bundle = self._wait(lambda: self._answers.pop(f"finish {device.user}", None))
        wrapped = bundle.find("link_code_pairing_wrapped_key_bundle")
        if wrapped is None:
            raise RuntimeError(f"the client does not finish the pairing by code: {bundle}")
        identity, drawn = open_bundle(wrapped.data, shared)
        secret = pairing_secret(shared, self._identity.agree(identity), drawn)
        self._link(companion.connection, identity, secret, device)

    def serve(self, connection: Connection) -> None:
        """Let a client show QR codes, or a code to type, until it hangs up."""
        refs = [f"2@{secrets.token_urlsafe(24)}" for _ in range(_REFS)]
        with self._changed:
            self._shown |= dict.fromkeys(refs, connection)
            self._changed.notify_all()
        pair = Node("pair-device", {}, [Node("ref", {}, ref.encode()) for ref in refs])
        connection.send(Node("iq", {"from": SERVER, "type": "set", "id": "pair"}, [pair]))
        try:
            while True:
                self._hear(connection, connection.receive())
        finally:
            with self._changed:
                self._shown = {r: c for r, c in self._shown.items() if c is not connection}

    def _hear(self, connection: Connection, node: Node) -> None:
        if node.tag != "iq":
            return
        with self._changed:
            self._answers[node.get("id")] = node
            registration = node.find(_CODE)
            if registration is not None:
                self._hear_code(connection, registration)
            self._changed.notify_all()
        if node.get("type") in {"get", "set"}:
            # What the pairing is referred to by, until it is done: the number will do.
            ref = Node("link_code_pairing_ref", {}, self._number(registration).encode())
            connection.answer(node, Node(_CODE, {}, [ref]))

    @staticmethod
    def _number(registration: Node | None) -> str:
        return Jid(registration.get("jid")).user if registration else ""

    def _hear_code(self, connection: Connection, registration: Node) -> None:
        number = self._number(registration)
        if registration.get("stage") == "companion_hello":
            wrapped = registration.find("link_code_pairing_wrapped_companion_ephemeral_pub")
            self._companions[number] = _Companion(connection, wrapped.data if wrapped else b"")
        else:
            self._answers[f"finish {number}"] = registration

    def _link(self, connection: Connection, identity: bytes, secret: bytes, jid: Jid) -> None:
        request = secrets.token_hex(8)
        success = Node(
            "pair-success",
            {},
            [
                Node("device-identity", {}, self._vouch(identity, secret)),
                Node("device", {"jid": jid, "lid": hidden(jid)}),
                Node("platform", {"name": "android"}),
            ],
        )
        attributes = {"from": SERVER, "type": "set", "id": request, "t": _now()}
        connection.send(Node("iq", attributes, [success]))
        answer = self._wait(lambda: self._answers.pop(request, None))
        signed = answer.find("pair-device-sign", "device-identity")
        if signed is None or not wire.Fields.decode(signed.data).data(_DEVICE_SIGNED):
            raise RuntimeError(f"the client does not sign the pairing: {answer}")
        connection.end(Node("stream:error", {"code": "515"}))

    def _vouch(self, identity: bytes, secret: bytes) -> bytes:
        """Return the device's identity as the account signs it, authenticated by the secret."""
        details = wire.encode({1: int.from_bytes(os.urandom(3)), 2: int(time.time()), 3: 1})
        signature = self._identity.sign(_ACCOUNT_SIGNATURE + details + identity)
        signed = wire.encode(
            {
                _DETAILS: details,
                _ACCOUNT_KEY: self._identity.public,
                _ACCOUNT_SIGNED: signature,
            }
        )
        return wire.encode({_DETAILS: signed, _MAC: hmac.digest(secret, signed, "sha256")})

    def _wait(self, find: Callable[[], Node | None]) -> Node:
        with self._changed:
            found = self._changed.wait_for(find, _PATIENCE)
        if found is None:
            raise TimeoutError(f"the client did not answer the phone within {_PATIENCE} s")
        return found


def _now() -> str:
    return str(int(time.time()))
