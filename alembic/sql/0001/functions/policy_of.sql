-- The defaults that hold for an account: its own row, or the row '*'.
create function outbox.policy_of(p_account text) returns outbox.policy language sql stable as $$
  select * from outbox.policy where account in (p_account, '*') order by account = '*' limit 1
$$;
