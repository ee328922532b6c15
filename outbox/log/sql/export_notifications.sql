-- export_notifications: every notification to these recipients, the oldest first, each with its body, the digests of
-- its media and its events.
select to_jsonb(n) || jsonb_build_object(
  'content', encode(n.content, 'hex'),
  'body', c.body,
  'media', (select jsonb_agg(encode(m.digest, 'hex') order by m.nth) from outbox.content_media(c.body) m),
  'events', (select jsonb_agg(jsonb_build_object('version', e.version, 'recorded_at', e.recorded_at, 'type', e.type,
                                                 'data', e.data, 'metadata', e.metadata) order by e.version)
             from outbox.event e where e.stream = n.id))
from outbox.notification n
left join lateral (select body from outbox.content c where c.digest = n.content limit 1) c on true
where n.recipient = any (%(recipients)s)
order by n.position
