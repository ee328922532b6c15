-- Suppresses a person: nothing more is enqueued to them, and what is pending or of unknown outcome is cancelled. What is
-- being sent ends; if it has to be sent again, that is not begun (outbox.start_attempts). Returns how many it cancelled.
-- Suppressing somebody again replaces the reason.
--
--   select outbox.suppress('+447700900123', reason => 'wrote STOP');
--
-- recipient  a number in international form, a JID, or a recipient's id; a lid and a number that whatsmeow knows to
--            belong together are both suppressed
-- account    whose messages they do not want; null: those of all accounts
-- reason     what an enqueue that is refused is told; the log keeps it for ever, so nothing personal
create function outbox.suppress(recipient text, account text default null, reason text default null,
                                metadata jsonb default '{}')
returns integer language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
#variable_conflict use_column
declare
  v_account    text := coalesce(suppress.account, '*');
  v_reason     text := coalesce(suppress.reason, 'no reason was given');
  v_jids       text[];
  v_recipients uuid[];
begin
  if v_account <> '*' and outbox.option_problem(v_account, null, null, null, null, null, null, null, null, '{}') is not null then
    perform outbox.refuse('bad_account', v_account);
  end if;
  select p.jids into v_jids from outbox.person(suppress.recipient) p;
  if v_jids = '{}' then
    perform outbox.refuse('unknown_recipient', suppress.recipient);
  end if;
  insert into outbox.identity (jid)
  select j from unnest(v_jids) j where not exists (select from outbox.identity i where i.jid = j) order by j
  on conflict do nothing;
  v_recipients := array(select i.recipient from outbox.identity i where i.jid = any (v_jids));

  perform from outbox.suppression s where s.recipient = any (v_recipients) and s.account = v_account
  order by s.recipient for update;
  insert into outbox.event (account, stream, version, type, data, metadata)
  select v_account, outbox.recipient_stream(v_account, r), coalesce(s.version, 0) + 1, 'suppressed',
         jsonb_strip_nulls(jsonb_build_object('recipient', r, 'reason', suppress.reason)), coalesce(suppress.metadata, '{}')
  from unnest(v_recipients) r
  left join outbox.suppression s on s.recipient = r and s.account = v_account;

  -- whose notifications they are the log has an index of; one that was requeued after its month went into an archive is
  -- cancelled when it would begin
  return outbox.withdraw(
    array(select n.id from outbox.event e join outbox.notification n on n.id = e.stream
          where e.type = 'enqueued' and e.data->>'recipient' = any (v_recipients::text[]) and v_account in (n.account, '*')),
    'the recipient is suppressed: ' || v_reason, suppress.metadata);
end $$;
