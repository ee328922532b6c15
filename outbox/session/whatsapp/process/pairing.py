"""To link the account with a phone, or to end that.

While codes are shown neonize delivers no other event, and its `connect` cannot be ended but by the
end of the process; how long to wait is the parent's to say.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from neonize.client import NewClient
from neonize.events import ConnectedEv, PairStatusEv
from neonize.proto import Neonize_pb2
from neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2 import DeviceProps
from neonize.utils.jid import Jid2String

from outbox.session.whatsapp.process.connection import connect, say_goodbye, watch
from outbox.session.whatsapp.process.jids import device

if TYPE_CHECKING:
    from collections.abc import Callable

    from outbox.session.whatsapp.channel import Channel, Said
    from outbox.session.whatsapp.process.main import End

_PROPS = DeviceProps(os="Outbox", platformType=DeviceProps.DESKTOP)
"""What the phone's list of linked devices shows."""


def pair(job: Said, channel: Channel, end: End) -> Callable[[Said], None]:
    """Begin to pair a new device; every code that can be shown is told."""
    client = NewClient(job["store"], uuid=job["account"], new_device=True, props=_PROPS)
    asked = threading.Lock()
    linked: list[str] = []

    def on_code(_client: NewClient, text: bytes) -> None:
        if job["number"] is None:
            channel.tell({"type": "qr", "text": text.decode()})
        elif asked.acquire(blocking=False):
            threading.Thread(target=ask_for_typed_code, daemon=True).start()

    def ask_for_typed_code() -> None:
        try:
            code = client.PairPhone(job["number"], show_push_notification=True)
        except Exception as error:  # noqa: BLE001  # neonize raises of several kinds
            end.saying("disconnected", f"WhatsApp gives no code for this number: {error}")
        else:
            channel.tell({"type": "code", "text": code})

    def on_status(_client: NewClient, event: Any) -> None:  # noqa: ANN401  # a protobuf message
        if event.Status == Neonize_pb2.PairStatus.SUCCESS:
            linked.append(Jid2String(event.ID))
        else:
            end.saying("disconnected", f"the phone and WhatsApp did not agree: {event.Error}")

    def on_connected(_client: NewClient, _event: object) -> None:
        # Not earlier: the first login as a device makes the keys that the next ones need.
        channel.tell({"type": "paired", "jid": linked[-1]})
        say_goodbye(client, end)

    client.event.qr(on_code)
    client.event(PairStatusEv)(on_status)
    client.event(ConnectedEv)(on_connected)
    connect(client, end)
    return lambda said: end.at_once() if said["type"] == "stop" else None


def unpair(job: Said, channel: Channel, end: End) -> Callable[[Said], None]:
    """Log the account's device out, so that the phone forgets it as well."""
    client = NewClient(job["store"], jid=device(job["device"]), uuid=job["account"])

    def log_out() -> None:
        try:
            client.logout()
        except Exception as error:  # noqa: BLE001  # neonize raises of several kinds
            end.saying("disconnected", f"WhatsApp did not log the device out: {error}")
        else:
            channel.tell({"type": "unpaired"})
            end.at_once()

    # In a thread of its own: events come in neonize's, which the answer to this needs.
    watch(client, lambda: threading.Thread(target=log_out, daemon=True).start(), end)
    connect(client, end)
    return lambda said: end.at_once() if said["type"] == "stop" else None
