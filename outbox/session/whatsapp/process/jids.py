"""JIDs: texts here, a message of its own in neonize."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neonize.utils.jid import build_jid

if TYPE_CHECKING:
    from neonize.proto.Neonize_pb2 import JID

GROUP = "g.us"
NEWSLETTER = "newsletter"
BROADCAST = "broadcast"
_PEOPLE = frozenset({"s.whatsapp.net", "lid"})


def server(jid: str) -> str:
    """Return what stands behind the @: which kind of chat it is."""
    return jid.rpartition("@")[2]


def is_person(jid: str) -> bool:
    """Return whether it is one person's, by number or hidden behind a LID."""
    return server(jid) in _PEOPLE


def text_of(jid: JID) -> str:
    """Return a JID of neonize's as text, without a device."""
    return f"{jid.User}@{jid.Server}"


def parsed(jid: str) -> JID:
    """Return what neonize takes for a JID; what was enqueued names no device."""
    user, _, where = jid.rpartition("@")
    return build_jid(user, where)


def person(named: str) -> str:
    """Return the JID of somebody who is named by number (+44 7700 900123) or by JID already."""
    if not named.startswith("+"):
        return named
    return "".join(filter(str.isdigit, named)) + "@s.whatsapp.net"


def without_device(jid: str) -> str:
    """Return 447700900123@s.whatsapp.net for 447700900123:5@s.whatsapp.net."""
    user, _, where = jid.rpartition("@")
    return f"{user.partition(':')[0]}@{where}"


def device(jid: str) -> JID:
    """Return a device's JID for neonize: 447700900123:5@s.whatsapp.net."""
    user, _, where = jid.rpartition("@")
    number, _, of_number = user.partition(":")
    parsed_jid = build_jid(number, where)
    parsed_jid.Device = int(of_number or 0)
    return parsed_jid
