-- What may have reached its recipient twice: sent again after an attempt that may have left, by a decision of this period.
-- The reason is that decision: no receipt came within the grace and the policy says `resend`, or somebody requeued it.
-- That no trace was found (`never_left`) proves that no frame had left, so what was sent again after that is none.
create function audit.duplicates(since timestamptz, until timestamptz default 'infinity', for_account text default null)
returns table (account text, notification uuid, recipient uuid, number text, first_message_id text, doubted_at timestamptz,
               doubt text, decided_at timestamptz, reason text, second_message_id text, sent_again_at timestamptz)
language sql stable parallel safe
begin atomic
  with decided as (
    select e.account, e.stream, e.version, e.recorded_at,
           case e.type when 'requeued' then concat_ws(': ', 'requeued', e.data->>'reason') else e.data->>'error' end as reason
    from audit.event e
    where e.recorded_at >= since and e.recorded_at < until and (for_account is null or e.account = for_account)
      and (e.type = 'attempt_failed' and e.data->>'class' = 'unconfirmed' or e.type = 'requeued')
  )
  select d.account, d.stream, i.recipient, i.number, u.message_id, u.began_at, u.error, d.recorded_at, d.reason,
         s.message_id, s.recorded_at
  from decided d
  cross join lateral (
    -- the attempt before, which must still have been in doubt
    select (array_agg(e.type order by e.version desc))[1] as latest,
           max(e.data->>'message_id') as message_id,
           min(e.recorded_at) filter (where e.type = 'attempt_unknown') as began_at,
           (array_agg(e.data->>'error' order by e.version) filter (where e.data ? 'error'))[1] as error
    from audit.event e
    where e.stream = d.stream and e.version < d.version
      and e.type in ('attempt_started', 'attempt_unknown', 'attempt_failed', 'rejected')
      and e.version >= (select max(a.version) from audit.event a
                        where a.stream = d.stream and a.version < d.version and a.type = 'attempt_started')) u
  cross join lateral (
    select e.data->>'message_id' as message_id, e.recorded_at from audit.event e
    where e.stream = d.stream and e.version > d.version and e.type = 'sent' order by e.version limit 1) s
  left join lateral (
    select f.recipient, n.number
    from (select (e.data->>'recipient')::uuid as recipient from audit.event e where e.stream = d.stream and e.version = 1) f
    left join audit.identity n on n.recipient = f.recipient) i on true
  where u.latest = 'attempt_unknown'
  order by d.recorded_at, d.stream;
end;

comment on function audit.duplicates is
  'What may have reached its recipient twice: sent again after an attempt that may have left, and who or what decided so.';
