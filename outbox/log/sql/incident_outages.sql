-- incident_outages: when connections did not stand within a period, why, and what each time held up.
select account, began_at, ended_at, duration, cause, reason, held_up, median_late, longest_late
from audit.outages(%(since)s, %(until)s, %(account)s)
order by began_at, account
