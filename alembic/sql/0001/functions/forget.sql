-- Erases a person: number and addresses, the bodies and media that nobody else was sent, the callers' idempotency keys,
-- and what whatsmeow keeps of them. What is pending, or of unknown outcome, is cancelled. The log stays as it is, and
-- says by one event for each of the person's streams that this was done.
--
--   select * from outbox.forget('+447700900123', 'asked by letter');
--
-- recipient   a number in international form, a JID, or a recipient's id
-- reason      for whoever reads the log, which keeps it for ever: nothing personal
--
-- While a message to the person is being sent nothing is erased: `sending` says how many are, what was pending is
-- cancelled all the same, and the call is to be repeated when they have ended. `named_elsewhere` counts the bodies for
-- others in which the number is still written, as that of a contact or in a text: those are others' messages.
--
-- A body or a number that somebody is about to use must not go under their hands, and an enqueue locks neither. So the
-- tables are searched first, however long that takes; then whoever reads them waits until this transaction ends, those
-- who have read them have ended theirs, and what these have enqueued is taken into account. The lock is asked for so
-- briefly that nobody is held up: if a transaction that reads bodies stays open, this is refused and can be repeated.
-- At the isolation level read committed alone a statement sees what was committed while the lock was waited for.
create function outbox.forget(recipient text, reason text default null, metadata jsonb default '{}')
returns table (erased boolean, cancelled integer, sending integer, contents integer, media integer, keys integer,
               whatsapp integer, named_elsewhere integer) language plpgsql
set lock_timeout = '500ms'  -- less than it takes to look for a deadlock, so that it is this one which gives way
as $$
#variable_conflict use_column
declare
  v_jids       text[];
  v_recipients uuid[];
  v_ids        text[];
  v_number     text;
  v_seen       pg_snapshot := pg_current_snapshot();
  v_mine       uuid[];   -- the person's notifications,
  v_later      uuid[];   -- those that were enqueued during the search
  v_digests    bytea[];  -- of the person's bodies,
  v_late       bytea[];  -- of those that were enqueued during the search,
  v_shared     bytea[];  -- and of those that others were sent, too
  v_media      bytea[];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    perform outbox.refuse('cannot_forget', 'the transaction is ' || current_setting('transaction_isolation') || ', not read committed');
  end if;
  select p.jids, p.recipients into v_jids, v_recipients from outbox.person(forget.recipient) p;
  v_ids := v_recipients::text[];
  v_number := '(' || (select string_agg(split_part(j, '@', 1), '|') from unnest(v_jids) j
                      where outbox.is_person(j)) || ')';

  -- the search: in whole tables, whose hot paths need no index for it
  select coalesce(array_agg(n.id), '{}'), coalesce(array_agg(distinct n.content), '{}') into v_mine, v_digests
  from outbox.notification n where n.recipient = any (v_recipients);
  contents := 0;
  media := 0;
  keys := 0;
  whatsapp := 0;
  named_elsewhere := 0;
  cancelled := outbox.withdraw(v_mine, 'the recipient is forgotten', forget.metadata);
  sending := (select count(*) from outbox.notification n where n.id = any (v_mine) and n.open);
  erased := sending = 0;
  if not erased then
    return next;
    return;
  end if;

  v_shared  := array(select distinct n.content from outbox.notification n
                     where n.content = any (v_digests) and n.recipient <> all (v_recipients));
  delete from outbox.idempotency k where k.recipient = any (v_recipients);
  get diagnostics keys = row_count;
  whatsapp := (select count(*) from outbox.whatsapp_rows(v_jids, true));
  if whatsapp = 0 and not exists (select from outbox.identity i where i.recipient = any (v_recipients)) then
    perform outbox.refuse('unknown_recipient', forget.recipient);
  end if;
  named_elsewhere := case when v_number is null then 0 else
    (select count(*) from outbox.content c where c.body::text ~ v_number
       and (c.digest <> all (v_digests) or c.digest = any (v_shared))) end;

  lock table outbox.identity, outbox.content in access exclusive mode;

  -- what was enqueued during the search
  v_later := array(select e.stream from outbox.event e
                   where e.xid >= pg_snapshot_xmin(v_seen) and e.type = 'enqueued' and e.data->>'recipient' = any (v_ids)
                   except select unnest(v_mine));
  cancelled := cancelled + outbox.withdraw(v_mine || v_later, 'the recipient is forgotten', forget.metadata);
  sending := (select count(*) from outbox.notification n where n.id = any (v_mine || v_later) and n.open);
  erased := sending = 0;
  if not erased then
    return next;
    return;
  end if;
  v_late := array(select n.content from outbox.notification n where n.id = any (v_later) except select unnest(v_digests));
  v_digests := v_digests || v_late;
  v_shared := v_shared
    || array(select distinct decode(e.data->>'content', 'hex') from outbox.event e
             where e.xid >= pg_snapshot_xmin(v_seen) and e.type = 'enqueued' and e.data->>'recipient' <> all (v_ids));
  if v_later <> '{}' then
    v_shared := v_shared || array(select distinct n.content from outbox.notification n
                                  where n.content = any (v_late) and n.recipient <> all (v_recipients));
    delete from outbox.idempotency k where k.recipient = any (v_recipients);
  end if;

  with gone as (
    delete from outbox.content c where c.digest = any (v_digests) and c.digest <> all (v_shared)
    returning c.digest, c.body
  )
  select count(distinct g.digest), array_agg(distinct m.digest) filter (where m.digest is not null)
    into contents, v_media
  from gone g left join lateral outbox.content_media(g.body) m on true;
  media := outbox.erase_media(v_media);
  delete from outbox.identity i where i.recipient = any (v_recipients);

  insert into outbox.event (account, stream, version, type, data, metadata)
  select s.account, outbox.recipient_stream(s.account, s.recipient), coalesce(p.version, 0) + 1, 'forgotten',
         jsonb_strip_nulls(jsonb_build_object('recipient', s.recipient, 'reason', forget.reason)),
         coalesce(forget.metadata, '{}')
  from (select '*' as account, r as recipient from unnest(v_recipients) r
        union
        select p.account, p.recipient from outbox.suppression p where p.recipient = any (v_recipients)) s
  left join outbox.suppression p using (account, recipient);
  return next;
exception when lock_not_available then
  perform outbox.refuse('cannot_forget', 'a transaction that has read bodies or notifications stays open');
end $$;
