-- Says for how long somebody who unpairs an account waits for it. A worker that owns it sees so when it renews its lease,
-- ends its connection and gives the account back; none takes it meanwhile.
create function outbox.want_lease(p_account text, p_duration interval) returns void language sql as $$
  update outbox.lease set wanted_until = statement_timestamp() + p_duration where account = p_account
$$;
