-- stranded: attempts that the log has as started and that the owner, who alone could have them, has not.
select id, recipient, priority, position, attempts
from outbox.notification
where account = %(account)s and open and state = 'sending' and id <> all (%(known)s)
