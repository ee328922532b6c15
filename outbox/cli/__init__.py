"""The command line: one file a command, the heavy imports inside the command that needs them."""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process, and exit as `docs/cli.md` says."""
    from outbox.cli.app import app  # noqa: PLC0415 - whoever imports a command needs no app

    app(prog_name="outbox")
