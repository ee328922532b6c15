"""What the outbox's throughput is measured against: a loop over neonize's own `send_message`.

`python -m tests.whatsapp.bare URL JID COUNT RECIPIENTS` connects as a device and sends texts.
"""

import os
import sys
from threading import Event, Thread

from neonize.client import NewClient
from neonize.events import ConnectedEv
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.utils.jid import build_jid

from tests.whatsapp.trust import trust_environment

_PATIENCE = 30.0


def main(url: str, jid: str, count: int, recipients: int) -> None:
    """Send so many texts, recipients taking turns, and exit."""
    trust_environment()
    number, _, device = jid.partition("@")[0].partition(":")
    own = build_jid(number)
    own.Device = int(device)
    client = NewClient(url, jid=own, uuid="bare")
    connected = Event()
    client.event(ConnectedEv)(lambda _client, _event: connected.set())

    def send() -> None:
        if not connected.wait(_PATIENCE):
            os._exit(1)
        for nth in range(count):
            to = build_jid(f"4477009{nth % recipients:05d}")
            client.send_message(to, Message(conversation=f"order {nth} shipped"))
        os._exit(0)

    Thread(target=send, daemon=True).start()
    client.connect()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
