-- suppressions: those in force, the latest first. A filter that is null filters nothing; not to be prepared.
select s.recipient, i.jid, s.account, s.suppressed_at, s.reason
from outbox.suppression s
left join outbox.identity i using (recipient)
where s.suppressed_at is not null
  and (%(account)s::text is null or s.account in (%(account)s, '*'))
  and (%(recipient)s::text is null
       or s.recipient = any (array(select unnest(p.recipients) from outbox.person(%(recipient)s) p)))
order by s.suppressed_at desc, s.recipient, s.account
limit %(limit)s
