-- Which notification a caller's key stands for. Beside the log, so that a key can be erased.
create table outbox.idempotency (
  account      text  not null,
  key          text  not null,
  notification uuid  not null,
  recipient    uuid  not null,
  content      bytea not null,
  primary key (account, key)
);
