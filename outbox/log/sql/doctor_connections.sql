-- doctor_connections: who else is connected to the server, by the name that each connection gives itself. Of other
-- roles' sessions a role without pg_read_all_stats sees neither name nor type.
select case when backend_type is null then 'of other roles'
            else coalesce(nullif(application_name, ''), 'without a name') end as application,
       count(*) as number, bool_and(datname = current_database()) as here,
       bool_or(backend_type is null) as is_hidden
from pg_stat_activity
where datid is not null and usesysid is not null and pid <> pg_backend_pid()
  and coalesce(backend_type, 'client backend') = 'client backend'
group by 1 order by 2 desc, 1
