-- incident_bands: the states in which each account's connection was within a period, as a whole.
select account, state, reason, began_at as began, coalesce(ended_at, statement_timestamp()) as ended
from audit.connection_history(%(since)s, %(until)s, %(account)s)
order by account, began_at
