-- Tamper evidence: a digest over every event that nothing can overtake any more, chained to the one before it. A row a
-- minute at most, written by outbox.log.seal alone, which says what is digested; outbox.log.verify recomputes it.
create table outbox.seal (
  number    bigint         primary key,      -- 1, 2, 3 …
  epoch     integer        not null,         -- the restore epoch in which it was made
  sealed_at timestamptz    not null,
  positions int8multirange not null,         -- of the events under it
  events    integer        not null,         -- how many
  marks     bytea          not null,         -- the first eight bytes of each one's digest, so that a change has a name
  digest    bytea          not null
);
-- Digests, unlike positions, do not compress.
alter table outbox.seal alter column marks set storage external;
