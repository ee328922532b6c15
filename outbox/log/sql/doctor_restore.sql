-- doctor_restore: the restore epoch in force, and whether the database has been restored since without anybody
-- noticing: the same question as outbox.begin_epoch asks, without its answer.
select epoch, began_at, xmin::text::bigint <> mod(xid::text::numeric, 4294967296) as unnoticed
from outbox.restore_epoch order by epoch desc limit 1
