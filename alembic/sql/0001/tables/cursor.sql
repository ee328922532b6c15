-- Where each follower of the log stands: it has seen what `snapshot` sees. One that is far behind goes towards a later
-- snapshot in steps: of what that one sees it has seen what lies up to `position`, too.
create table outbox.cursor (
  consumer      text        primary key,
  epoch         integer     not null,       -- restore epoch of the snapshot; 0 sees nothing
  snapshot      pg_snapshot not null,
  towards_epoch integer,
  towards       pg_snapshot,
  position      bigint,
  moved_at      timestamptz not null default statement_timestamp(),
  check (num_nulls(towards_epoch, towards, position) in (0, 3))
) with (fillfactor = 50);
