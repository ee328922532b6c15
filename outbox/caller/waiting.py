"""Waiting until a notification is sent: `send` enqueues it, commits, and looks again and again.

It looks and does not LISTEN, which no pooler in transaction mode lets through. Each look is a
transaction of its own that ends at once, and the notification does not depend on who waits for it.
So nothing is lost when the waiter gives up, dies or loses its connection: once the enqueue is
committed, errors of looking are not raised, and the result says what was seen last.

What comes next, a statement or a pause, is told by a generator; only the doing differs between a
program that is asynchronous and one that is not.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Unpack, cast

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from outbox.caller.enqueue import enqueue
from outbox.caller.executable import Executable
from outbox.errors import OutboxError, refusal
from outbox.log.database import connect

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Awaitable,
        Callable,
        Generator,
        Iterator,
        Mapping,
    )
    from typing import Self, TypeAlias
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine

    from outbox.caller.enqueue import Enqueueable
    from outbox.content import Content

    Where: TypeAlias = str | psycopg.Connection[Any] | sa.Engine
    AsyncWhere: TypeAlias = psycopg.AsyncConnection[Any] | AsyncEngine
    Row: TypeAlias = tuple[Any, ...] | None
    Steps: TypeAlias = Generator[Executable[Any] | float, Row, "Sending"]

SENT: Final = frozenset({"sent", "delivered", "read", "played"})
ENDED: Final = frozenset({"rejected", "expired", "exhausted", "cancelled"})
FIRST_PAUSE: Final = 0.005
LONGEST_PAUSE: Final = 0.25
"""Seconds between two looks; each pause is half as long again as the one before."""
