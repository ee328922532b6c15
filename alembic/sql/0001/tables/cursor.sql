-- Where each follower of the log stands: it has seen exactly what this snapshot sees.
create table outbox.cursor (
  consumer text        primary key,
  epoch    integer     not null,
  snapshot pg_snapshot not null,
  moved_at timestamptz not null default statement_timestamp()
) with (fillfactor = 50);
