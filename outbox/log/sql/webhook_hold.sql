-- webhook_hold: takes or renews the lease of a webhook; no row while another sender holds it, or if it is disabled or
-- gone.
update outbox.webhook
set owner = %(owner)s, leased_until = clock_timestamp() + %(duration)s
where name = %(name)s and disabled_at is null and (owner = %(owner)s or coalesce(leased_until <= clock_timestamp(), true))
returning true
