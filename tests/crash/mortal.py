"""A session process that may be killed at a named point, alone or with its worker.

`python -m tests.crash.mortal outbox.session.whatsapp.process HANDLE` is the product's process, with
the tests' server taken for WhatsApp. The environment names the point; passages are counted in a
file, over all processes of a run, so that it happens once.
"""

import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

from neonize.client import NewClient

from outbox.session.whatsapp.process import serving
from tests.whatsapp.trust import trust_environment


def arm() -> None:
    """Wrap the seams of this process, if the environment says so."""
    point = os.environ.get("OUTBOX_TEST_POINT")
    if point is None:
        return
    tell, prepare, send = (
        serving._Sender._tell,
        serving._Sender._send,
        NewClient.send_message,
    )

    def telling(sender: Any, kind: str, *given: Any, **named: Any) -> None:  # noqa: ANN401
        tell(sender, kind, *given, **named)
        if kind == "outcome" and point == "after outcome":
            _pass()

    def preparing(*given: Any) -> Any:  # noqa: ANN401
        if point == "before turning":
            _pass()
        return prepare(*given)

    def sending(*given: Any, **named: Any) -> Any:  # noqa: ANN401
        if point == "before frame":
            _pass()
        answer = send(*given, **named)
        if point == "after acknowledgement":
            _pass()
        return answer

    setattr(serving._Sender, "_tell", telling)  # noqa: B010  # mypy forbids the plain assignment
    setattr(serving._Sender, "_send", preparing)  # noqa: B010  # as above
    NewClient.send_message = sending


def _pass() -> None:
    path = Path(os.environ["OUTBOX_TEST_PASSED"])
    with path.open("ab") as counter:
        counter.write(b".")
        nth = counter.tell()
    if nth != int(os.environ["OUTBOX_TEST_PASSAGE"]):
        return
    who = os.environ["OUTBOX_TEST_WHO"]
    if who in {"worker", "both"}:
        os.kill(os.getppid(), signal.SIGKILL)
    if who in {"process", "both"}:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    trust_environment()
    arm()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
