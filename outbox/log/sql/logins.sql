-- logins: every account that has a connection's stream or a login, where it stands, and as whom it is paired.
select coalesce(c.account, l.account) as account, coalesce(c.state, 'free') as state, c.reason, c.reconnect_at,
       c.connected_at, l.jid, l.paired_at, statement_timestamp() as now
from outbox.connection c
full join outbox.login l on l.account = c.account
order by 1
