-- exchange: record outcomes and start attempts.
select kind, notification, recipient, state, on_unknown, extract(epoch from retry_at)::float8, attempt, jid, content
from outbox.exchange(%(account)s, %(epoch)s, %(outcomes)s, %(notifications)s::uuid[])
