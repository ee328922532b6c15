"""The outbox: log, projections, queue and delivery."""

from alembic import op

from outbox.log.migrate import statements

revision = "0001"
down_revision = None

OBJECTS = (
    "tables/restore_epoch",
    "tables/event",
    "tables/rule",
    "tables/notification",
    "tables/recipient",
    "tables/connection",
    "tables/lease",
    "tables/policy",
    "tables/identity",
    "tables/content",
    "tables/media",
    "tables/idempotency",
    "tables/cursor",
)
