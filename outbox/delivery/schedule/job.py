"""What a scheduled job is: a function of the worker's connection, and how often it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from outbox.log.database import Connection


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the worker; jobs take turns on one thread and one connection."""

    name: str
    seconds: float
    """From one run to the next."""
    run: Callable[[Connection], None]
    """Raises psycopg.OperationalError when the database is lost; the next run finds a new one."""
    end: Callable[[Connection], None] | None = None
    """Called when the worker stops, after the last run."""
