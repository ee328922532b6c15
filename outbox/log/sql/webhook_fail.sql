-- webhook_fail: notes a failure, of the sender that holds the lease. The next try comes after 5 s, doubled with every
-- failure up to an hour, of which chance takes up to half, so that webhooks of one receiver do not come back all at once.
-- After a day without a success it is disabled; `forever`: at once, since the receiver wants no more.
update outbox.webhook
set failing_since = coalesce(failing_since, statement_timestamp()),
    failures = failures + 1,
    retry_at = statement_timestamp()
               + least(interval '1 hour', interval '5 seconds' * 2 ^ least(failures, 20)) * (0.5 + random() / 2),
    last_error = %(error)s,
    disabled_at = case when %(forever)s or failing_since <= statement_timestamp() - interval '1 day'
                       then statement_timestamp() end,
    disabled_because = case when %(forever)s then %(error)s
                            when failing_since <= statement_timestamp() - interval '1 day'
                            then 'it failed for a day: ' || %(error)s end
where name = %(name)s and owner = %(owner)s and disabled_at is null
returning disabled_because, retry_at
