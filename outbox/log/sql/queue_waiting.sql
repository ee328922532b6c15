-- queue_waiting: recipients to whom nothing is sent before a moment.
select recipient, extract(epoch from retry_at)::float8
from outbox.recipient
where account = %(account)s and retry_at is not null and retry_at > statement_timestamp()
