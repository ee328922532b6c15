-- doctor_horizon: what has been open for long in this database and keeps vacuum from what died since: transactions at
-- work or idle, the longest first, and prepared ones, which belong to no session. Of other
-- roles' sessions a role without pg_read_all_stats does not see since when a transaction is open.
select pid, application, state, seconds
from (
  select pid, coalesce(nullif(application_name, ''), 'without a name') as application, state,
         extract(epoch from clock_timestamp() - xact_start)::float8 as seconds
  from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
    and xact_start is not null
  union all
  select null, gid, 'prepared', extract(epoch from clock_timestamp() - prepared)::float8
  from pg_prepared_xacts where database = current_database()
) open
where seconds >= %(seconds)s
order by seconds desc
