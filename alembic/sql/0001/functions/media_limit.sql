-- The most bytes that a kind's media may have; null for a kind without media.
--
-- WhatsApp takes 16 MB of images, video and audio, and 2 GB of documents. Documents stop at
-- 64 MiB here, because a medium is held in memory while it is sent and a small dyno has 512 MB.
create function outbox.media_limit(p_kind text) returns bigint language sql immutable parallel safe as $$
  select case p_kind
      when 'image' then 16 * 1024 * 1024
      when 'video' then 16 * 1024 * 1024
      when 'audio' then 16 * 1024 * 1024
      when 'voice' then 16 * 1024 * 1024
      when 'sticker' then 1024 * 1024
      when 'document' then 64 * 1024 * 1024
  end::bigint
$$;
