-- status_last_sent: when each account last sent something, so far as the newest events of the log tell.
select account, max(recorded_at)
from (select account, recorded_at, type from outbox.event order by xid desc limit %(events)s) newest
where type = 'sent'
group by account
