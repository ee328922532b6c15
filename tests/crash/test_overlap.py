"""Heroku's overlap: the new dynos run before the old ones are gone, web and worker alike.

It prints how long the handover took, from SIGTERM to the next worker's first frame: `-s` shows it.
"""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from outbox.log import tokens
from tests.crash.stage import SimulatedStage
from tests.crash.verdict import judge
from tests.running import PATIENCE, Running, until

_COUNT = 600


@pytest.fixture
def dynos(stage: SimulatedStage, tmp_path: Path) -> Iterator[dict[str, Running]]:
    """Two of web and two of worker, as releases follow one another, with the settings' defaults."""
    environment = {
        "DATABASE_URL": stage.url,
        "OUTBOX_ACCOUNTS": stage.account,
        "OUTBOX_WEB_REQUESTS_A_MINUTE": "100000",
        **stage.session(),
    }
    commands = {"web": ["web", "--port", "0"], "worker": ["worker"]}
    running = {
        f"{name}.{number}": Running(tmp_path / f"{name}.{number}.log", command, environment)
        for number in (1, 2)
        for name, command in commands.items()
    }
    yield running
    for one in running.values():
        one.end()


def test_an_overlap_loses_and_doubles_nothing(
    stage: SimulatedStage, dynos: dict[str, Running]
) -> None:
    """One web and the worker that sends are told to stop; callers turn to the other web.

    The account is given back, not waited for: no lease runs out.
    """
    secret = tokens.create(stage.database, "shop", ["enqueue"]).secret
    bases = [
        "http://127.0.0.1:" + dynos[name].wait_for(r"event=started host=\S+ port=(\d+)")[1]
        for name in ("web.1", "web.2")
    ]
    headers = {"Authorization": f"Bearer {secret}"}

    def enqueue(number: int) -> UUID:
        """As a careful caller does: an answer that does not come is asked for again, by its key."""
        given = {"recipient": f"+4477009{number % 100:05d}", "text": f"order {number} shipped"}
        key = {"Idempotency-Key": f"order {number}"}
        deadline = time.monotonic() + PATIENCE
        for turn in range(number, 1_000_000):
            try:
                answer = client.post(
                    f"{bases[turn % 2]}/v1/notifications",
                    params={"account": stage.account},
                    json=given,
                    headers=key,
                )
            except httpx2.TransportError:
                assert time.monotonic() < deadline
                continue
            assert answer.status_code == 202, answer.text
            return UUID(answer.json()["id"])
        raise AssertionError("unreachable")

    workers = {name: dynos[name] for name in ("worker.1", "worker.2")}
    for worker in workers.values():
        worker.wait_for("event=started")
    until(lambda: any("owns the account" in one.said for one in workers.values()), "one owns it")
    (old,) = [name for name, one in workers.items() if "owns the account" in one.said]
    (new,) = workers.keys() - {old}
    with (
        httpx2.Client(headers=headers, timeout=PATIENCE) as client,
        ThreadPoolExecutor(8) as callers,
    ):
        asked = [callers.submit(enqueue, number) for number in range(_COUNT)]
        stage.until(lambda: stage.count("sent", "delivered") > _COUNT // 10, "it is in the middle")
        told = datetime.now(UTC)
        for name in (old, "web.1"):
            dynos[name].process.send_signal(signal.SIGTERM)
        assert not all(one.done() for one in asked)
        stage.accepted += [one.result() for one in asked]
    for name in (old, "web.1"):
        assert dynos[name].process.wait(PATIENCE) == 0, dynos[name].said
    stage.settled()
    for name in (new, "web.2"):
        dynos[name].process.send_signal(signal.SIGTERM)
        assert dynos[name].process.wait(PATIENCE) == 0, dynos[name].said
    verdict = judge(stage)
    assert not verdict.breaches
    assert (verdict.accepted, verdict.delivered, verdict.doubled) == (_COUNT, _COUNT, 0)
    leases = stage.database.execute(
        "select type, (data ->> 'epoch')::bigint, recorded_at from outbox.event"
        " where type like 'lease%' order by position"
    ).fetchall()
    assert [(kind, epoch) for kind, epoch, _ in leases] == [
        *(("lease_acquired", 1), ("lease_released", 1)),
        *(("lease_acquired", 2), ("lease_released", 2)),
    ]
    _tell(stage, told, leases[2][2])


def _tell(stage: SimulatedStage, told: datetime, taken: datetime) -> None:
    before = [one.received_at for one in stage.frames() if one.received_at < taken]
    after = [one.received_at for one in stage.frames() if one.received_at >= taken]
    print(  # noqa: T201 - a figure to be read
        f"\n{len(before)} frames of the old worker, {len(after)} of the new; from SIGTERM to the "
        f"new one's first frame {(min(after) - told).total_seconds():.2f} s"
    )
