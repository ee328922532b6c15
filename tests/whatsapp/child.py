"""The process of a client, as its test commands and hears it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PATIENCE = 20.0
_ROOT = Path(__file__).parents[2]


class Child:
    """A running `tests.whatsapp.client`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._numbers = count()
        self._heard = Condition()
        self._events: list[tuple[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    @classmethod
    @contextmanager
    def start(
        cls, environment: Mapping[str, str], url: str, jid: str | None, log: Path
    ) -> Iterator[Child]:
        """Run a client of this store, as this device or as a new one, and kill it in the end.

        Args:
            environment: what is added to this process's own.
            url: the store's, as the library wants it.
            jid: the device.
            log: where the library's own words go.
        """
        program = [sys.executable, "-m", "tests.whatsapp.client", url, *([jid] if jid else [])]
        with (
            log.open("a") as errors,
            subprocess.Popen(
                program,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=_ROOT,
                env=os.environ | environment,
            ) as process,
        ):
            child = cls(process)
            try:
                yield child
            finally:
                process.kill()
                child._listener.join()

    def call(self, name: str, *arguments: str, patience: float = _PATIENCE) -> Any:  # noqa: ANN401 - JSON
        """Let the client do something and return its result.

        Raises:
            RuntimeError: the client raised an error, which this one repeats.
            TimeoutError: it took longer than `patience`.
        """
        return self.answer(self.begin(name, *arguments), patience)

    def begin(self, name: str, *arguments: str) -> int:
        """Let the client do something; return the number by which `answer` knows it."""
        number = next(self._numbers)
        call = {"number": number, "name": name, "arguments": arguments}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        return number

    def answer(self, number: int, patience: float = _PATIENCE) -> Any:  # noqa: ANN401 - JSON
        """Wait for the result of what was begun; raises like `call`."""
        answer = self._wait(lambda: self._answers.get(number), f"answer {number}", patience)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def wait(self, event: str, nth: int = 1) -> Any:  # noqa: ANN401 - JSON
        """Return the value of the nth event of this name, which may have been heard already.

        Raises:
            TimeoutError: it was not heard within twenty seconds.
        """
        return self._wait(lambda: self.heard(event)[nth - 1 : nth] or None, f"{nth}. {event}")[0]

    def heard(self, event: str) -> list[Any]:
        """Return the values of the events of this name so far."""
        with self._heard:
            return [value for name, value in self._events if name == event]

    def _wait(self, find: Callable[[], Any], what: str, patience: float = _PATIENCE) -> Any:  # noqa: ANN401 - JSON
        with self._heard:
            found = self._heard.wait_for(find, patience)
        if found is None:
            raise TimeoutError(f"{what} was not heard within {patience} s, but {self._events}")
        return found

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if not line.endswith("\n"):
                return  # The process was killed while it wrote.
            said = json.loads(line)
            with self._heard:
                if "answer" in said:
                    self._answers[said["answer"]] = said
                else:
                    self._events.append((said["event"], said["value"]))
                self._heard.notify_all()
