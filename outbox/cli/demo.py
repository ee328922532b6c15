"""`outbox demo`: the outbox at work, without WhatsApp."""

import importlib
from typing import Any

from outbox.cli.bench import server_url
from outbox.cli.exits import ExitCode, Failure
from outbox.cli.opening import DatabaseUrl
from outbox.cli.terminal import Json


def demo(json: Json = False, database_url: DatabaseUrl = None) -> None:
    """Show the outbox at work, without WhatsApp: lost connections, killed workers, nothing lost."""
    try:
        played: Any = importlib.import_module("outbox.demo")
    except ModuleNotFoundError as error:
        if error.name != "outbox.demo":
            raise
        raise Failure(ExitCode.USAGE, "This release comes without the demo") from None
    with server_url(database_url) as url:
        played.run(url, json=json)
