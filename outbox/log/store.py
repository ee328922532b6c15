"""whatsmeow's own tables: the logins of accounts, and the traces of what they sent.

whatsmeow makes and upgrades the tables itself, in the schema `whatsapp`, all accounts in one. The
outbox reads them, and adds one index, without which a trace would be looked for in every row.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from outbox.log.database import connect, libpq_url, query
from outbox.log.login import login_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from outbox.log.database import Connection

SCHEMA = "whatsapp"
_IDLE_MILLISECONDS = 60_000
"""Go's pool keeps a connection for ever; the server ends those that nobody uses."""
_CHECKED = ("require", "verify-ca", "verify-full")
_TLS_FILES = ("sslrootcert", "sslcert", "sslkey")


class Device(NamedTuple):
    """An account's login."""

    jid: str
    """Of the device, as whatsmeow has it: number:device@s.whatsapp.net."""
    url: str
    """Of the store, as whatsmeow reads it; a secret."""


class WhatsmeowStore:
    """The store that sessions with WhatsApp use.

    Args:
        url: A direct way to the database: whatsmeow prepares statements and sets a search path,
            neither of which gets through a pooler in transaction mode.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def device(self, account: str) -> Device | None:
        """Return the account's login; None if it has none, or WhatsApp has taken it away.

        Raises:
            ConnectionError: The database is away.
        """
        with self._connected(account) as connection:
            jid = login_of(connection, account)
            # To connect with one that whatsmeow does not have would crash the process.
            if jid is None or not is_device(connection, jid):
                return None
            _index_traces(connection)
            return Device(jid, whatsmeow_url(connection, self._url, account))

    def url(self, account: str) -> str:
        """Return the URL of the store for an account that is to be paired.

        Raises:
            ConnectionError: The database is away.
        """
        with self._connected(account) as connection:
            return whatsmeow_url(connection, self._url, account)

    def traces(self, account: str, secrets: Sequence[bytes]) -> Mapping[bytes, str]:
        """Return the message id of each secret with which a message may have left.

        Raises:
            ConnectionError: The database is away.
        """
        with self._connected(account) as connection:
            if not _exists(connection, "whatsmeow_message_secrets"):
                return {}
            return dict(connection.execute(query("traces"), {"secrets": list(secrets)}).fetchall())

    def forget_device(self, account: str) -> None:
        """Delete the account's device with all its keys, if whatsmeow has not.

        Raises:
            ConnectionError: The database is away.
        """
        with self._connected(account) as connection:
            jid = login_of(connection, account)
            if jid is not None and is_device(connection, jid):
                connection.execute("delete from whatsapp.whatsmeow_device where jid = %s", (jid,))

    @contextmanager
    def _connected(self, account: str) -> Iterator[Connection]:
        try:
            with connect(self._url, f"outbox store {account}") as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise ConnectionError(str(error).strip()) from error


def whatsmeow_url(connection: Connection, url: str, account: str) -> str:
    """Return the URL by which whatsmeow finds its tables, in the spelling of Go's driver.

    Go's lib/pq wants `postgres://`, and takes a missing sslmode for `require` where libpq takes it
    for `prefer`; so it is told what a connection of ours has found out.

    Args:
        connection: To the same database.
        url: Any spelling of its URL.
        account: Named to pg_stat_activity.
    """
    info = connection.info
    given = conninfo_to_dict(libpq_url(url))
    options = {
        "sslmode": "require" if connection.pgconn.ssl_in_use else "disable",
        **{name: str(given[name]) for name in _TLS_FILES if name in given},
        "search_path": SCHEMA,
        "idle_session_timeout": str(_IDLE_MILLISECONDS),
        "application_name": f"outbox whatsapp {account}",
        "connect_timeout": "10",
    }
    if given.get("sslmode") in _CHECKED:
        options["sslmode"] = str(given["sslmode"])
    host = f"{info.host}:{info.port}"
    if info.host.startswith("/"):
        host = ""
        options |= {"host": info.host, "port": str(info.port)}
    elif ":" in info.host:
        host = f"[{info.host}]:{info.port}"
    user = quote(info.user, safe="")
    if info.password:
        user += f":{quote(info.password, safe='')}"
    return f"postgres://{user}@{host}/{quote(info.dbname, safe='')}?{urlencode(options)}"


def _exists(connection: Connection, table: str) -> bool:
    row = connection.execute("select to_regclass(%s)", (f"{SCHEMA}.{table}",)).fetchone()
    return row is not None and row[0] is not None


def is_device(connection: Connection, jid: str) -> bool:
    """Whether whatsmeow has a device: none that WhatsApp has logged out."""
    if not _exists(connection, "whatsmeow_device"):
        return False
    row = connection.execute("select from whatsapp.whatsmeow_device where jid = %s", (jid,))
    return row.fetchone() is not None


def _index_traces(connection: Connection) -> None:
    row = connection.execute("select to_regclass('whatsapp.outbox_traces')").fetchone()
    if row is None or row[0] is None:
        # Another account's session may be making it at this moment; then it is made now.
        with suppress(psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable):
            connection.execute(
                "create index if not exists outbox_traces"
                " on whatsapp.whatsmeow_message_secrets (key)"
            )
