-- The gate of paced sessions: which of these notifications may start now, and until when the others are held. It goes
-- by their order, which is their owner's; what is not pending any more is left out.
--
-- Held are, by what `held_by` says:
--   throttled    all, while WhatsApp has the account wait (429)
--   restricted   strangers, people whom the account has never reached, for a day after WhatsApp refused one (463)
--   strangers    those who would be more than strangers_a_day within 24 hours, each until the next of these days ends
--   pace         what is more than `pace` a minute, but for `burst` at once after a quiet time
-- The first and the last hold the whole account up, the others their recipient.
--
-- The pace is a bucket of which one moment is remembered, that at which it will be full again (in outbox.connection):
-- each start moves it on by a minute / pace, give or take up to 0.3 of that, and one may start while it lies no further
-- ahead than burst - 1 of them. The moment travels in the event, so that a replay draws no lots.
--
-- registered says whether the recipient's number has WhatsApp: null where nobody has asked within check_after, true of
-- all who need no check, since they were reached before or have no number. Whose number has none costs neither pace nor
-- budget: nothing is sent.
--
-- Ten candidates among a million recipients and as many finished notifications take 0.7 ms, half of it for whom the
-- account has written to within the day; all is found by index.
create function outbox.gate(p_account text, p_notifications uuid[])
returns table (id uuid, version integer, number integer, recipient uuid, content bytea, jid text, stranger boolean,
               registered boolean, checked_at timestamptz, bucket_full_at timestamptz, held_until timestamptz,
               held_by text) language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
declare
  v_now        timestamptz   := statement_timestamp();
  v_policy     outbox.policy := outbox.policy_of(p_account);
  v_interval   interval      := interval '1 minute' / v_policy.pace;
  v_ahead      interval      := v_interval * (v_policy.burst - 1);
  v_connection outbox.connection;
  v_known      uuid[];         -- whom it has written to for the first time within a day,
  v_since      timestamptz[];  -- and since when, the earliest first
begin
  -- locked, so that of two starts at once the second sees what the first has used up
  select * into v_connection from outbox.connection c where c.account = p_account for no key update;
  select coalesce(array_agg(f.recipient), '{}'), coalesce(array_agg(f.at order by f.at), '{}')
    into v_known, v_since
  from outbox.first_contacts(p_account) f;

  return query
  with pending as materialized (
    select n.id, n.version, n.attempts + 1 as number, n.recipient, n.content, i.jid, g.nth,
           coalesce(r.first_sent_at is null and outbox.is_person(i.jid), false) as stranger,
           case when i.jid like '%@s.whatsapp.net' and r.first_sent_at is null
                then case when i.checked_at + v_policy.check_after > v_now then i.registered end
                else true end as registered,
           i.checked_at
    from (select u.id, min(u.nth) as nth from unnest(p_notifications) with ordinality as u (id, nth) group by u.id) g
    join outbox.notification n on n.id = g.id
    left join outbox.recipient r on r.account = p_account and r.recipient = n.recipient
    left join outbox.identity i on i.recipient = n.recipient
    where n.account = p_account and n.state = 'pending' and n.expires_at > v_now
  ), counted as (
    select p.*, p.registered is not false and p.stranger as approaches,
           cardinality(v_since) - v_policy.strangers_a_day
             + count(*) filter (where p.registered is not false and p.stranger and p.recipient <> all (v_known))
                 over (order by p.nth) as over_budget  -- more than zero: it is too many by so many
    from pending p
  ), held as materialized (
    select c.*,
           case when c.approaches and v_connection.strangers_after > v_now then v_connection.strangers_after
                when c.approaches and c.over_budget > 0 and c.recipient <> all (v_known)
                then coalesce(v_since[c.over_budget], v_now) + interval '24 hours' end as held_until,
           v_interval * (0.7 + 0.6 * random()) as cost
    from counted c
  ), paced as (
    select h.*, greatest(v_connection.bucket_full_at, v_now)
                  + coalesce(sum(h.cost) filter (where h.held_until is null and h.registered is not false)
                               over (order by h.nth rows between unbounded preceding and 1 preceding), '0') as bucket
    from held h
  )
  select p.id, p.version, p.number, p.recipient, p.content, p.jid, p.approaches, p.registered, p.checked_at,
         p.bucket + case when p.registered is not false then p.cost else '0' end,
         case when v_connection.throttled_until > v_now then v_connection.throttled_until
              when p.held_until is not null             then p.held_until
              when p.bucket > v_now + v_ahead
              then min(p.bucket) filter (where p.held_until is null and p.bucket > v_now + v_ahead) over ()
                     - v_ahead end,
         case when v_connection.throttled_until > v_now then 'throttled'
              when p.held_until is not null
              then case when v_connection.strangers_after > v_now then 'restricted' else 'strangers' end
              when p.bucket > v_now + v_ahead           then 'pace' end
  from paced p;
end $$;
