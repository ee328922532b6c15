-- doctor_limits: how many connections this role may have in this database, by each limit that there is, and how many
-- are in use of it besides this one. What is reserved for superusers is out of reach; reserved_connections came with
-- PostgreSQL 16. Of other roles' sessions a role without pg_read_all_stats does not see of which type they are.
with client as (
  select datid, usesysid from pg_stat_activity
  where datid is not null and usesysid is not null and pid <> pg_backend_pid()
    and coalesce(backend_type, 'client backend') = 'client backend'
)
select 'max_connections, without those reserved' as name,
       current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
       - coalesce(current_setting('reserved_connections', true)::integer, 0) as allowed,
       (select count(*) from client)::integer as used
union all
select 'of the database', datconnlimit, (select count(*) from client c where c.datid = d.oid)
from pg_database d where datname = current_database() and datconnlimit >= 0
union all
select 'of the role', rolconnlimit, (select count(*) from client c where c.usesysid = r.oid)
from pg_roles r where rolname = current_user and rolconnlimit >= 0
