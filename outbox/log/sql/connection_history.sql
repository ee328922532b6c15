-- connection_history: the states in which each account's connection was since a moment, and why.
-- Read from the latest event before that moment whose state does not depend on what was before.
with told as (
  select e.account, e.version, e.recorded_at, e.data->>'reason' as reason,
         outbox.last_connection_state(e.type) over (partition by e.stream order by e.version) as state
  from outbox.connection c
  cross join lateral (
    select coalesce(max(b.version), 1) as version from outbox.event b
    where b.stream = c.stream and b.recorded_at <= statement_timestamp() - %(back)s
      and b.type not like 'lease_%%' and b.type not in ('draining', 'throttled', 'restricted')
  ) first
  join outbox.event e on e.stream = c.stream and e.version >= first.version
  where e.type = any (outbox.connection_types())
), changed as (
  select *, state is distinct from lag(state) over (partition by account order by version) as is_new from told
), spans as (
  select account, state, reason, recorded_at as began,
         coalesce(lead(recorded_at) over (partition by account order by version), statement_timestamp()) as ended
  from changed where is_new
)
select account, state, reason, greatest(began, statement_timestamp() - %(back)s) as began, ended
from spans where ended > statement_timestamp() - %(back)s
order by account, began
