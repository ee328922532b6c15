-- The most bytes that a kind's media may have, all of an album's together; null for a kind without media.
--
-- 16 MB of video and audio is what Meta states for its Business Platform ("Supported media types") and what the apps
-- are said to take as media; pictures and stickers are smaller by nature. Documents may have 2 GB in the apps, but
-- stop at 64 MiB here: a medium is held in memory while it is sent, and a small dyno has 512 MB. Those of an album are
-- held all at once, since nothing of it leaves before everything is uploaded; each is an image or a video besides.
create function outbox.media_limit(p_kind text) returns bigint language sql immutable parallel safe as $$
  select case p_kind
      when 'image' then 16 * 1024 * 1024
      when 'video' then 16 * 1024 * 1024
      when 'audio' then 16 * 1024 * 1024
      when 'voice' then 16 * 1024 * 1024
      when 'sticker' then 1024 * 1024
      when 'document' then 64 * 1024 * 1024
      when 'album' then 64 * 1024 * 1024
  end::bigint
$$;
