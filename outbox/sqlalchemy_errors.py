"""Refusals through SQLAlchemy: importing this module makes every engine raise them unwrapped.

SQLAlchemy wraps what the driver raises into its own classes, and with them a refusal's rule and
hint would be one attribute further away and its class lost. A session in the middle of a refused
transaction has to be rolled back as after any other error.

This holds for the psycopg driver, sync and async; other drivers do not raise our classes.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from sqlalchemy import Engine, event

from outbox.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy.engine import ExceptionContext


@event.listens_for(Engine, "handle_error")
def _unwrap(context: ExceptionContext) -> Refused | None:
    """Replace the wrapper by the refusal; an AsyncEngine's errors come through its sync engine.

    It is a copy, since SQLAlchemy raises it from the driver's exception, and an exception that is
    its own cause sends whoever follows the causes in circles.
    """
    original = context.original_exception
    return copy.copy(original) if isinstance(original, Refused) else None
