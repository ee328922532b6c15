"""The outbox: log, projections, queue and delivery."""

from alembic import op

from outbox.log.migrate import execute_files

revision = "0001"
down_revision = None

FILES = (
    "tables/restore_epoch",
    "tables/event",
    "tables/notification",
    "tables/recipient",
    "tables/connection",
    "tables/suppression",
    "tables/lease",
    "tables/login",
    "tables/policy",
    "tables/identity",
    "tables/content",
    "tables/media",
    "tables/idempotency",
    "tables/cursor",
    "tables/token",
    "tables/webhook",
    # what refuses
    "functions/refusals",
    "functions/refuse",
    "functions/refuse_change",
    # the projections
    "functions/connection_types",
    "functions/connection_stream",
    "functions/recipient_types",
    "functions/recipient_stream",
    "functions/next_connection_state",
    "aggregates/last_connection_state",
    "functions/project_connection",
    "functions/project_notification",
    "functions/project_recipient",
    "triggers/event",
    # the log's upkeep
    "functions/prepare_partition",
    "functions/attach_partition",
    "functions/create_partition",
    "functions/create_partitions",
    "functions/begin_epoch",
    "functions/current_snapshot",
    # seals
    "tables/seal",
    "triggers/seal",
    "functions/event_line",
    "functions/event_digests",
    "functions/unseen",
    # archives
    "tables/archive",
    "functions/events_of",
    "functions/archivable",
    "functions/drop_partition",
    # what may be enqueued
    "functions/jid",
    "functions/is_blank",
    "functions/is_emoji",
    "functions/is_user",
    "functions/is_reference",
    "functions/content_fields",
    "functions/content_required",
    "functions/poll_problem",
    "functions/album_problem",
    "functions/context_problem",
    "functions/content_problem",
    "functions/describe_content",
    "functions/media_limit",
    "functions/media_fits",
    "functions/content_media",
    "functions/album_media_problem",
    "functions/media_problem",
    "functions/option_problem",
    "functions/option_mistyped",
    "functions/names_number",
    "functions/refused_value",
    # enqueue
    "functions/uuid7",
    "functions/policy_of",
    "functions/wake",
    "functions/store_media",
    "functions/hold_media",
    "functions/suppressed_because",
    "functions/same_content",
    "functions/enqueue",
    "functions/enqueue_batch",
    "functions/cancel",
    "functions/requeue",
    # the account's owner
    "functions/retry_delay",
    "functions/append_connection",
    "functions/check_epoch",
    "functions/rescue_leases",
    "functions/acquire_lease",
    "functions/want_lease",
    "functions/renew_lease",
    "functions/release_lease",
    "functions/park",
    "functions/record_transition",
    "functions/resume",
    # delivery
    "functions/resolve_references",
    "functions/is_person",
    "functions/first_contacts",
    "functions/gate",
    "functions/pace",
    "functions/cancel_suppressed",
    "functions/start_attempts",
    "functions/record_outcomes",
    "functions/exchange",
    "functions/record_receipts",
    "functions/is_traceable",
    "functions/settle_unconfirmed",
    "functions/expire",
    # personal data
    "functions/person",
    "functions/withdraw",
    "functions/suppress",
    "functions/unsuppress",
    "functions/record_consent",
    "functions/whatsapp_rows",
    "functions/erase_media",
    "functions/erase_bodies",
    "functions/forget",
    # replay
    "functions/begin_replay",
    "functions/replay",
    "functions/replay_lines",
    "functions/replay_stream",
    "functions/replay_since",
    "functions/finish_replay",
    "functions/swap_replay",
    "functions/replays",
    "functions/replay_differences",
    # roles
    "functions/grant_roles",
    # audit
    "views/event",
    "views/account",
    "views/identity",
    "views/lease",
    "functions/doer_kind",
    "functions/doer_key",
    "views/deed",
    "functions/timeline",
    "functions/attempts",
    "functions/attempts_to",
    "functions/connection_history",
    "functions/downtime",
    "functions/id_after",
    "functions/waiting",
    "functions/held_up",
    "functions/outages",
    "functions/duplicates",
    "functions/latency",
    "functions/normalised",
    "functions/dead_letters",
    "functions/deeds",
)


def upgrade() -> None:
    op.execute("create schema outbox")
    op.execute("create schema whatsapp")  # whatsmeow makes its own tables there
    op.execute("create schema audit")  # apart, so that an auditor can be let into it alone
    execute_files(op.get_bind(), "0001", FILES)
    op.execute("select outbox.create_partitions()")
    op.execute("select outbox.grant_roles()")
    op.execute("insert into outbox.restore_epoch (epoch, restored_through) values (1, 0)")


def downgrade() -> None:
    op.execute("drop schema audit cascade")
    op.execute("drop schema outbox cascade")
    op.execute("drop schema whatsapp cascade")
