-- The people whom an account has written to for the first time within 24 hours, each with when; those to whom a first
-- message is out at this moment, or of unknown fate, are counted as of now. What outbox.gate allows so many of a day.
--
-- Of a million recipients it reads those of the last day: their BRIN index costs nothing where nothing is paced, and
-- recipients are first reached in the order in which they are written. Strangers who are being written to have an
-- index of their own.
create function outbox.first_contacts(p_account text) returns table (recipient uuid, at timestamptz)
language sql stable as $$
  select c.recipient, min(c.at)
  from (
    select r.recipient, r.first_sent_at as at
    from outbox.recipient r
    where r.account = p_account and r.first_sent_at > statement_timestamp() - interval '24 hours'
    union all
    select n.recipient, statement_timestamp()
    from outbox.notification n
    where n.account = p_account and n.approaching
  ) c
  group by c.recipient
$$;
