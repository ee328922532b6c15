-- timeline: the events of one notification, each with what the worker of its epoch said of itself.
select e.version, e.recorded_at, e.type, e.data, e.metadata, w.metadata as worker
from outbox.event e
left join outbox.connection c on c.account = e.account
left join outbox.event w
  on w.stream = c.stream and w.type = 'lease_acquired' and w.data->'epoch' = e.metadata->'epoch'
where e.stream = %(id)s
order by e.version
