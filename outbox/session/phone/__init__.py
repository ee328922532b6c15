"""The phone: WhatsApp's server and the recipients' phones, played by a process of its own.

It is what simulated sessions connect to. That it is a process of its own makes killing a worker
an honest experiment: the phone's ledger says what had left.

The protocol is one JSON object a line, in both directions, over TCP or a unix socket. The first
line says who it is: `{"type": "login", "account": …}`, `{"type": "link", "account": …}` or
`{"type": "control"}`.

A session says:

| line | means |
|---|---|
| `trace` secret, message_id, jid | the next frame's trace: kept whatever becomes of the frame |
| `frame` message_id, secret, jid, notification, attempt, body, media | send this; see `Frame` |
| `traces` question, secrets | which of these secrets left a trace? |
| `received` number | the receipts and texts up to this number need not be handed over again |
| `ping` | are you there? |

The phone says:

| line | means |
|---|---|
| `connected` | the login was accepted |
| `sent` message_id | the server has accepted the message |
| `failed`, `rejected` message_id, error | it has not, for now or for good; nobody received it |
| `receipt` number, message_id, receipt | a recipient's phone reports; again until `received` |
| `text` number, jid, text | somebody writes to the account; again until `received` |
| `traces` question, found | secret to message id, of those that left one |
| `pong` | yes |
| `replaced`, `logged_out`, `outdated`, `unavailable` reason | the end, or the answer to a login |
| `banned` reason, retry_after | the same |

`retry_after` is in how many seconds a login will be accepted again, where that is known.

Who is to be linked hears first `standing` linked, and says `pair` number (None: QR codes) or
`unpair`; the phone says `qr` or `code` with its text, one after the other, and at the end `paired`
jid, `unlinked`, `refused` reason, or `late`: nobody has used a code.

Two rules make a missing trace a proof. A later session of an account replaces the one before, and
what that one has written but the phone has not read yet is thrown away, so nothing of it can be
received after the new session has asked. And a frame is in the ledger before it is answered.

`Control` documents the control channel.
"""

from outbox.session.phone.address import Address
from outbox.session.phone.behaviour import Behaviour, Fault
from outbox.session.phone.control import Control
from outbox.session.phone.ledger import Frame, Ledger, by_notification
from outbox.session.phone.process import Phone

__all__ = [
    "Address",
    "Behaviour",
    "Control",
    "Fault",
    "Frame",
    "Ledger",
    "Phone",
    "by_notification",
]
