"""What the environment says, as the commands that need it take it: settings, sessions, logins."""

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from outbox.cli.exits import ExitCode, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outbox.log.store import WhatsmeowStore
    from outbox.session.consent import Words
    from outbox.session.linking import Linking
    from outbox.session.port import OpenSession
    from outbox.settings import Settings


def read_settings(**given: Any) -> "Settings":  # noqa: ANN401 - of any type that a setting has
    """Return the settings of the environment, overridden by what the command line gave.

    Raises:
        Failure: The environment says something that cannot be.
    """
    from pydantic import ValidationError  # noqa: PLC0415

    from outbox.settings import Settings  # noqa: PLC0415

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False)[0]
        name = str(wrong["loc"][0]) if wrong["loc"] else "the settings"
        variable = name if name.isupper() else f"OUTBOX_{name.upper()}"
        value = "what it is" if name == "secret" else repr(wrong["input"])
        why = wrong["msg"].removeprefix("Value error, ")
        raise Failure(
            ExitCode.USAGE, f"{variable} cannot be {value}: {why}; see docs/settings.md"
        ) from None


@contextmanager
def sessions(settings: "Settings") -> "Iterator[OpenSession]":
    """Hand out what opens sessions, with a phone of this process's own if the settings want one.

    `simulated:` without an address wants one: where nobody can run a phone beside the worker, and
    what it received is forgotten with it.

    Raises:
        Failure: There are no such sessions.
    """
    if not wants_phone(settings):
        yield opener(settings)
        return
    from outbox.session.phone import Behaviour, Phone  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="outbox-phone-") as folder:
        behaviour = Behaviour(latency=0.2, delivered=1.0)
        with Phone.start(Path(folder), behaviour=behaviour) as phone:
            query = urlsplit(settings.session).query
            url = f"{phone.url}?{query}" if query else phone.url
            yield opener(settings.model_copy(update={"session": url}))


def wants_phone(settings: "Settings") -> bool:
    """Return whether a worker with these settings starts a simulated phone of its own."""
    return settings.session.partition("?")[0] == "simulated:"


def opener(settings: "Settings") -> "OpenSession":
    """Return what opens sessions at the URL that the settings name.

    Raises:
        Failure: There are no such sessions.
    """
    url, words = settings.session, _words(settings)
    try:
        if url.startswith("simulated:"):
            from outbox.session.simulated import open_simulated  # noqa: PLC0415

            return open_simulated(url, words)
        if url.startswith("whatsapp:"):
            from outbox.session.whatsapp.session import open_whatsapp  # noqa: PLC0415

            return open_whatsapp(url, store(settings), words=words)
    except ValueError as error:
        raise Failure(ExitCode.USAGE, f"OUTBOX_SESSION: {error}") from None
    raise _no_session(url)


def linking(settings: "Settings") -> "Linking":
    """Return what links accounts with phones for the sessions that the settings name.

    Raises:
        Failure: They have none.
    """
    url = settings.session
    if wants_phone(settings):
        raise Failure(
            ExitCode.USAGE,
            "OUTBOX_SESSION=simulated: is a phone of the worker's own, whose accounts need no "
            "pairing; for one that has to be paired run: outbox phone --unpaired",
        )
    try:
        if url.startswith("simulated:"):
            from outbox.session.simulated_linking import SimulatedLinking  # noqa: PLC0415

            return SimulatedLinking(url)
        if url.startswith("whatsapp:"):
            from outbox.session.whatsapp.linking import WhatsappLinking  # noqa: PLC0415

            return WhatsappLinking(store(settings))
    except ValueError as error:
        raise Failure(ExitCode.USAGE, f"OUTBOX_SESSION: {error}") from None
    raise _no_session(url)


def _words(settings: "Settings") -> "Words":
    from outbox.session.consent import IN, OUT, Words  # noqa: PLC0415

    opt_out, opt_in = settings.opt_out_words, settings.opt_in_words
    try:
        return Words(OUT if opt_out is None else opt_out, IN if opt_in is None else opt_in)
    except ValueError as error:
        raise Failure(
            ExitCode.USAGE, f"OUTBOX_OPT_OUT_WORDS and OUTBOX_OPT_IN_WORDS: {error}"
        ) from None


def _no_session(url: str) -> Failure:
    return Failure(
        ExitCode.USAGE,
        f"There is no session for {url}: set OUTBOX_SESSION=whatsapp:, or to try without WhatsApp "
        f"OUTBOX_SESSION=simulated:",
    )


def store(settings: "Settings") -> "WhatsmeowStore":
    """Return the store of logins.

    Raises:
        Failure: It cannot be reached directly.
    """
    from outbox.log.store import WhatsmeowStore  # noqa: PLC0415

    if settings.direct_url is None:
        raise Failure(
            ExitCode.USAGE,
            "OUTBOX_POOLED says that DATABASE_URL leads through a pooler, which whatsmeow cannot "
            "use: set OUTBOX_LISTEN_URL to a direct way to the database",
        )
    return WhatsmeowStore(settings.direct_url)
