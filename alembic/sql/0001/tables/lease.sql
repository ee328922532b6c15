-- Who owns an account. Beside the log: renewing a lease is not a fact, taking and losing one are events.
-- The database's clock is the only clock, and the epoch fences: it grows with every change of owner, and whoever
-- carries an older one is refused.
create table outbox.lease (
  account      text        primary key,
  owner        uuid,                                -- null: free
  epoch        bigint      not null default 0,
  until        timestamptz not null default '-infinity',
  wake         boolean     not null default false,  -- the owner is parked: tell it of new notifications
  pairing      boolean     not null default false,  -- the owner pairs or unpairs the account: nobody takes it over
  wanted_until timestamptz not null default '-infinity' -- until then whoever unpairs it waits for it (outbox.want_lease)
) with (fillfactor = 50);
