-- Judges the media that a body names: null when it names none or may have it, otherwise the rule that is broken.
create function outbox.media_problem(p_body jsonb) returns text language sql stable as $$
  select case
    when not p_body ? 'media' then null
    when not exists (select from outbox.media where digest = decode(p_body->>'media', 'hex')) then 'unknown_media'
    else (select case when size > outbox.media_limit(p_body->>'kind')   then 'media_too_large'
                      when not outbox.media_fits(p_body->>'kind', mime) then 'media_mismatch' end
          from outbox.media where digest = decode(p_body->>'media', 'hex')) end
$$;
