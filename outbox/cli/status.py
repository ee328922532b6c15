"""`outbox status`: the state of everything at a glance."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.terminal import Json, out, write_json
from outbox.words import wording
from outbox.words.attention import attention

if TYPE_CHECKING:
    from datetime import datetime

    from rich.table import Table

    from outbox.log.overview import Account, Overview


def status(json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Show accounts, who owns them, their queues and dead letters, and what needs attention."""
    from outbox.log.overview import overview  # noqa: PLC0415

    with opened(database_url) as connection:
        found = overview(connection)
    warnings = attention(found)
    if json:
        write_json(_document(found, warnings))
        return
    console = out()
    if found.accounts:
        console.print(_table(found))
    else:
        console.print("No account yet: enqueue a notification, or start a worker.")
    console.print(_footer(found), style="dim")
    for warning in warnings:
        console.print(f"[yellow]![/yellow] {warning}", soft_wrap=True)


def _table(found: "Overview") -> "Table":
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    now = found.database.now
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    table.add_column("ACCOUNT", no_wrap=True)
    table.add_column("CONNECTION AND OWNER", ratio=3)
    table.add_column("QUEUE", ratio=2)
    table.add_column("ENDED WITHOUT SUCCESS", ratio=1)
    for one in found.accounts:
        words, style = wording.connection(one, now)
        table.add_row(
            Text(one.account, style="bold"),
            Text.assemble((words, style), f"\n{_owner(one, now)}"),
            _queue(one, now),
            _dead(one),
        )
    return table


def _owner(one: "Account", now: "datetime") -> str:
    if one.owner is None or one.lease_until is None:
        return "no worker owns it"
    who = wording.worker(one.worker) or str(one.owner)
    if one.lapsed:
        return f"{who}: lease lapsed {wording.ago(one.lease_until, now)} ago"
    return f"{who}, epoch {one.epoch}, lease until {wording.when(one.lease_until, now)}"


def _queue(one: "Account", now: "datetime") -> str:
    counts = [
        f"{count:,} {name}"
        for name, count in (
            ("pending", one.pending),
            ("sending", one.sending),
            ("unknown", one.unknown),
        )
        if count
    ]
    lines = [", ".join(counts) or "empty"]
    if one.oldest:
        lines.append(f"oldest {wording.ago(one.oldest, now)}")
    if one.next_due_at:
        lines.append(f"next due {wording.when(one.next_due_at, now)}")
    if one.waiting_recipients:
        lines.append(f"{wording.number(one.waiting_recipients, 'recipient')} waiting for a retry")
    lines += wording.pace(one, now)
    lines.append(f"last sent {wording.when(one.last_sent_at, now)}" if one.last_sent_at else "")
    return "\n".join(line for line in lines if line)


def _dead(one: "Account") -> str:
    return "\n".join(f"{count:,} {state}" for state, count in sorted(one.dead.items())) or "none"


def _footer(found: "Overview") -> str:
    database = found.database
    until = database.partitions_until
    ahead = f"log has partitions until {until:%Y-%m-%d}" if until else "log has no partition"
    return (
        f"{database.database}, PostgreSQL {database.server_version}; {ahead}; "
        f"restore epoch {database.restore_epoch} since {database.restored_at:%Y-%m-%d}"
    )


def _document(found: "Overview", warnings: list[str]) -> dict[str, Any]:
    return {
        "database": asdict(found.database),
        "accounts": [asdict(one) | {"owned": one.owned} for one in found.accounts],
        "attention": warnings,
    }
