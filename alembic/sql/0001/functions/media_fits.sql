-- Whether media of this MIME type can be sent as this kind; false for a kind without media.
create function outbox.media_fits(p_kind text, p_mime text) returns boolean language sql immutable parallel safe as $$
  select coalesce(
      case p_kind
          when 'image' then lower(p_mime) like 'image/_%'
          when 'sticker' then lower(p_mime) like 'image/_%'
          when 'video' then lower(p_mime) like 'video/_%'
          when 'audio' then lower(p_mime) like 'audio/_%'
          when 'voice' then lower(p_mime) like 'audio/_%'
          when 'album' then lower(p_mime) like any ('{image/_%,video/_%}')
          when 'document' then p_mime like '_%/_%'
      end,
      false
  )
$$;
