-- Whether the latest attempt of a notification would have left a trace that can still be found. Traces go with the login
-- that they were made under, so after an account has been paired again the lack of one proves nothing.
create function outbox.is_traceable(p_account text, p_notification uuid) returns boolean language sql stable as $$
  select not exists (
    select from outbox.event p
    where p.stream = outbox.connection_stream(p_account) and p.type = 'paired'
      and p.recorded_at > (select max(a.recorded_at) from outbox.event a
                           where a.stream = p_notification and a.type = 'attempt_started'))
$$;
