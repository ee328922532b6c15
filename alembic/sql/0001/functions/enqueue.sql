-- Accepts one notification inside the caller's transaction and returns its id. The same rules hold for every way in.
--
--   select outbox.enqueue('+447700900123', '{"kind": "text", "text": "hello"}', priority => 5);
--
-- An option that is null is as good as not given.
--
-- recipient        number in international form (+…), or the JID of a user, group or newsletter
-- content          what to send: {"kind": …}; media by the digest that outbox.store_media returned
-- idempotency_key  the same key and content return the first id again; other content is refused
-- priority         higher goes first; 0 unless given
-- send_at          not before; now unless given
-- expires_in       counted from send_at; then, from the account's policy unless given: max_attempts, on_unknown
--                  ('resend': at least once; 'hold': at most once), retry_after and retry_limit (first and longest delay)
-- metadata         a JSON object of the caller's own, kept with the event; no personal data: the log is never erased
create function outbox.enqueue(
  recipient       text,
  content         jsonb,
  account         text        default 'main',
  idempotency_key text        default null,
  priority        integer     default 0,
  send_at         timestamptz default null,
  expires_in      interval    default null,
  max_attempts    integer     default null,
  on_unknown      text        default null,
  retry_after     interval    default null,
  retry_limit     interval    default null,
  metadata        jsonb       default '{}'
) returns uuid language plpgsql
security definer set search_path = pg_catalog, pg_temp  -- for roles that may do this and no more: outbox.grant_roles
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
declare
  v_jid       text  := outbox.jid(enqueue.recipient);
  v_digest    bytea := sha256(convert_to(enqueue.content::text, 'UTF8'));
  v_id        uuid  := outbox.uuid7();
  v_due_at    timestamptz := case when enqueue.send_at > statement_timestamp() then enqueue.send_at end;
  v_problem   text;
  v_recipient uuid;
  v_is_stored boolean;
  v_suppressed text;
  v_missing   bytea;
  v_salt      bytea;  -- of a body that will be erased
  v_erase_after interval;
  v_expires_in   interval;
  v_max_attempts integer;
  v_on_unknown   text;
begin
  v_problem := case when v_jid is null then 'bad_recipient'
                    else coalesce(outbox.content_problem(enqueue.content),
                                  case when enqueue.content ?| '{media,items}' then outbox.media_problem(enqueue.content, enqueue.account) end,
                                  outbox.option_problem(enqueue.account, enqueue.idempotency_key, enqueue.priority,
                                                        enqueue.send_at, enqueue.expires_in, enqueue.max_attempts,
                                                        enqueue.on_unknown, enqueue.retry_after, enqueue.retry_limit,
                                                        enqueue.metadata),
                                  case when enqueue.metadata <> '{}' and outbox.names_number(enqueue.metadata::text, v_jid)
                                       then 'personal_metadata' end) end;
  if v_problem is not null then
    perform outbox.refuse(v_problem, outbox.refused_value(v_problem, jsonb_build_object(
      'recipient', enqueue.recipient, 'content', enqueue.content, 'account', enqueue.account,
      'idempotency_key', enqueue.idempotency_key, 'priority', enqueue.priority, 'send_at', enqueue.send_at,
      'expires_in', enqueue.expires_in, 'max_attempts', enqueue.max_attempts, 'on_unknown', enqueue.on_unknown,
      'retry_after', enqueue.retry_after, 'retry_limit', enqueue.retry_limit, 'metadata', enqueue.metadata)));
  end if;

  if enqueue.content ?| '{media,items}' then
    v_missing := outbox.hold_media(array(select digest from outbox.content_media(enqueue.content)));
    if v_missing is not null then  -- erased since they were judged
      perform outbox.refuse('unknown_media', encode(v_missing, 'hex'));
    end if;
  end if;

  -- what is known already, in one look
  select i.recipient, s.reason, exists (select from outbox.content c where c.digest = v_digest),
         p.expires_in, p.max_attempts, p.on_unknown, p.erase_after
    into v_recipient, v_suppressed, v_is_stored, v_expires_in, v_max_attempts, v_on_unknown, v_erase_after
  from outbox.policy p
  left join outbox.identity i on i.jid = v_jid
  left join lateral (
    select coalesce(s.reason, 'no reason was given') as reason from outbox.suppression s
    where s.recipient = i.recipient and s.account in (enqueue.account, '*') and s.suppressed_at is not null limit 1
  ) s on true
  where p.account in (enqueue.account, '*') order by p.account = '*' limit 1;

  if v_recipient is null then
    insert into outbox.identity (jid) values (v_jid) on conflict do nothing;
    select i.recipient into v_recipient from outbox.identity i where i.jid = v_jid;
  end if;

  if v_erase_after is not null then
    v_salt := uuid_send(gen_random_uuid());
    v_digest := sha256(v_salt || convert_to(enqueue.content::text, 'UTF8'));
  end if;

  if enqueue.idempotency_key is not null then
    insert into outbox.idempotency (account, key, notification, recipient, content)
    values (enqueue.account, enqueue.idempotency_key, v_id, v_recipient, v_digest) on conflict do nothing;
    if not found then
      select k.notification into v_id from outbox.idempotency k
      where k.account = enqueue.account and k.key = enqueue.idempotency_key
        and k.recipient = v_recipient and outbox.same_content(k.content, enqueue.content);
      if not found then
        perform outbox.refuse('idempotency_conflict', enqueue.idempotency_key);
      end if;
      return v_id;
    end if;
  end if;

  if v_suppressed is not null then  -- what was accepted before is still answered with its id, above
    perform outbox.refuse('suppressed', v_suppressed);
  end if;

  if v_salt is not null then
    insert into outbox.content (digest, body, salt, notification, erase_after, erase_at)
    values (v_digest, enqueue.content, v_salt, v_id, v_erase_after,
            coalesce(v_due_at, statement_timestamp()) + v_erase_after);
  elsif not v_is_stored then
    insert into outbox.content (digest, body) values (v_digest, enqueue.content);
  end if;

  insert into outbox.event (account, stream, version, type, data, metadata) values (
    enqueue.account, v_id, 1, 'enqueued',
    jsonb_strip_nulls(jsonb_build_object(
      'recipient', v_recipient, 'content', encode(v_digest, 'hex'), 'priority', coalesce(enqueue.priority, 0),
      'due_at', v_due_at,
      'expires_at', coalesce(v_due_at, statement_timestamp()) + coalesce(enqueue.expires_in, v_expires_in),
      'max_attempts', coalesce(enqueue.max_attempts, v_max_attempts),
      'on_unknown', coalesce(enqueue.on_unknown, v_on_unknown),
      'retry_after', enqueue.retry_after, 'retry_limit', enqueue.retry_limit)),
    coalesce(enqueue.metadata, '{}'));
  perform outbox.wake(enqueue.account);
  return v_id;
end $$;
