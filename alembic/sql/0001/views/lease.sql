-- Who owned each account, from when to when, and how that ended. `worker` is the dyno or the host, as the worker said.
create view audit.lease as
select l.account, l.epoch, l.worker, l.release, l.began_at, l.ended_at, l.ended_by
from (
  select e.account, e.type, (e.data->>'epoch')::bigint as epoch, coalesce(e.metadata->>'dyno', e.metadata->>'host') as worker,
         coalesce(e.metadata->>'release', e.metadata->>'version') as release, e.recorded_at as began_at,
         lead(e.recorded_at) over told as ended_at, lead(e.type) over told as ended_by
  from audit.account a
  join audit.event e on e.stream = a.connection and e.type in ('lease_acquired', 'lease_released', 'lease_lost')
  window told as (partition by e.stream order by e.version)
) l
where l.type = 'lease_acquired';

comment on view audit.lease is 'Which worker owned each account, from when to when, and how that ended.';
