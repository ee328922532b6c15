-- Media by digest, beside the log: stored once however many recipients.
create table outbox.media (
  digest    bytea       primary key,
  mime      text        not null,
  size      bigint      not null,
  data      bytea       not null,
  stored_at timestamptz not null default statement_timestamp()
);
-- Images and the like are compressed already: to try again costs time and saves nothing.
alter table outbox.media alter column data set storage external;
