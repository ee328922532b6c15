"""What WhatsApp answers to the requests (iq) of a client that has logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.whatsapp.certificates import MEDIA_HOST
from tests.whatsapp.directory import hidden, revealed
from tests.whatsapp.nodes import Jid, Node
from tests.whatsapp.recipients import keys

if TYPE_CHECKING:
    from tests.whatsapp.directory import Directory

_KEYS = "500"
"""One-time keys of the client that the server claims to have: enough for it not to send more."""


def answer(request: Node, asker: Jid, directory: Directory) -> list[Node]:
    """Return the content of the result; nothing is an answer, too, and to most requests enough."""
    content = request.children[0] if request.children else Node("")
    match request.get("xmlns"), content.tag:
        case "usync", "usync":
            return [directory.answer(content, asker)]
        case "encrypt", "count":
            return [Node("count", {"value": _KEYS})]
        case "encrypt", "key":
            users = [Node("user", {"jid": Jid(u.get("jid"))}, keys()) for u in content.children]
            return [Node("list", {}, users)]
        case "w:m", "media_conn":
            return [_media_hosts()]
        case "w:g2", "query":
            return [_group(Jid(request.get("to")), asker)]
    return []


def _media_hosts() -> Node:
    lifetime = {"ttl": "3600", "auth_ttl": "3600", "max_buckets": "12"}
    return Node("media_conn", {"auth": "may", **lifetime}, [Node("host", {"hostname": MEDIA_HOST})])


def _group(group: Jid, asker: Jid) -> Node:
    """Return a group of the one who asks and another member."""
    members = [revealed(asker), Jid("31699999999@s.whatsapp.net")]
    return Node(
        "group",
        {"id": group.user, "subject": "A group", "addressing_mode": "lid"},
        [Node("participant", {"jid": hidden(m), "phone_number": m}) for m in members],
    )
