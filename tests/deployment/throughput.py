"""How much of the database's own speed is left when notifications come by HTTP.

`python -m tests.deployment.throughput [SECONDS [ROUNDS]]` lets sixteen connections call
`outbox.enqueue` and sixteen POST to one `outbox web`, one request at a time each, by turns on the
same database, then one connection of each kind batches of a thousand, and prints as JSON what each
came to a second and the ratios of each round. The clients are as bare as Python lets them be.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psycopg

from outbox.log import tokens
from outbox.log.migrate import upgrade
from tests.databases import database, embedded_server
from tests.running import Running

if TYPE_CHECKING:
    from collections.abc import Callable

_CONNECTIONS = 16
_BATCH = 1000


def main(seconds: int = 5, rounds: int = 5) -> None:
    """Measure, and print what came out."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = os.environ.get("DATABASE_URL") or stack.enter_context(embedded_server())
        url = stack.enter_context(database(postgres, "throughput"))
        upgrade(url)
        with psycopg.connect(url, autocommit=True) as connection:
            secret = tokens.create(connection, "load", ["enqueue"]).secret
        limit = {"OUTBOX_WEB_REQUESTS_A_MINUTE": "100000000", "OUTBOX_LOG_LEVEL": "warning"}
        web = Running(
            folder / "log", ["web", "--port", str(_free())], {"DATABASE_URL": url, **limit}
        )
        stack.callback(web.end)
        port = _port(web)
        found = []
        for _ in range(rounds):
            single = {
                "sql": _rate(lambda: _sql(url, 1), seconds, _CONNECTIONS),
                "http": _rate(lambda: _http(port, secret, 1), seconds, _CONNECTIONS),
            }
            batch = {
                "sql": _BATCH * _rate(lambda: _sql(url, _BATCH), seconds, 1),
                "http": _BATCH * _rate(lambda: _http(port, secret, _BATCH), seconds, 1),
            }
            found.append({"single": single, "batch": batch})
    summary = {
        kind: {
            "sql": round(median(one[kind]["sql"] for one in found)),
            "http": round(median(one[kind]["http"] for one in found)),
            "ratios": [round(one[kind]["http"] / one[kind]["sql"], 3) for one in found],
            "ratio": round(median(one[kind]["http"] / one[kind]["sql"] for one in found), 3),
        }
        for kind in ("single", "batch")
    }
    print(json.dumps(summary, indent=2))  # noqa: T201  # it is a program


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
        return number


def _port(web: Running) -> int:
    port = int(web.process.args[-1])  # type: ignore[index, arg-type]
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return port


def _rate(make: Callable[[], Callable[[], None]], seconds: int, connections: int) -> float:
    """Return how many calls a second so many threads make, each with a client of its own."""
    calls = [make() for _ in range(connections)]
    for call in calls:
        call()
    counts = [0] * connections
    until = time.monotonic() + seconds

    def repeat(nth: int) -> None:
        while time.monotonic() < until:
            calls[nth]()
            counts[nth] += 1

    begun = time.monotonic()
    with ThreadPoolExecutor(connections) as threads:
        list(threads.map(repeat, range(connections)))  # what one has raised is raised here
    return sum(counts) / (time.monotonic() - begun)


def _item(number: int) -> dict[str, object]:
    return {"recipient": f"+4477009{number % 2000:05d}", "text": f"order {number} shipped"}


def _sql(url: str, size: int) -> Callable[[], None]:
    connection = psycopg.connect(url, autocommit=True, prepare_threshold=1)
    if size == 1:
        content = '{"kind": "text", "text": "order 1 shipped"}'
        numbers = iter(range(1 << 60))

        def one() -> None:
            to = f"+4477009{next(numbers) % 2000:05d}"
            connection.execute("select outbox.enqueue(%s, %s::jsonb)", (to, content)).fetchone()

        return one
    rows = [
        {"recipient": one["recipient"], "content": {"kind": "text", "text": one["text"]}}
        for one in map(_item, range(size))
    ]
    text = json.dumps(rows)

    def many() -> None:
        connection.execute("select id from outbox.enqueue_batch(%s::jsonb)", (text,)).fetchall()

    return many


def _http(port: int, secret: str, size: int) -> Callable[[], None]:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    numbers = iter(range(1 << 60))
    whole = json.dumps([*map(_item, range(size))]).encode()

    def post() -> None:
        body = json.dumps(_item(next(numbers))).encode() if size == 1 else whole
        head = (
            "POST /v1/notifications HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
            f"\r\nAuthorization: Bearer {secret}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += received()
        said, _, rest = answer.partition(b"\r\n\r\n")
        if b" 202 " not in said.splitlines()[0]:
            raise RuntimeError(answer.decode())
        length = next(
            int(line.split(b":")[1])
            for line in said.splitlines()
            if line.lower().startswith(b"content-length")
        )
        left = length - len(rest)
        while left > 0:
            left -= len(received())

    def received() -> bytes:
        some = connection.recv(1 << 20)
        if not some:
            raise ConnectionError("outbox web has closed the connection in the middle")
        return some

    return post


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
