-- doctor_partitions: the log's partitions of this month and the three that follow, which a worker makes ahead:
-- whether each is part of the log, and whether a table of its name is there at all.
select p.name, p.month = 0 as current, to_regclass('outbox.' || p.name) is not null as there,
       exists (select from pg_inherits i
               where i.inhrelid = to_regclass('outbox.' || p.name) and i.inhparent = 'outbox.event'::regclass) as attached
from (select n as month, 'event_' || to_char(date_trunc('month', now() at time zone 'UTC') + make_interval(months => n),
                                             'YYYY_MM') as name
      from generate_series(0, 3) n) p
order by p.month
