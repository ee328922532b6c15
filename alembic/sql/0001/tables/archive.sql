-- The months of the log that lie in an archive. Beside the log: an archive is one of its copies, and no fact. While
-- `dropped_at` is null the month is in the database, too.
create table outbox.archive (
  partition   text           primary key,      -- its table's name
  began_at    timestamptz    not null,
  ended_at    timestamptz    not null,
  events      bigint         not null,
  positions   int8multirange not null,         -- of the events
  location    text           not null,         -- the URL of the file
  size        bigint         not null,         -- of the file, in bytes
  sha256      bytea          not null,         -- of the file
  archived_at timestamptz    not null default statement_timestamp(),
  dropped_at  timestamptz
);
