-- exchange: record outcomes and start attempts.
select kind, notification, recipient, state, on_unknown, extract(epoch from retry_at)::float8, attempt, jid, content,
       registered, checked_at, extract(epoch from held_until)::float8, held_by
from outbox.exchange(%(account)s, %(epoch)s, %(outcomes)s, %(notifications)s::uuid[], %(paced)s)
