-- Accepts many notifications at once, all or none, and returns their ids in the order given. Each is a JSON object
-- whose members are the parameters of outbox.enqueue, under the same rules; send_at is written as in ISO 8601, with
-- its time zone. A refusal names the first of them that breaks a rule, by its number.
--
--   select id from outbox.enqueue_batch('[{"recipient": "+447700900123", "content": {"kind": "text", "text": "hello"}}]');
create function outbox.enqueue_batch(notifications jsonb, account text default 'main')
returns table (id uuid) language plpgsql
security definer set search_path = pg_catalog, pg_temp  -- for roles that may do this and no more: outbox.grant_roles
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
declare
  v_members    text[] := '{recipient,content,idempotency_key,priority,send_at,expires_in,max_attempts,on_unknown,retry_after,retry_limit,metadata}';
  v_policy     outbox.policy := outbox.policy_of(enqueue_batch.account);
  v_given      jsonb[];         -- from here on one array a column: each statement below reads what the first one found
  v_jids       text[];
  v_digests    bytea[];
  v_salts      bytea[];         -- of bodies that will be erased
  v_recipients uuid[];
  v_ids        uuid[];
  v_problem    text;
  v_missing    bytea;
  v_nth        bigint;
begin
  if jsonb_typeof(notifications) is distinct from 'array' then
    perform outbox.refuse('bad_batch', left(notifications::text, 120));
  end if;

  select array_agg(n.given), array_agg(outbox.jid(n.given->>'recipient')),
         array_agg(sha256(coalesce(n.salt, '') || convert_to((n.given->'content')::text, 'UTF8'))), array_agg(n.salt),
         array_agg(outbox.uuid7(statement_timestamp() + n.nth * interval '1 microsecond'))
    into v_given, v_jids, v_digests, v_salts, v_ids
  from (select given, nth, case when v_policy.erase_after is not null then uuid_send(gen_random_uuid()) end as salt
        from jsonb_array_elements(notifications) with ordinality as g (given, nth) order by nth) n;
  if v_given is null then
    return;
  end if;

  -- the first that breaks a rule refuses all
  begin
    select p.nth, p.problem into v_nth, v_problem
    from (
      select g.nth, coalesce(
        case when jsonb_typeof(g.given) <> 'object' then 'bad_batch' end,
        case when v_jids[g.nth] is null then 'bad_recipient' end,
        case when g.given - v_members <> '{}' then 'unknown_option' end,
        outbox.content_problem(g.given->'content'),
        case when g.given->'content' ?| '{media,items}' then outbox.media_problem(g.given->'content', enqueue_batch.account) end,
        case when g.given->>'send_at' !~ '[0-9]:[0-9.]+ ?([zZ]|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$' then 'bad_send_at' end,
        outbox.option_problem(enqueue_batch.account, g.given->>'idempotency_key', (g.given->>'priority')::integer,
                              (g.given->>'send_at')::timestamptz, (g.given->>'expires_in')::interval,
                              (g.given->>'max_attempts')::integer, g.given->>'on_unknown',
                              (g.given->>'retry_after')::interval, (g.given->>'retry_limit')::interval,
                              nullif(g.given->'metadata', 'null')),
        case when outbox.names_number((g.given->'metadata')::text, v_jids[g.nth]) then 'personal_metadata' end) as problem
      from unnest(v_given) with ordinality as g (given, nth)) p
    where p.problem is not null
    order by p.nth limit 1;
  exception when data_exception then  -- PostgreSQL's own error would not say of which it is
    select g.nth, outbox.option_mistyped(g.given) into v_nth, v_problem
    from unnest(v_given) with ordinality as g (given, nth)
    where jsonb_typeof(g.given) = 'object' and outbox.option_mistyped(g.given) is not null
    order by g.nth limit 1;
    if v_problem is null then
      raise;
    end if;
  end;
  if v_problem is not null then
    perform outbox.refuse(v_problem, format('number %s of the batch: %s', v_nth, case v_problem
      when 'bad_batch'      then v_given[v_nth]::text
      when 'unknown_option' then (select string_agg(k, ', ' order by k collate "C")
                                  from jsonb_object_keys(v_given[v_nth] - v_members) k)
      else coalesce(outbox.refused_value(v_problem, v_given[v_nth] || jsonb_build_object('account', enqueue_batch.account)),
                    'null') end));
  end if;

  if exists (select from unnest(v_given) as g (given) where g.given->'content' ?| '{media,items}') then
    v_missing := outbox.hold_media(array(
      select distinct m.digest from unnest(v_given) as g (given) cross join lateral outbox.content_media(g.given->'content') m));
    if v_missing is not null then  -- erased since they were judged
      perform outbox.refuse('unknown_media', encode(v_missing, 'hex'));
    end if;
  end if;

  insert into outbox.identity (jid)
  select distinct j.jid from unnest(v_jids) as j (jid)
  where not exists (select from outbox.identity i where i.jid = j.jid)
  order by j.jid
  on conflict do nothing;

  select array_agg(i.recipient order by j.nth) into v_recipients
  from unnest(v_jids) with ordinality as j (jid, nth) join outbox.identity i using (jid);

  -- a key that is known, or that came earlier in this batch, keeps its first notification
  if exists (select from unnest(v_given) as g (given) where g.given ? 'idempotency_key') then
    insert into outbox.idempotency (account, key, notification, recipient, content)
    select distinct on (n.given->>'idempotency_key')
           enqueue_batch.account, n.given->>'idempotency_key', n.id, n.recipient, n.digest
    from unnest(v_given, v_ids, v_recipients, v_digests) with ordinality as n (given, id, recipient, digest, nth)
    where n.given->>'idempotency_key' is not null
    order by n.given->>'idempotency_key', n.nth
    on conflict do nothing;

  end if;

  if v_policy.erase_after is not null then
    insert into outbox.content (digest, body, salt, notification, erase_after, erase_at)
    select n.digest, n.given->'content', n.salt, n.id, v_policy.erase_after,
           greatest((n.given->>'send_at')::timestamptz, statement_timestamp()) + v_policy.erase_after
    from unnest(v_given, v_ids, v_digests, v_salts) as n (given, id, digest, salt)
    where n.given->>'idempotency_key' is null
       or exists (select from outbox.idempotency k where k.account = enqueue_batch.account
                    and k.key = n.given->>'idempotency_key' and k.notification = n.id);
  else
    insert into outbox.content (digest, body)
    select distinct on (d.digest) d.digest, d.given->'content' from unnest(v_digests, v_given) as d (digest, given)
    where not exists (select from outbox.content c where c.digest = d.digest);
  end if;

  if exists (select from unnest(v_given) as g (given) where g.given ? 'idempotency_key') then
    select min(n.nth) into v_nth
    from unnest(v_given, v_recipients, v_digests) with ordinality as n (given, recipient, digest, nth)
    join outbox.idempotency k on k.account = enqueue_batch.account and k.key = n.given->>'idempotency_key'
    where k.recipient <> n.recipient
       or case when k.content = n.digest then false else not outbox.same_content(k.content, n.given->'content') end;
    if v_nth is not null then
      perform outbox.refuse('idempotency_conflict',
                            format('number %s of the batch: %s', v_nth, v_given[v_nth]->>'idempotency_key'));
    end if;
  end if;

  select n.nth, coalesce(s.reason, 'no reason was given') into v_nth, v_problem
  from unnest(v_given, v_ids, v_recipients) with ordinality as n (given, id, recipient, nth)
  join outbox.suppression s on s.recipient = n.recipient and s.account in (enqueue_batch.account, '*')
   and s.suppressed_at is not null
  where n.given->>'idempotency_key' is null
     or exists (select from outbox.idempotency k where k.account = enqueue_batch.account
                  and k.key = n.given->>'idempotency_key' and k.notification = n.id)
  order by n.nth limit 1;
  if found then
    perform outbox.refuse('suppressed', format('number %s of the batch: %s', v_nth, v_problem));
  end if;

  insert into outbox.event (account, stream, version, type, data, metadata)
  select enqueue_batch.account, n.id, 1, 'enqueued',
         jsonb_strip_nulls(jsonb_build_object(
           'recipient', n.recipient, 'content', encode(n.digest, 'hex'),
           'priority', coalesce((n.given->>'priority')::integer, 0), 'due_at', d.due_at,
           'expires_at', coalesce(d.due_at, statement_timestamp()) + coalesce((n.given->>'expires_in')::interval, v_policy.expires_in),
           'max_attempts', coalesce((n.given->>'max_attempts')::integer, v_policy.max_attempts),
           'on_unknown', coalesce(n.given->>'on_unknown', v_policy.on_unknown),
           'retry_after', (n.given->>'retry_after')::interval, 'retry_limit', (n.given->>'retry_limit')::interval)),
         coalesce(nullif(n.given->'metadata', 'null'), '{}')
  from unnest(v_given, v_ids, v_recipients, v_digests) with ordinality as n (given, id, recipient, digest, nth)
  cross join lateral (select case when (n.given->>'send_at')::timestamptz > statement_timestamp()
                                  then (n.given->>'send_at')::timestamptz end as due_at) d
  where n.given->>'idempotency_key' is null
     or exists (select from outbox.idempotency k where k.account = enqueue_batch.account
                  and k.key = n.given->>'idempotency_key' and k.notification = n.id)
  order by n.nth;
  if found then
    perform outbox.wake(enqueue_batch.account);
  end if;

  return query
    select coalesce(k.notification, n.id)
    from unnest(v_given, v_ids) with ordinality as n (given, id, nth)
    left join outbox.idempotency k on k.account = enqueue_batch.account and k.key = n.given->>'idempotency_key'
    order by n.nth;
end $$;
