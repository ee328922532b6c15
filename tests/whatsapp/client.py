"""A program that uses the real library as it is told, and tells what it hears.

`python -m tests.whatsapp.client URL [JID]` connects as this device of the store, or as a new one.
It reads calls from its standard input and writes events and answers to its standard output, each a
JSON object a line. `tests.whatsapp.child` runs it.
"""

from __future__ import annotations

import json
import os
import sys
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from neonize.client import NewClient
from neonize.events import EVENT_TO_INT
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.utils.jid import Jid2String, build_jid

from tests.whatsapp.nodes import Jid
from tests.whatsapp.trust import trust_environment

if TYPE_CHECKING:
    from google.protobuf.message import Message as ProtobufMessage
    from neonize.proto.Neonize_pb2 import JID

_UUID = "client"


class Program:
    """The client, and the two ends of the conversation about it."""

    def __init__(self, url: str, jid: str | None) -> None:
        # The library prints, too: that goes where errors go.
        self._output = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        self._writing = Lock()
        device = _jid(jid) if jid else None
        self._client = NewClient(url, jid=device, uuid=_UUID, new_device=device is None)
        for event in EVENT_TO_INT:
            self._client.event(event)(self._hear)
        self._client.event.qr(self._show)

    def run(self) -> None:
        """Connect, and do what the standard input says until it ends."""
        Thread(target=self._connect, daemon=True).start()
        for line in sys.stdin:
            Thread(target=self._call, args=(json.loads(line),), daemon=True).start()
        # The library may hang, and nothing is to be saved.
        os._exit(0)

    def _connect(self) -> None:
        try:
            self._client.connect()
        except Exception as error:  # noqa: BLE001 - the test judges it
            self._tell("ended", str(error))
        else:
            self._tell("ended", "")

    def _call(self, call: dict[str, Any]) -> None:
        try:
            answer = {"result": getattr(self, call["name"])(*call["arguments"])}
        except Exception as error:  # noqa: BLE001 - the test judges it
            answer = {"error": str(error)}
        self._write({"answer": call["number"], **answer})

    def send(self, to: str, text: str) -> str:
        """Send a text; return the id of its message."""
        return str(self._client.send_message(_jid(to), Message(conversation=text)).ID)

    def send_document(self, to: str, text: str) -> str:
        """Send a text as a document; return the id of its message."""
        return str(self._client.send_document(_jid(to), text.encode(), filename="a.txt").ID)

    def is_on_whatsapp(self, *numbers: str) -> dict[str, bool]:
        """Return of each number whether it is on WhatsApp."""
        return {found.Query: found.IsIn for found in self._client.is_on_whatsapp(*numbers)}

    def pairing_code(self, number: str) -> str:
        """Return the code to type into the phone of this number."""
        return str(self._client.PairPhone(number, show_push_notification=False))

    def me(self) -> str:
        """Return who the client is."""
        return str(Jid2String(self._client.get_me().JID))

    def is_connected(self) -> bool:
        """Return whether there is a socket."""
        return bool(self._client.is_connected)

    def disconnect(self) -> None:
        """Hang up, and do not come back."""
        self._client.disconnect()

    def stop(self) -> None:
        """Let `connect` return."""
        self._client.stop()

    def _hear(self, _client: NewClient, event: ProtobufMessage) -> None:
        self._tell(type(event).__name__, MessageToDict(event, preserving_proto_field_name=True))

    def _show(self, _client: NewClient, text: bytes) -> None:
        self._tell("qr", text.decode())

    def _tell(self, event: str, value: object) -> None:
        self._write({"event": event, "value": value})

    def _write(self, message: dict[str, Any]) -> None:
        with self._writing:
            print(json.dumps(message), file=self._output)


def _jid(text: str) -> JID:
    jid = Jid(text)
    built = build_jid(jid.user, jid.server)
    built.Device = jid.device
    return built


if __name__ == "__main__":
    trust_environment()
    Program(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None).run()
