"""`outbox resume`: let an account connect again."""

from typing import Annotated

import typer

from outbox.cli.opening import DatabaseUrl, opened
from outbox.cli.person import person
from outbox.cli.terminal import Json, out, write_json


def resume(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its name.")],
    json: Json = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Let an account that was halted, banned or waits connect again now."""
    from outbox.log import notifications  # noqa: PLC0415

    with opened(database_url) as connection:
        notifications.resume(connection, account, person())
    if json:
        write_json({"resumed": account})
    else:
        out().print(f"{account} connects again as soon as a worker owns it; look: outbox status")
