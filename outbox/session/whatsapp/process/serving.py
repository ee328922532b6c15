"""To serve an account: connect, and send what the parent hands over, one behind the other.

whatsmeow sends one message at a time as well, and its client may not be called from two threads
while it connects or stops; so one thread sends, from the login on.
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from neonize.client import NewClient
from neonize.events import MessageEv, ReceiptEv
from neonize.proto import Neonize_pb2

from outbox.session.consent import Words
from outbox.session.whatsapp.process.connection import connect, say_goodbye, watch
from outbox.session.whatsapp.process.jids import device, is_person, text_of
from outbox.session.whatsapp.process.media import MediaBytes
from outbox.session.whatsapp.process.messages import compose, of_album
from outbox.session.whatsapp.process.unsendable import Unsendable

if TYPE_CHECKING:
    from collections.abc import Callable

    from outbox.session.whatsapp.channel import Channel, Said
    from outbox.session.whatsapp.process.main import End

_RECEIPTS = {
    Neonize_pb2.Receipt.DELIVERED: "delivered",
    Neonize_pb2.Receipt.READ: "read",
    Neonize_pb2.Receipt.PLAYED: "played",
}
_USER = "@s.whatsapp.net"


def serve(job: Said, channel: Channel, end: End) -> Callable[[Said], None]:
    """Begin to serve; return what obeys the parent from then on."""
    client = NewClient(job["store"], jid=device(job["device"]), uuid=job["account"])
    words = Words(**job["words"])
    sender = _Sender(client, channel, job["device"])

    def connected() -> None:
        channel.tell({"type": "connected"})
        sender.start()

    watch(client, connected, end)
    client.event(ReceiptEv)(lambda _client, event: _tell_receipt(channel, event))
    client.event(MessageEv)(lambda _client, event: _tell_consent(channel, words, event))
    connect(client, end)

    def obey(said: Said) -> None:
        match said["type"]:
            case "send":
                media = _take_media(channel, said.get("media", []))
                if media is not None:
                    sender.take(said, media)
            case "drain":
                sender.drain()
                channel.tell({"type": "drained"})
            case "stop":
                if sender.is_alive():
                    say_goodbye(client, end)
                end.at_once()

    return obey


def _take_media(channel: Channel, described: list[Said]) -> list[MediaBytes] | None:
    """Return the media that follow in chunks, one behind the other.

    None if they break off: what becomes of the attempt is then the parent's to say.
    """
    media = []
    for about in described:
        data = bytearray()
        while len(data) < about["size"]:
            chunk = channel.take()
            if not chunk:
                return None
            data += chunk
        media.append(MediaBytes(about["mime"], data))
    return media


def _tell_receipt(channel: Channel, event: Any) -> None:  # noqa: ANN401  # a protobuf message
    kind = _RECEIPTS.get(event.Type)
    if kind is not None and not event.MessageSource.IsFromMe:
        channel.tell({"type": "receipts", "kind": kind, "messages": list(event.MessageIDs)})


def _tell_consent(channel: Channel, words: Words, event: Any) -> None:  # noqa: ANN401  # as above
    """Tell of a word by which somebody opts out or in; of nothing else that anybody writes.

    Who writes under a LID is named by the number, where WhatsApp gives it along.
    """
    source = event.Info.MessageSource
    if source.IsFromMe or source.IsGroup or not is_person(text_of(source.Chat)):
        return
    text = event.Message.conversation or event.Message.extendedTextMessage.text
    word = words.found(text)
    if word is not None:
        both = [text_of(source.Sender), text_of(source.SenderAlt)]
        jid = next((one for one in both if one.endswith(_USER)), both[0])
        channel.tell({"type": "consent", "jid": jid, "word": word.text, "opts_out": word.opts_out})


class _Sender(threading.Thread):
    """Sends in a thread of its own."""

    def __init__(self, client: NewClient, channel: Channel, own_jid: str) -> None:
        super().__init__(name="sender", daemon=True)
        self._client = client
        self._channel = channel
        self._own_jid = own_jid
        self._queue: SimpleQueue[tuple[Said, list[MediaBytes]]] = SimpleQueue()

    def take(self, said: Said, media: list[MediaBytes]) -> None:
        """Send this behind the others."""
        self._queue.put((said, media))

    def drain(self) -> None:
        """Send nothing more of what waits."""
        while True:
            try:
                said, _ = self._queue.get_nowait()
            except Empty:
                return
            self._tell("outcome", said, undone="the session was closed")

    def run(self) -> None:
        """Send, for ever."""
        while True:
            said, media = self._queue.get()
            self._tell("outcome", said, **self._send(said, media))
            del media  # before the wait for the next

    def _send(self, said: Said, media: list[MediaBytes]) -> dict[str, Any]:
        """Send a message, or an album's one behind the other, and return what became of it."""
        registered: dict[str, bool] = {}
        try:
            if said["check"] and said["jid"].endswith(_USER):
                registered["registered"] = self._is_registered(said["jid"])
                if not registered["registered"]:
                    return {"unsendable": "its number is not on WhatsApp", **registered}
            composed = compose(
                self._client,
                said["jid"],
                said["content"],
                media,
                bytes.fromhex(said["secret"]),
                self._own_jid,
            )
        except Unsendable as error:
            return {"unsendable": str(error), **registered}
        except Exception as error:  # noqa: BLE001  # neonize raises of many kinds
            return {"error": str(error), "begun": False, **registered}
        self._tell("begun", said)
        try:
            message_id = self._client.send_message(composed.to, composed.message).ID
        except Exception as error:  # noqa: BLE001  # as above
            return {"error": str(error), "begun": True, **registered}
        for number, item in enumerate(composed.items, 1):
            self._tell("begun", said)  # each has its own time to be acknowledged
            try:
                self._client.send_message(composed.to, of_album(item, said["jid"], message_id))
            except Exception as error:  # noqa: BLE001  # as above
                which = f"item {number} of {len(composed.items)}"
                return {"error": f"{which}: {error}", "left": message_id, **registered}
        return {"message_id": message_id, **registered}

    def _is_registered(self, jid: str) -> bool:
        number = "+" + jid.removesuffix(_USER)
        return any(answer.IsIn for answer in self._client.is_on_whatsapp(number))

    def _tell(self, kind: str, of: Said, **said: object) -> None:
        self._channel.tell(
            {"type": kind, "notification": of["notification"], "attempt": of["attempt"], **said}
        )
