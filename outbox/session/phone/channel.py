"""The control channel: whoever holds it decides how the phone behaves, and reads its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outbox.session.phone.behaviour import Behaviour, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from outbox.session.phone.connection import Connection
    from outbox.session.phone.line import Line
    from outbox.session.phone.server import Server


class Operator:
    """The role of a control connection. Each of its lines is answered by one, in their order.

    Once a line is answered it is in force: every frame that arrives later meets it.
    """

    def __init__(self, server: Server, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self._doing: dict[str, Callable[[Line], None]] = {
            "behave": self._behave,
            "fault": lambda line: server.fate.add(Fault.of(line["fault"])),
            "heal": lambda _: server.fate.clear(),
            "drop": self._each(server.drop),
            "replace": self._each(server.replace),
            "deafen": self._to_each(lambda connection: connection.deafen()),
            "hear": self._to_each(lambda connection: connection.hear()),
            "stand": lambda line: server.stand(line["account"], line["standing"], line["seconds"]),
            "lift": lambda line: server.lift(line["account"]),
            "receipt": self._receipt,
            "write": self._write,
            "scan": lambda line: server.scan(line["code"]),
            "unlink": lambda line: server.unlink(line["account"]),
        }
        connection.answer({"type": "done"})

    def take(self, line: Line) -> None:
        """Do what the line says, and answer it."""
        kind = line["type"]
        if kind == "wait":
            self._wait(line["what"], line["count"], line["seconds"])
            return
        if kind == "stats":
            self._connection.answer({"type": "stats", "stats": self._server.stats()})
            return
        try:
            self._doing[kind](line)
        except (KeyError, TypeError, ValueError) as wrong:
            self._connection.answer({"type": "error", "error": str(wrong)})
        else:
            self._connection.answer({"type": "done"})

    def lost(self) -> None:
        """Nothing depends on an operator who stays."""

    def _each(self, act: Callable[..., None]) -> Callable[[Line], None]:
        def on_each(line: Line) -> None:
            for account in list(self._server.accounts(line["account"])):
                act(account)

        return on_each

    def _behave(self, line: Line) -> None:
        present = self._server.fate.behaviour
        self._server.fate.behave(Behaviour.of({**present.to_json(), **line["behaviour"]}))

    def _to_each(self, act: Callable[[Connection], None]) -> Callable[[Line], None]:
        def to_each(line: Line) -> None:
            for account in self._server.accounts(line["account"]):
                if account.connection is not None:
                    act(account.connection)

        return to_each

    def _receipt(self, line: Line) -> None:
        self._server.hand(
            self._server.account(line["account"]), line["message_id"], line["receipt"]
        )

    def _write(self, line: Line) -> None:
        told = {"type": "text", "jid": line["jid"], "text": line["text"]}
        self._server.account(line["account"]).hand(told)

    def _wait(self, what: str, count: int, seconds: float) -> None:
        server = self._server
        answered = False

        def enough() -> bool:
            nonlocal answered
            if not answered and server.counts[what] >= count:
                answered = True
                self._connection.answer({"type": "done"})
            return answered

        def give_up() -> None:
            nonlocal answered
            if not answered:
                answered = True
                late = f"{server.counts[what]} of {count} {what} after {seconds} s"
                self._connection.answer({"type": "late", "error": late})

        if not enough():
            server.waiting.append(enough)
            server.timeline.at(server.timeline.now() + seconds, give_up)
