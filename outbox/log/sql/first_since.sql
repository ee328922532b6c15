-- first_since: where the log stood at a moment, looked for among its newest events.
select min(position) filter (where recorded_at >= %(since)s) as first,
       count(*) < %(events)s or min(recorded_at) < %(since)s as reached
from (select position, recorded_at from outbox.event order by xid desc limit %(events)s) newest
