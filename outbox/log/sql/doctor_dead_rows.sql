-- doctor_dead_rows: tables of the outbox and of whatsmeow that hold many dead rows, the worst first: far more than
-- autovacuum lets come together by its defaults (a fifth of the table).
select schemaname || '.' || relname as name, n_live_tup as live, n_dead_tup as dead,
       greatest(last_vacuum, last_autovacuum) as vacuumed_at
from pg_stat_user_tables
where schemaname in ('outbox', 'whatsapp') and n_dead_tup > 50000 + 0.5 * n_live_tup
order by n_dead_tup desc
