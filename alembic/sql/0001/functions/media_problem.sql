-- Judges the media that a body names, for an account: null when it names none or may have it, otherwise the rule that
-- is broken. A voice note is Ogg with Opus; any other sound the worker has to convert, which may lack what it takes.
create function outbox.media_problem(p_body jsonb, p_account text) returns text language sql stable as $$
  select case
    when p_body ? 'items' then (outbox.album_media_problem(p_body)).rule
    when not p_body ? 'media' then null
    when not exists (select from outbox.media where digest = decode(p_body->>'media', 'hex')) then 'unknown_media'
    else (select case when size > outbox.media_limit(p_body->>'kind')   then 'media_too_large'
                      when not outbox.media_fits(p_body->>'kind', mime) then 'media_mismatch'
                      when p_body->>'kind' = 'voice' and lower(mime) <> 'audio/ogg'
                       and exists (select from outbox.connection where account = p_account and lacks_ffmpeg)
                      then 'needs_ffmpeg' end
          from outbox.media where digest = decode(p_body->>'media', 'hex')) end
$$;
