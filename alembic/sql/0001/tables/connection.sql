-- Projection: where each account's connection stands. Written by outbox.project_connection alone.
create table outbox.connection (
  account         text        primary key,
  stream          uuid        not null unique,
  version         integer     not null,
  state           text        not null,
  epoch           bigint      not null default 0,
  failures        integer     not null default 0,     -- connections that ended or failed since the last one that stood
  reconnect_at    timestamptz,
  connected_at    timestamptz,
  changed_at      timestamptz not null,
  reason          text,
  bucket_full_at  timestamptz,                        -- paced sessions: when as many as `burst` may go at once again
  throttles       integer     not null default 0,     -- in a row (outbox.record_outcomes)
  throttled_until timestamptz,                        -- nothing is sent before
  strangers_after timestamptz,                        -- nobody is written to for the first time before
  lacks_ffmpeg    boolean     not null default false  -- the owner's worker cannot convert sound
);
