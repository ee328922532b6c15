"""Run a phone: `python -m outbox.session.phone --listen 127.0.0.1:0 --ledger phone.jsonl`.

It prints the address on which it listens as its first line, and runs until SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from outbox.session.phone.address import Address
from outbox.session.phone.behaviour import Behaviour, Fault
from outbox.session.phone.connection import Connection
from outbox.session.phone.server import Server


def main() -> None:
    """Run a phone as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m outbox.session.phone")
    parser.add_argument("--listen", type=Address.parse, default=Address.parse("127.0.0.1:0"))
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument(
        "--behaviour", type=_behaviour, default=Behaviour(), help="its fields as a JSON object"
    )
    parser.add_argument(
        "--fault", type=_fault, action="append", default=[], help="its fields as a JSON object"
    )
    parser.add_argument(
        "--unpaired", action="store_true", help="no account is linked until somebody scans its code"
    )
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end with whoever started it"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="phone: %(message)s")
    asyncio.run(_serve(options))


def _behaviour(text: str) -> Behaviour:
    return Behaviour.of(json.loads(text))


def _fault(text: str) -> Fault:
    return Fault.of(json.loads(text))


async def _serve(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    phone = Server(loop, options.ledger, options.behaviour, unpaired=options.unpaired)
    for fault in options.fault:
        phone.fate.add(fault)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if options.until_stdin_closes:
        await loop.connect_read_pipe(lambda: _Stdin(stop), sys.stdin)

    address: Address = options.listen
    if address.path:
        server = await loop.create_unix_server(lambda: Connection(phone), address.path)
    else:
        server = await loop.create_server(lambda: Connection(phone), address.host, address.port)
        address = Address(address.host, server.sockets[0].getsockname()[1])
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    await stop.wait()
    server.close()
    phone.ledger.close()


class _Stdin(asyncio.Protocol):
    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._stop.set()


if __name__ == "__main__":
    main()
