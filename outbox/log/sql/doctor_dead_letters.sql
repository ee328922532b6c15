-- doctor_dead_letters: an account's notifications that ended without success since yesterday, by state, but for those
-- that somebody withdrew.
select state, count(*) from outbox.notification
where account = %(account)s and not open and sent_at is null and state <> 'cancelled'
  and changed_at > statement_timestamp() - interval '24 hours'
group by state order by state
