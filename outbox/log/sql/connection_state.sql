-- connection_state: where an account's connection stands.
select state, extract(epoch from reconnect_at)::float8, extract(epoch from statement_timestamp())::float8
from outbox.connection
where account = %(account)s
