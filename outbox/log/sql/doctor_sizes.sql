-- doctor_sizes: bytes of the database, and of its parts with their indexes.
select pg_database_size(current_database()) as database,
       coalesce((select sum(pg_total_relation_size(relid)) from pg_partition_tree('outbox.event')), 0)::bigint as log,
       pg_total_relation_size('outbox.content') as content, pg_total_relation_size('outbox.media') as media,
       coalesce((select sum(pg_total_relation_size(c.oid)) from pg_class c
                 where c.relnamespace = to_regnamespace('whatsapp') and c.relkind in ('r', 'p')), 0)::bigint as whatsapp
