-- unsettled: attempts of an account whose outcome is unknown.
select id, recipient, attempts, message_id, on_unknown, outbox.is_traceable(account, id)
from outbox.notification
where account = %(account)s and unsettled
