-- The fields that a kind of content must have, beside "kind"; null if there is no such kind.
create function outbox.content_required(p_kind text) returns text[] language sql immutable parallel safe as $$
  select case p_kind
      when 'text' then array['text']
      when 'image' then array['media']
      when 'video' then array['media']
      when 'audio' then array['media']
      when 'voice' then array['media']
      when 'document' then array['media', 'filename']
      when 'sticker' then array['media']
      when 'album' then array['items']
      when 'location' then array['latitude', 'longitude']
      when 'contact' then array['name', 'number']
      when 'poll' then array['question', 'options']
      when 'reaction' then array['message', 'emoji']
      when 'edit' then array['message', 'text']
      when 'revoke' then array['message']
  end
$$;
