-- Projection: where each account's connection stands. Written by outbox.project_connection alone.
create table outbox.connection (
  account      text        primary key,
  stream       uuid        not null unique,
  version      integer     not null,
  state        text        not null,
  epoch        bigint      not null default 0,
  failures     integer     not null default 0,     -- connections that ended or failed since the last one that stood
  reconnect_at timestamptz,
  connected_at timestamptz,
  changed_at   timestamptz not null,
  reason       text
);
