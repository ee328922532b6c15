"""Brings a database to a revision: alembic's migrations, made of SQL files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from outbox.log.database import engine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alembic.config import Config
    from sqlalchemy import Connection

VERSION_TABLE = "outbox_version"
"""Beside the schema, so that it survives a downgrade, and apart from the application's own."""

_PACKAGE = Path(__file__).resolve().parents[1]


def script_location() -> Path:
    """Return the folder of the migrations: in an installed package, or at the checkout's root."""
    installed = _PACKAGE / "migrations"
    return installed if installed.is_dir() else _PACKAGE.parent / "alembic"


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database up to a revision; does nothing if it is there already."""
    from alembic import command  # noqa: PLC0415  # a worker has no use for it

    command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Migrate the database down to a revision; `base` removes the outbox and all that it holds."""
    from alembic import command  # noqa: PLC0415

    command.downgrade(_config(url), revision)


def hold_migration_lock(connection: Connection) -> None:
    """Let one migrator run at a time: two releases may start at once."""
    connection.exec_driver_sql("select pg_advisory_xact_lock(hashtext('outbox migration'))")


def execute_files(connection: Connection, revision: str, names: Iterable[str]) -> None:
    """Run SQL files of a revision as they are, in this order."""
    folder = script_location() / "sql" / revision
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection to the database")
    for name in names:
        driver.execute((folder / f"{name}.sql").read_text("utf-8"))


def _config(url: str) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(script_location()).replace("%", "%%"))
    config.attributes["engine"] = engine(url)
    return config
