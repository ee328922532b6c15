"""Who is on WhatsApp, and under which address."""

from __future__ import annotations

from threading import Lock

from tests.whatsapp.nodes import Jid, Node

_PHONE = "s.whatsapp.net"
_HIDDEN = "lid"


def hidden(jid: Jid) -> Jid:
    """Return the address (LID) that hides the number of this one; a device keeps its own."""
    device = f":{jid.device}" if jid.device else ""
    return Jid(f"8{jid.user}{device}@{_HIDDEN}")


def revealed(jid: Jid) -> Jid:
    """Return the phone number's address of a person, without a device; others are left as is."""
    if jid.server == _HIDDEN:
        return Jid(f"{jid.user.removeprefix('8')}@{_PHONE}")
    return Jid(f"{jid.user}@{jid.server}")


class Directory:
    """Answers queries (usync): everybody exists with one device, unless unregistered.

    The one who asks has no device besides the client, which so has nobody else to tell what it
    sends.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._unregistered: set[str] = set()
        self._lookups = 0

    def unregister(self, number: str) -> None:
        """Let this number, digits with its country, not be on WhatsApp."""
        with self._lock:
            self._unregistered.add(number.removeprefix("+"))

    def restore(self) -> None:
        """Let everybody be on WhatsApp again."""
        with self._lock:
            self._unregistered.clear()

    def lookups(self) -> int:
        """Return how many numbers were asked for whether they are on WhatsApp."""
        with self._lock:
            return self._lookups

    def answer(self, query: Node, asker: Jid) -> Node:
        """Return the answer to a usync element of this client."""
        asked = query.find("query") or Node("query")
        listed = query.find("list") or Node("list")
        users = [self._user(user, asked, asker) for user in listed.children]
        return Node("usync", {}, [Node("list", {}, users)])

    def _user(self, user: Node, asked: Node, asker: Jid) -> Node:
        contact = user.find("contact")
        if contact:
            return self._contact(contact)
        jid = Jid(user.get("jid"))
        found = []
        if asked.find("devices"):
            is_other = revealed(jid).user != asker.user
            devices = [Node("device", {"id": "0"})] if is_other else None
            found.append(Node("devices", {}, [Node("device-list", {}, devices)]))
        if asked.find("lid") and self._is_registered(jid.user):
            found.append(Node("lid", {"val": hidden(jid)}))
        return Node("user", {"jid": jid}, found)

    def _contact(self, contact: Node) -> Node:
        number = contact.data.decode().partition("@")[0].removeprefix("+")
        jid = Jid(f"{number}@{_PHONE}")
        with self._lock:
            self._lookups += 1
        if not self._is_registered(number):
            return Node("user", {"pn_jid": jid}, [Node("contact", {"type": "out"}, contact.data)])
        found = Node("contact", {"type": "in"}, contact.data)
        return Node("user", {"jid": hidden(jid), "pn_jid": jid}, [found])

    def _is_registered(self, number: str) -> bool:
        with self._lock:
            return number not in self._unregistered
