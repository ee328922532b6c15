-- The log with who did it: `who` is the name of a token or person, or the worker's dyno or host; see audit.doer_kind.
create view audit.deed as
select e.recorded_at, e.account, e.kind, case e.kind when 'worker' then l.worker else e.key end as who,
       e.type, e.stream, e.version, e.data, e.metadata
from (
  select *, audit.doer_kind(type, metadata) as kind,
         audit.doer_key(audit.doer_kind(type, metadata), type, data, metadata) as key
  from audit.event
) e
left join audit.lease l on e.kind = 'worker' and l.account = e.account and l.epoch::text = e.key;

comment on view audit.deed is 'The log with who did it: a token, a person at the command line, or a worker.';
