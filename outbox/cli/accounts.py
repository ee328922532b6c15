"""`outbox accounts`: which accounts there are, as whom they are paired, and where they stand."""

from dataclasses import asdict

from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.terminal import Json, out, write_json
from outbox.words import wording


def accounts(json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Show the accounts: as which number each is paired, and what its connection does."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from outbox.log.login import logins  # noqa: PLC0415

    with opened(database_url) as connection:
        found = logins(connection)
    if json:
        write_json([asdict(one) for one in found])
        return
    console = out()
    if not found:
        console.print("No account yet; pair one: outbox pair main")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for name in ("ACCOUNT", "PAIRED AS", "SINCE", "CONNECTION"):
        table.add_column(name)
    for one in found:
        words, style = wording.connection(one, one.now)
        table.add_row(
            Text(one.account),
            Text(wording.device(one.jid)),
            Text(wording.clock(one.paired_at, one.now) if one.paired_at else ""),
            Text(words, style),
        )
    console.print(table)
