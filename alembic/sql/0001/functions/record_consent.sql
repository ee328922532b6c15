-- Records that a person wrote a word by which they opt out of an account's messages, or in again. To opt out twice says
-- nothing new, nor does it beside what an operator has said. To opt in ends only what the person has begun: a suppression
-- that somebody else has made stays. Returns whether anything changed.
create function outbox.record_consent(p_account text, p_epoch bigint, p_jid text, p_word text, p_opts_out boolean)
returns boolean language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
declare
  v_recipients uuid[];
  v_metadata   jsonb := jsonb_build_object('epoch', p_epoch, 'recipient', true);
begin
  perform outbox.check_epoch(p_account, p_epoch);
  select p.recipients into v_recipients from outbox.person(p_jid) p;
  if p_opts_out then
    if exists (select from outbox.suppression s
               where s.recipient = any (v_recipients) and s.account in (p_account, '*') and s.suppressed_at is not null) then
      return false;
    end if;
    perform outbox.suppress(p_jid, p_account, 'the recipient wrote ' || p_word, v_metadata);
    return true;
  end if;
  -- A number and a lid may have been suppressed one by one, and unsuppress lifts both: all must be the person's own. What
  -- lies in an archive tells nobody whose it was, so it stays.
  if not coalesce((
    select bool_and(coalesce(e.metadata ? 'recipient', false))
    from outbox.suppression s
    left join outbox.event e on e.stream = s.stream and e.version = s.version
    where s.recipient = any (v_recipients) and s.account = p_account and s.suppressed_at is not null), false) then
    return false;
  end if;
  perform outbox.unsuppress(p_jid, p_account, 'the recipient wrote ' || p_word, v_metadata);
  return true;
end $$;
