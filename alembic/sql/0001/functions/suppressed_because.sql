-- Why a recipient is not to be written to by an account; null where nothing forbids it.
create function outbox.suppressed_because(p_account text, p_recipient uuid) returns text language sql stable as $$
  select coalesce(s.reason, 'no reason was given')
  from outbox.suppression s
  where s.recipient = p_recipient and s.account in (p_account, '*') and s.suppressed_at is not null
  order by s.account = '*' limit 1
$$;
