-- webhooks: all of them by name, or the one named. What is due may be sent now; what is free, nobody else serves.
select w.name, w.url, w.secret, w.events, w.account, w.created_at, w.owner, w.failing_since, w.failures, w.retry_at,
       w.last_error, w.disabled_at, w.disabled_because, c.moved_at,
       w.disabled_at is null and coalesce(w.retry_at <= statement_timestamp(), true) as due,
       coalesce(w.leased_until <= statement_timestamp(), true) as free
from outbox.webhook w
left join outbox.cursor c on c.consumer = 'webhook ' || w.name
where w.name = coalesce(%(name)s, w.name)
order by w.name
