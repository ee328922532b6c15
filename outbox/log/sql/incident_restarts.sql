-- incident_restarts: which workers took an account over from another one within a period, and how that one had ended.
select l.account, l.began_at as at, l.epoch, l.worker, l.release, l.earlier_worker, l.earlier_release, l.earlier_end,
       count(*) over () as total
from (
  select l.*, lag(l.worker) over told as earlier_worker, lag(l.release) over told as earlier_release,
         lag(l.ended_by) over told as earlier_end, lag(l.epoch) over told as earlier_epoch
  from audit.lease l
  where %(account)s::text is null or l.account = %(account)s
  window told as (partition by l.account order by l.epoch)
) l
where l.earlier_epoch is not null and l.began_at >= %(since)s and l.began_at < %(until)s
order by l.began_at, l.account
limit %(most)s
