-- One row for each time that this database's life began: at its creation, and after every logical restore.
-- A logical restore (pg_dump, a copy between plans) starts the server's transaction ids again while the log keeps the
-- old ones, so a snapshot taken before it says nothing about what comes after. The row remembers the id of the
-- transaction that wrote it; a restored row has been written again by another one, which is how a restore is noticed.
create table outbox.restore_epoch (
  epoch            integer     primary key,
  restored_through bigint      not null,      -- events up to this position came with the restore
  xid              xid8        not null default pg_current_xact_id(),
  began_at         timestamptz not null default statement_timestamp()
);
