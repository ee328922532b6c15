-- The fields that a kind of content may have; null if there is no such kind.
create function outbox.content_fields(p_kind text) returns text[] language sql immutable parallel safe as $$
  select case p_kind
      when 'text' then array['kind', 'text', 'link_preview', 'mentions', 'quote']
      when 'image' then array['kind', 'media', 'caption', 'mentions', 'quote']
      when 'video' then array['kind', 'media', 'caption', 'mentions', 'quote']
      when 'audio' then array['kind', 'media', 'quote']
      when 'voice' then array['kind', 'media', 'quote']
      when 'document' then array['kind', 'media', 'filename', 'caption', 'mentions', 'quote']
      when 'sticker' then array['kind', 'media', 'quote']
      when 'album' then array['kind', 'items', 'mentions', 'quote']
      when 'location' then array['kind', 'latitude', 'longitude', 'name', 'address', 'quote']
      when 'contact' then array['kind', 'name', 'number', 'quote']
      when 'poll' then array['kind', 'question', 'options', 'selectable', 'quote']
      when 'reaction' then array['kind', 'message', 'emoji']
      when 'edit' then array['kind', 'message', 'text', 'mentions']
      when 'revoke' then array['kind', 'message']
  end
$$;
