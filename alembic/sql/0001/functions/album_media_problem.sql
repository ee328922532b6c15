-- The rule that the media of an album's items break, the first that do, and the value that the refusal shows; null
-- when they are fine. Each is judged as the image or the video that it is, and then all of them together.
create function outbox.album_media_problem(p_body jsonb, out rule text, out shown text) language plpgsql stable
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
declare
  v_item  record;
  v_kind  text;
  v_total bigint := 0;
begin
  for v_item in
    select c.nth, c.digest, m.mime, m.size
    from outbox.content_media(p_body) c left join outbox.media m using (digest) order by c.nth
  loop
    v_kind := case when outbox.media_fits('video', v_item.mime) then 'video' else 'image' end;
    v_total := v_total + v_item.size;
    if v_item.mime is null then
      rule := 'unknown_media';
      shown := encode(v_item.digest, 'hex');
    elsif not outbox.media_fits('album', v_item.mime) then
      rule := 'media_mismatch';
      shown := format('%s for item %s of an album', v_item.mime, v_item.nth);
    elsif v_item.size > outbox.media_limit(v_kind) then
      rule := 'media_too_large';
      shown := format('%s bytes for %s, item %s of an album', v_item.size, v_kind, v_item.nth);
    end if;
    if rule is not null then
      return;
    end if;
  end loop;
  if v_total > outbox.media_limit('album') then
    rule := 'media_too_large';
    shown := format('%s bytes for all of an album', v_total);
  end if;
end $$;
