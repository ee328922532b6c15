-- doctor_guards: the triggers that the log, its partitions and its seals should have and that are missing, disabled, or changed:
-- of another kind or with another function. The bits are pg_trigger's: 2 before, 4 insert, 8 delete, 16 update,
-- 32 truncate.
select expected.relation, expected.name,
       case when t.oid is null then 'missing'
            when t.tgenabled not in ('O', 'A') then 'disabled'
            else 'changed' end as state
from (
  select c.relname as relation, c.oid, 'guard' as name, 2 + 4 + 8 + 16 + 32 as kind, 'refuse_change' as does
  from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'outbox.event'::regclass
  union all
  select 'seal', 'outbox.seal'::regclass, 'guard', 2 + 8 + 16 + 32, 'refuse_change'
  union all
  select 'event', 'outbox.event'::regclass, name, kind, does
  from (values ('guard', 2 + 8 + 16 + 32, 'refuse_change'),
               ('project_connection', 4, 'project_connection'),
               ('project_notification', 4, 'project_notification'),
               ('project_recipient', 4, 'project_recipient')) log (name, kind, does)
) expected
left join pg_trigger t on t.tgrelid = expected.oid and t.tgname = expected.name
left join pg_proc f on f.oid = t.tgfoid and f.pronamespace = 'outbox'::regnamespace
where (t.tgenabled in ('O', 'A') and t.tgtype = expected.kind and f.proname = expected.does) is not true
order by 1, 2
