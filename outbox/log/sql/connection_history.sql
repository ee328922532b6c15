-- connection_history: the states in which each account's connection was since a moment, cut there, and why.
select account, state, reason, greatest(began_at, statement_timestamp() - %(back)s) as began,
       coalesce(ended_at, statement_timestamp()) as ended
from audit.connection_history(statement_timestamp() - %(back)s)
order by account, began_at
