-- Puts WhatsApp's message id in the place of each reference to another notification ({"notification": id}).
-- A reference to one that was never sent stays as it is, and the attempt is rejected for it.
create function outbox.resolve_references(p_body jsonb) returns jsonb language sql stable as $$
  select p_body || coalesce(jsonb_object_agg(f.key, jsonb_build_object('message_id', n.message_id, 'from_me', true)), '{}')
  from unnest('{message,quote}'::text[]) as f (key)
  join outbox.notification n on n.id = (p_body->f.key->>'notification')::uuid and n.sent_at is not null
$$;
