"""Of which of the caller's spans a notification is: W3C's `traceparent`, kept in its metadata."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "traceparent"
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
"""https://www.w3.org/TR/trace-context/#traceparent-header-field-values"""


def current() -> str | None:
    """Return the traceparent of the caller's current span, or None if there is none.

    Who has not imported OpenTelemetry has no span, so it is not imported here.
    """
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def within(metadata: Mapping[str, Any], traceparent: str | None) -> dict[str, Any]:
    """Return the metadata of a notification that was enqueued within a span.

    Args:
        metadata: As the caller gave it; a traceparent of its own stays.
        traceparent: The span's. What is none is ignored, as W3C has it.
    """
    if traceparent is None or not _TRACEPARENT.fullmatch(traceparent):
        return dict(metadata)
    return {NAME: traceparent, **metadata}
