-- Allows that a person is written to again. Returns how many suppressions that ends: none, if there was none. What was
-- cancelled stays so, and can be requeued.
--
-- account  the one whose suppression ends; null: those of every account and the one for all of them. A suppression for
--          all accounts is not lifted for one of them.
create function outbox.unsuppress(recipient text, account text default null, reason text default null,
                                  metadata jsonb default '{}')
returns integer language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
declare
  v_recipients uuid[];
  v_lifted     integer;
begin
  select p.recipients into v_recipients from outbox.person(unsuppress.recipient) p;
  with in_force as (
    select s.* from outbox.suppression s
    where s.recipient = any (v_recipients) and s.suppressed_at is not null
      and (unsuppress.account is null or s.account = unsuppress.account)
    order by s.recipient, s.account for update
  )
  insert into outbox.event (account, stream, version, type, data, metadata)
  select s.account, s.stream, s.version + 1, 'unsuppressed',
         jsonb_strip_nulls(jsonb_build_object('recipient', s.recipient, 'reason', unsuppress.reason)),
         coalesce(unsuppress.metadata, '{}')
  from in_force s;
  get diagnostics v_lifted = row_count;
  return v_lifted;
end $$;
