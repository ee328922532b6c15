"""A linked device: the role of a connection that has logged in as an account's session."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from outbox.session.phone.account import Account
    from outbox.session.phone.behaviour import Fault
    from outbox.session.phone.connection import Connection
    from outbox.session.phone.line import Line
    from outbox.session.phone.server import Server


class Device:
    """What its lines do. It acts only while its connection is the account's."""

    def __init__(self, server: Server, account: Account, connection: Connection) -> None:
        self._server = server
        self._account = account
        self._connection = connection
        self._due: dict[str, float] = {}
        """When the last answer that waits is due, by recipient: these keep their order."""
        self._doing: dict[str, Callable[[Line], None]] = {
            "trace": self._trace,
            "frame": self._frame,
            "traces": self._traces,
            "received": lambda line: account.received(line["number"]),
            "ping": lambda _: connection.answer({"type": "pong"}),
        }

    def take(self, line: Line) -> None:
        """Do what the line says."""
        self._doing[line["type"]](line)

    def lost(self) -> None:
        """Know that the connection is gone."""
        self._server.count("left")
        self._account.left(self._connection)

    def _trace(self, line: Line) -> None:
        fault = self._server.fate.befalls(self._account.name, line["jid"], trace=True)
        if fault is not None:
            self._suffer(fault)
            return
        self._account.traces[line["secret"]] = line["message_id"]
        self._server.count("traces")

    def _traces(self, line: Line) -> None:
        traces = self._account.traces
        found = {secret: traces[secret] for secret in line["secrets"] if secret in traces}
        self._connection.answer({"type": "traces", "question": line["question"], "found": found})

    def _frame(self, line: Line) -> None:
        server, jid, message_id = self._server, line["jid"], line["message_id"]
        fault = server.fate.befalls(self._account.name, jid, trace=False)
        done = fault.do if fault is not None else None
        if fault is not None and done not in {"drop_after_frame", "silence"}:
            self._suffer(fault, message_id, jid)
            return
        if line["secret"] not in self._account.traces:
            raise ValueError("a frame without a trace")
        server.receive(self._account, line)
        if done is None:
            self._answer({"type": "sent", "message_id": message_id}, jid)
        server.receipts(self._account, message_id)
        if done == "drop_after_frame":
            server.drop(self._account)

    def _suffer(self, fault: Fault, message_id: str = "", jid: str = "") -> None:
        server, account = self._server, self._account
        if fault.do in {"fail", "reject"}:
            kind = "failed" if fault.do == "fail" else "rejected"
            self._answer({"type": kind, "message_id": message_id, "error": fault.error}, jid)
        elif fault.do in {"drop_before_trace", "drop_before_frame"}:
            server.drop(account)
        elif fault.do == "replace":
            server.replace(account)
        elif fault.do == "log_out":
            server.stand(account.name, "logged_out", fault.seconds)
        elif fault.do == "ban":
            server.stand(account.name, "banned", fault.seconds)
        else:
            server.stand(account.name, "outdated", fault.seconds)

    def _answer(self, line: Line, jid: str) -> None:
        server = self._server
        server.count(line["type"])
        latency = server.fate.latency()
        if not latency and jid not in self._due:
            self._connection.answer(line)
            return
        due = max(server.timeline.now() + latency, self._due.get(jid, 0.0))
        self._due[jid] = due
        server.timeline.at(due, partial(self._answer_now, line, jid, due))

    def _answer_now(self, line: Line, jid: str, due: float) -> None:
        self._connection.answer(line)
        if self._due.get(jid) == due:
            del self._due[jid]
