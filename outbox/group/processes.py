"""The processes of a group: started together, told to stop together, none outlives another.

Invariants: when one ends by itself the others are stopped and the group ends with a failure, so
that the platform starts all of it anew; whoever does not stop within the grace is killed; a member
whose group was killed finds its stdin closed and stops.

This process stays small, since it shares a dyno's memory with its members: it imports no database
and no web server.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

GRACE_SECONDS: Final = 20.0
"""From telling the members to stop until they are killed; Heroku kills everybody after 30."""

_LOOK_SECONDS: Final = 0.5

Members = dict[str, subprocess.Popen[bytes]]


def run_group(commands: Mapping[str, Sequence[str]], environment: Mapping[str, str]) -> int:
    """Run until SIGTERM or SIGINT, or until a member ends by itself; return the exit code.

    Heroku sends SIGTERM to every process of a dyno, and a terminal SIGINT to every process of the
    group, so a member may be told twice (https://devcenter.heroku.com/articles/dyno-shutdown-behavior).

    Args:
        commands: The members by name, each with the arguments of its `outbox` command.
        environment: The members' environment.

    Returns:
        0 if it was told to stop and all did; what a member that ended by itself ended with, and 1
        for one that ended with 0, was killed by a signal, or did not stop.
    """
    told: SimpleQueue[str] = SimpleQueue()

    def stop(number: int, _frame: FrameType | None) -> None:
        # No more than this: what is interrupted may hold the log's lock.
        told.put(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    members = {name: _start(command, environment) for name, command in commands.items()}
    structlog.get_logger().info("started", **{name: one.pid for name, one in members.items()})
    code = _until_told(members, told)
    stopped = _stop(members)
    return code or stopped


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own program, without a shell
        [sys.executable, "-m", "outbox", *command, "--until-stdin-closes"],
        env=environment,
        stdin=subprocess.PIPE,
    )


def _until_told(members: Members, told: SimpleQueue[str]) -> int:
    """Wait until the group is told to stop, or a member has ended; return the exit code so far."""
    while True:
        try:
            # First of all: where everybody was told, a member that has ended was told as well.
            structlog.get_logger().info("stopping", signal=told.get(timeout=_LOOK_SECONDS))
        except Empty:
            for name, one in members.items():
                if one.poll() is not None:
                    structlog.get_logger().error(
                        "ended by itself", process=name, code=one.returncode
                    )
                    return max(one.returncode, 1)
        else:
            return 0


def _stop(members: Members) -> int:
    """Tell everybody to stop and see that they do; return 1 if one was killed or failed."""
    for one in members.values():
        one.terminate()
    until = time.monotonic() + GRACE_SECONDS
    for name, one in members.items():
        try:
            one.wait(max(until - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            structlog.get_logger().error("did not stop, and was killed", process=name)
            one.kill()
            one.wait()
        if one.stdin is not None:
            one.stdin.close()
    structlog.get_logger().info("stopped")
    # One that was told before it could listen is gone by the signal itself.
    return int(any(one.returncode not in {0, -signal.SIGTERM} for one in members.values()))
