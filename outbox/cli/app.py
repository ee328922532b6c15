"""The application: every command, under its heading, and one place where all of them end."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from outbox.cli import (
    accounts,
    archive,
    bench,
    cancel,
    demo,
    doctor,
    enqueue,
    export,
    forget,
    list,  # noqa: A004 - it is the command's name
    migrate,
    pair,
    phone,
    postgres,
    replay,
    requeue,
    resume,
    run,
    show,
    status,
    suppress,
    tail,
    token,
    top,
    verify,
    web,
    webhook,
    worker,
)
from outbox.cli.exits import ExitCode, ending, wants_traceback
from outbox.cli.terminal import complain

SEND, WATCH, MEND, RUN, TRY = "Send", "Watch", "Mend", "Run", "Try out"


class Commands(TyperGroup):
    """The commands; whatever one of them raises becomes a sentence and an exit code here."""

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 - what typer passes on
        """Run a command and exit with its code."""
        try:
            code = super().main(*args, **extra | {"standalone_mode": False})
        except typer.Abort:
            code = ExitCode.INTERRUPTED
        except typer.Exit as end:
            code = end.exit_code
        except Exception as error:
            if wants_traceback():
                raise
            code = _explain(error)
        sys.exit(int(code or 0))

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's context is its own copy of click's
        """Run the command that the context names, whether or not somebody reads what it says."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            # Keep the interpreter from flushing the rest into it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.BROKEN_PIPE) from None
        return result


def _explain(error: Exception) -> ExitCode:
    """Say on stderr what went wrong, in one sentence with the way out."""
    usage = getattr(error, "format_message", None)
    if usage is not None:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "outbox"
        sentence = usage().removeprefix("Invalid value: ").rstrip(".")
        complain(f"{sentence}; see: {command} --help")
        return ExitCode.USAGE
    code, sentence = ending(error)
    complain(sentence)
    return code


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A notification outbox for WhatsApp, event-sourced on PostgreSQL.",
)

for _name, _command, _heading in (
    ("enqueue", enqueue.enqueue, SEND),
    ("status", status.status, WATCH),
    ("list", list.list_, WATCH),
    ("show", show.show, WATCH),
    ("tail", tail.tail, WATCH),
    ("top", top.top, WATCH),
    ("doctor", doctor.doctor, WATCH),
    ("verify", verify.verify, WATCH),
    ("replay", replay.replay, WATCH),
    ("cancel", cancel.cancel, MEND),
    ("requeue", requeue.requeue, MEND),
    ("resume", resume.resume, MEND),
    ("suppress", suppress.suppress, MEND),
    ("unsuppress", suppress.unsuppress, MEND),
    ("suppressed", suppress.suppressed, WATCH),
    ("forget", forget.forget, MEND),
    ("export", export.export, WATCH),
    ("migrate", migrate.migrate, RUN),
    ("accounts", accounts.accounts, RUN),
    ("pair", pair.pair, RUN),
    ("unpair", pair.unpair, RUN),
    ("worker", worker.worker, RUN),
    ("web", web.web, RUN),
    ("run", run.run, RUN),
    ("demo", demo.demo, TRY),
    ("phone", phone.phone, TRY),
    ("bench", bench.bench, TRY),
):
    app.command(_name, rich_help_panel=_heading)(_command)
app.add_typer(token.token, name="token", rich_help_panel=RUN)
app.add_typer(webhook.webhook, name="webhook", rich_help_panel=RUN)
app.add_typer(archive.archive, name="archive", rich_help_panel=RUN)
app.add_typer(postgres.postgres, name="postgres", rich_help_panel=RUN)
