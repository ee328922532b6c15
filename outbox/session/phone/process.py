"""The phone's process, as whoever started it holds it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from outbox.session.phone.address import Address
from outbox.session.phone.control import Control
from outbox.session.phone.ledger import Frame, Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from outbox.session.phone.behaviour import Behaviour, Fault

LOOPBACK = Address("127.0.0.1", 0)
"""Any free port of this machine."""


class Phone:
    """A running phone.

    It is a process of its own, in a process group of its own: neither killing a worker nor
    interrupting a terminal ends it. It ends with whoever started it, by whatever death.
    """

    def __init__(self, process: subprocess.Popen[str], address: Address, ledger: Path) -> None:
        self._process = process
        self.address = address
        self.ledger = ledger
        """The file that it writes."""

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        listen: Address = LOOPBACK,
        behaviour: Behaviour | None = None,
        faults: Sequence[Fault] = (),
        unpaired: bool = False,
    ) -> Self:
        """Start a phone with its ledger in this folder, and return when it listens.

        With `unpaired` its accounts are logged out until somebody scans their codes; otherwise
        every account is paired.

        Started again on the same folder and the `address` of the one before, it goes on with that
        one's ledger and with the traces of what is in it.

        Raises:
            RuntimeError: it did not start; what it said about that is on stderr.
        """
        ledger = folder / "phone.jsonl"
        command = [sys.executable, "-m", "outbox.session.phone", "--until-stdin-closes"]
        command += ["--listen", str(listen), "--ledger", str(ledger)]
        if behaviour is not None:
            command += ["--behaviour", json.dumps(behaviour.to_json())]
        for fault in faults:
            command += ["--fault", json.dumps(fault.to_json())]
        command += ["--unpaired"] if unpaired else []
        process = subprocess.Popen(  # noqa: S603 - our own module, without a shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None  # noqa: S101 - for mypy
        address = process.stdout.readline().strip()
        phone = cls(process, listen, ledger)
        if not address:
            phone.kill()
            raise RuntimeError(f"the phone did not start at {listen}")
        phone.address = Address.parse(address)
        return phone

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The URL that opens a session with it."""
        return self.address.url

    def control(self) -> Control:
        """Return a new control channel."""
        return Control(self.address)

    def frames(self) -> list[Frame]:
        """Return what it has received so far, since the ledger's beginning."""
        return Ledger.read(self.ledger)

    def close(self) -> None:
        """End it; its ledger stays."""
        self._process.terminate()
        self._wait()

    def kill(self) -> None:
        """End it at once, as a power failure would."""
        self._process.kill()
        self._wait()

    def _wait(self) -> None:
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
