-- What in a body breaks the rule that outbox.content_problem or outbox.media_problem named: the value that the
-- refusal shows. Called only when there is something to refuse, so it may take its time.
create function outbox.describe_content(p_body jsonb, p_rule text) returns text language plpgsql stable as $$
declare
  v_kind    text   := p_body ->> 'kind';
  v_fields  text[] := outbox.content_fields(v_kind);
  v_field   text;
  v_found   text;
begin
  if v_kind = 'album' and p_body - v_fields = '{}' then
    v_found := coalesce((outbox.album_problem(p_body)).shown,
                        case when p_rule in ('unknown_media', 'media_too_large', 'media_mismatch')
                             then (outbox.album_media_problem(p_body)).shown end);
    if v_found is not null then
      return v_found;
    end if;
  end if;

  case p_rule
    when 'unknown_kind' then
      return coalesce(v_kind, 'none is given');

    when 'unknown_field' then
      return (select string_agg(k, ', ' order by k collate "C") from jsonb_object_keys(p_body - v_fields) k)
        || format(' (%s has %s)', v_kind, array_to_string(v_fields[2:], ', '));

    when 'missing_field' then
      return (select string_agg(f, ', ' order by n) from unnest(outbox.content_required(v_kind)) with ordinality as r (f, n)
              where not p_body ? f)
        || format(' (%s needs %s)', v_kind, array_to_string(outbox.content_required(v_kind), ', '));

    when 'wrong_type' then
      foreach v_field in array v_fields loop
        v_found := case
          when v_field in ('latitude', 'longitude', 'selectable') then 'number'
          when v_field = 'link_preview' then 'boolean'
          when v_field in ('options', 'mentions', 'items') then 'array'
          when v_field not in ('quote', 'message') then 'string'
        end;
        if jsonb_typeof(p_body -> v_field) <> v_found then
          return format('%s is %s, not %s', v_field, jsonb_typeof(p_body -> v_field), v_found);
        end if;
      end loop;

    when 'empty_text' then
      return case when p_body ? 'text' then 'text' else 'name' end;

    when 'text_too_long' then
      return format('text of %s characters', length(p_body ->> 'text'));

    when 'caption_too_long' then
      return format('caption of %s characters', length(p_body ->> 'caption'));

    when 'name_too_long' then
      foreach v_field in array array['name', 'address'] loop
        if length(p_body ->> v_field) > 1024 then
          return format('%s of %s characters', v_field, length(p_body ->> v_field));
        end if;
      end loop;

    when 'bad_media_digest' then
      return p_body ->> 'media';

    when 'bad_filename' then
      return p_body ->> 'filename';

    when 'bad_contact_number' then
      return p_body ->> 'number';

    when 'bad_emoji' then
      return p_body ->> 'emoji';

    when 'bad_coordinates' then
      return case when abs((p_body ->> 'latitude')::numeric) > 90 then 'latitude ' || (p_body ->> 'latitude')
        else 'longitude ' || (p_body ->> 'longitude') end;

    when 'bad_reference' then
      v_field := case when p_body ? 'message' then 'message' else 'quote' end;
      return v_field || ' ' || (p_body -> v_field)::text;

    when 'bad_mention' then
      if jsonb_array_length(p_body -> 'mentions') > 1024 then
        return format('%s mentions', jsonb_array_length(p_body -> 'mentions'));
      end if;
      return (select m.value #>> '{}' from jsonb_array_elements(p_body -> 'mentions') with ordinality as m (value, n)
              where jsonb_typeof(m.value) <> 'string' or not outbox.is_user(m.value #>> '{}') order by n limit 1);

    when 'bad_poll' then
      if outbox.is_blank(p_body ->> 'question') then
        return 'nothing to be seen in question';
      elsif length(p_body ->> 'question') > 255 then
        return format('question of %s characters', length(p_body ->> 'question'));
      elsif jsonb_array_length(p_body -> 'options') not between 2 and 12 then
        return format('number of options %s', jsonb_array_length(p_body -> 'options'));
      end if;
      select s.problem into v_found
      from jsonb_array_elements(p_body -> 'options') with ordinality as o (value, n)
      cross join lateral (select case
        when jsonb_typeof(o.value) <> 'string' then format('option %s is %s, not string', n, jsonb_typeof(o.value))
        when outbox.is_blank(o.value #>> '{}') then format('nothing to be seen in option %s', n)
        when length(o.value #>> '{}') > 100 then format('option %s of %s characters', n, length(o.value #>> '{}'))
      end) as s (problem)
      where s.problem is not null
      order by n limit 1;
      if v_found is not null then
        return v_found;
      end if;
      select format('option %s is given twice', max(n)) into v_found
      from jsonb_array_elements(p_body -> 'options') with ordinality as o (value, n)
      group by o.value having count(*) > 1 order by min(n) limit 1;
      return coalesce(v_found, 'selectable ' || (p_body ->> 'selectable'));

    when 'unknown_media' then
      return p_body ->> 'media';

    when 'media_too_large' then
      return (select format('%s bytes for %s', m.size, v_kind) from outbox.media m
              where m.digest = decode(p_body ->> 'media', 'hex'));

    when 'media_mismatch', 'needs_ffmpeg' then
      return (select format('%s for %s', m.mime, v_kind) from outbox.media m
              where m.digest = decode(p_body ->> 'media', 'hex'));

    else
      return p_body::text;
  end case;
  return p_body::text;
end $$;
