-- The rule that the items of an album break, the first that does, and the value that the refusal shows; null when
-- they are fine. An item is {"media": digest, "caption"?: text}.
--
-- At least 2 items: neonize's send_album sends no fewer. At most 30: what the apps let one choose at once for years, by
-- hearsay (whatsapp-tips.com, "How many MB can be sent via WhatsApp?"); neonize and whatsmeow know no limit.
create function outbox.album_problem(p_body jsonb, out rule text, out shown text)
language plpgsql immutable parallel safe as $$
declare
  v_items jsonb   := p_body -> 'items';
  v_item  jsonb;
  v_nth   integer := 0;
begin
  if jsonb_typeof(v_items) <> 'array' then
    rule := 'wrong_type';
    shown := format('items is %s, not array', jsonb_typeof(v_items));
    return;
  elsif jsonb_array_length(v_items) not between 2 and 30 then
    rule := 'bad_album';
    shown := format('number of items %s', jsonb_array_length(v_items));
    return;
  end if;
  for v_item in select i.item from jsonb_array_elements(v_items) with ordinality as i (item, nth) order by i.nth loop
    v_nth := v_nth + 1;
    if jsonb_typeof(v_item) <> 'object' then
      rule := 'wrong_type';
      shown := format('item %s is %s, not object', v_nth, jsonb_typeof(v_item));
    elsif v_item - array['media', 'caption'] <> '{}' then
      rule := 'unknown_field';
      shown := (select string_agg(k, ', ' order by k collate "C")
                from jsonb_object_keys(v_item - array['media', 'caption']) k)
        || format(' in item %s (an item has media, caption)', v_nth);
    elsif not v_item ? 'media' then
      rule := 'missing_field';
      shown := format('media in item %s (an item needs media)', v_nth);
    elsif jsonb_typeof(v_item -> 'media') <> 'string' then
      rule := 'wrong_type';
      shown := format('media in item %s is %s, not string', v_nth, jsonb_typeof(v_item -> 'media'));
    elsif length(v_item ->> 'media') <> 64 or translate(v_item ->> 'media', '0123456789abcdef', '') <> '' then
      rule := 'bad_media_digest';
      shown := v_item ->> 'media';
    elsif jsonb_typeof(v_item -> 'caption') <> 'string' then
      rule := 'wrong_type';
      shown := format('caption in item %s is %s, not string', v_nth, jsonb_typeof(v_item -> 'caption'));
    elsif length(v_item ->> 'caption') > 1024 then
      rule := 'caption_too_long';
      shown := format('caption in item %s of %s characters', v_nth, length(v_item ->> 'caption'));
    end if;
    exit when rule is not null;
  end loop;
end $$;
