-- export_person: all that is held of a person beside the notifications, as one JSON object.
select jsonb_build_object(
  'exported_at', statement_timestamp(),
  'recipients', coalesce((
    select jsonb_agg(jsonb_build_object('id', i.recipient, 'jid', i.jid, 'registered', i.registered,
                                        'checked_at', i.checked_at) order by i.jid)
    from outbox.identity i where i.recipient = any (%(recipients)s)), '[]'),
  'counters', coalesce((
    select jsonb_agg(to_jsonb(r) - 'position' order by r.account)
    from outbox.recipient r where r.recipient = any (%(recipients)s)), '[]'),
  'suppressions', coalesce((
    select jsonb_agg(to_jsonb(s) - 'stream' - 'version' order by s.account)
    from outbox.suppression s where s.recipient = any (%(recipients)s)), '[]'),
  'events', coalesce((
    select jsonb_agg(jsonb_build_object('account', e.account, 'version', e.version, 'recorded_at', e.recorded_at,
                                        'type', e.type, 'data', e.data, 'metadata', e.metadata)
                     order by e.account, e.version)
    from outbox.event e join outbox.suppression s using (stream)
    where s.recipient = any (%(recipients)s)), '[]'),
  'idempotency_keys', coalesce((
    select jsonb_agg(jsonb_build_object('account', k.account, 'key', k.key, 'notification', k.notification)
                     order by k.account, k.key)
    from outbox.idempotency k where k.recipient = any (%(recipients)s)), '[]'),
  'whatsapp', coalesce((
    select jsonb_agg(jsonb_build_object('table', w.name, 'row', w.held) order by w.name)
    from outbox.whatsapp_rows(%(jids)s) w), '[]'))
