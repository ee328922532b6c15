"""`outbox replay --swap`: the live projections, rebuilt by the rules that hold now."""

from __future__ import annotations

from dataclasses import asdict

from outbox.cli.opening import opened
from outbox.cli.progress import replaying
from outbox.cli.terminal import out, write_json
from outbox.words.wording import number, span


def swap(url: str | None, *, json: bool) -> None:
    """Rebuild the projections beside the live ones and put them in their place.

    Raises:
        SwapError: There was no moment for it; the projections are as they were.
    """
    from outbox.archive import file  # noqa: PLC0415
    from outbox.log import swap as swapping  # noqa: PLC0415
    from outbox.log.replay import last_position  # noqa: PLC0415

    with opened(url) as connection:
        last = last_position(connection)
        with replaying(last) as progress:
            result = swapping.swap(connection, progress, file.lines)
    if json:
        write_json({"positions": last, **asdict(result)})
        return
    out().print(
        f"The projections are rebuilt and in place: {number(last, 'position')} replayed, "
        f"{number(result.caught_up + result.at_last, 'event')} that came meanwhile caught up with. "
        f"Appending waited {span(result.paused)} at most, in try {result.tries}.",
        soft_wrap=True,
    )
