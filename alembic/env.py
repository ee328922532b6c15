"""Runs the migrations: on the connection that outbox.log.migrate hands over, or on DATABASE_URL."""

import os

from alembic import context

from outbox.log.database import engine
from outbox.log.migrate import VERSION_TABLE, hold_migration_lock


def run() -> None:
    """Migrate in one transaction, one migrator at a time."""
    connectable = context.config.attributes.get("engine") or engine(os.environ["DATABASE_URL"])
    with connectable.connect() as connection:
        context.configure(connection=connection, version_table=VERSION_TABLE)
        with context.begin_transaction():
            hold_migration_lock(connection)
            context.run_migrations()


run()
