-- incident_doubled: what may have reached its recipient twice by a decision of a period, and why it was sent again.
select d.account, d.notification, i.jid, d.first_message_id, d.doubted_at, d.doubt, d.decided_at, d.reason,
       d.second_message_id, d.sent_again_at, count(*) over () as total
from audit.duplicates(%(since)s, %(until)s, %(account)s) d
left join audit.identity i on i.recipient = d.recipient
order by d.decided_at, d.notification
limit %(most)s
