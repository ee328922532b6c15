-- The log: every fact is one row, named in the past tense, never updated, never deleted.
-- Partitioned by month; a partition is made by outbox.create_partition, with its guard.
create sequence outbox.event_position as bigint;

create table outbox.event (
  position    bigint      not null default nextval('outbox.event_position'),
  xid         xid8        not null default pg_current_xact_id(),
  recorded_at timestamptz not null default clock_timestamp(),  -- grows within a stream
  account     text        not null,
  stream      uuid        not null,           -- a notification, an account's connection, or a recipient
  version     integer     not null,           -- 1, 2, 3 … within the stream
  type        text        not null,
  data        jsonb       not null default '{}',
  metadata    jsonb       not null default '{}'
) partition by range (recorded_at);

alter sequence outbox.event_position owned by outbox.event.position;

-- A stream. Not unique: that no version comes twice is the projections' doing, which refuse it with version_conflict when
-- they have waited for the other writer; the index would come before them, with an error that does not say what to do.
create index event_stream on outbox.event (stream, version);

-- Followers: what has come since a snapshot is found by transaction id. By nothing else, so that the many events of one
-- transaction share an entry.
create index event_xid on outbox.event (xid);

-- An account's owner follows only what adds to its queue.
create index event_arrival on outbox.event (account, xid) where type in ('enqueued', 'requeued');

-- Replay and seals read by ranges of positions, what happened of late by ranges of time: both lie where they were written.
create index event_range on outbox.event using brin (position, recorded_at) with (pages_per_range = 32, autosummarize = on);

-- Which ranges of the log speak of old notifications (ids begin with the time): what an outage held up is looked for
-- there and not in all that came since (audit.held_up). Summarised when a range is full, so an append does next to nothing.
create index event_age on outbox.event using brin (stream uuid_minmax_multi_ops) with (pages_per_range = 32, autosummarize = on);

-- The notifications of a recipient. On the log, where a row is indexed once, and not on the projection, where it would
-- be again with every change of state.
create index event_recipient on outbox.event ((data->>'recipient')) where type = 'enqueued';
