-- The rule that a notification's body breaks (see outbox.refusals), or null when it is fine.
--
-- A body is judged in this order, and the first rule broken is the answer: its kind, fields that
-- the kind does not have, fields that are missing, then each field in the order of
-- outbox.content_fields. JSON's null is a value of the wrong type: what is absent is left out, so
-- that one content has one spelling. Media are judged by outbox.enqueue, which can look at them.
--
-- Each kind has a statement of its own, so that a transaction prepares the expressions of the
-- kinds that it meets and no others: as one expression this took longer than all else in an enqueue.
--
-- Limits: 65,536 characters of text and 1,024 of a caption are WhatsApp's. Those of a file name
-- (255), and of a name or an address (1,024) are ours.
create function outbox.content_problem(p_body jsonb) returns text language plpgsql immutable parallel safe as $$
declare
  v_kind   text   := p_body ->> 'kind';
  v_fields text[] := outbox.content_fields(v_kind);
begin
  if v_fields is null then
    return case when jsonb_typeof(p_body) = 'object' then 'unknown_kind' else 'body_not_object' end;
  elsif p_body - v_fields <> '{}' then
    return 'unknown_field';
  elsif not p_body ?& outbox.content_required(v_kind) then
    return 'missing_field';
  end if;

  case v_kind
    when 'text' then
      return case
        when jsonb_typeof(p_body -> 'text') <> 'string' then 'wrong_type'
        when length(p_body ->> 'text') > 65536 then 'text_too_long'
        when outbox.is_blank(p_body ->> 'text') then 'empty_text'
        when jsonb_typeof(p_body -> 'link_preview') <> 'boolean' then 'wrong_type'
        when p_body ?| array['mentions', 'quote'] then outbox.context_problem(p_body)
      end;
    when 'location' then
      return case
        when jsonb_typeof(p_body -> 'latitude') <> 'number' then 'wrong_type'
        when (p_body ->> 'latitude')::numeric not between -90 and 90 then 'bad_coordinates'
        when jsonb_typeof(p_body -> 'longitude') <> 'number' then 'wrong_type'
        when (p_body ->> 'longitude')::numeric not between -180 and 180 then 'bad_coordinates'
        when jsonb_typeof(p_body -> 'name') <> 'string' then 'wrong_type'
        when length(p_body ->> 'name') > 1024 then 'name_too_long'
        when jsonb_typeof(p_body -> 'address') <> 'string' then 'wrong_type'
        when length(p_body ->> 'address') > 1024 then 'name_too_long'
        when p_body ? 'quote' then outbox.context_problem(p_body)
      end;
    when 'contact' then
      return case
        when jsonb_typeof(p_body -> 'name') <> 'string' then 'wrong_type'
        when length(p_body ->> 'name') > 1024 then 'name_too_long'
        when outbox.is_blank(p_body ->> 'name') then 'empty_text'
        when jsonb_typeof(p_body -> 'number') <> 'string' then 'wrong_type'
        when p_body ->> 'number' not like '+%' or outbox.jid(p_body ->> 'number') is null
            then 'bad_contact_number'
        when p_body ? 'quote' then outbox.context_problem(p_body)
      end;
    when 'poll' then
      return coalesce(outbox.poll_problem(p_body),
            case when p_body ? 'quote' then outbox.context_problem(p_body) end);
    when 'album' then
      return coalesce((outbox.album_problem(p_body)).rule,
            case when p_body ?| array['mentions', 'quote'] then outbox.context_problem(p_body) end);
    when 'reaction' then
      return case
        when not outbox.is_reference(p_body -> 'message') then 'bad_reference'
        when jsonb_typeof(p_body -> 'emoji') <> 'string' then 'wrong_type'
        when not outbox.is_emoji(p_body ->> 'emoji') then 'bad_emoji'
      end;
    when 'edit' then
      return case
        when not outbox.is_reference(p_body -> 'message') then 'bad_reference'
        when jsonb_typeof(p_body -> 'text') <> 'string' then 'wrong_type'
        when length(p_body ->> 'text') > 65536 then 'text_too_long'
        when outbox.is_blank(p_body ->> 'text') then 'empty_text'
        when p_body ? 'mentions' then outbox.context_problem(p_body)
      end;
    when 'revoke' then
      return case
        when not outbox.is_reference(p_body -> 'message') then 'bad_reference'
      end;
    else -- image, video, audio, voice, document, sticker
      return case
        when jsonb_typeof(p_body -> 'media') <> 'string' then 'wrong_type'
        when length(p_body ->> 'media') <> 64
            or translate(p_body ->> 'media', '0123456789abcdef', '') <> ''
            then 'bad_media_digest'
        when jsonb_typeof(p_body -> 'filename') <> 'string' then 'wrong_type'
        when outbox.is_blank(p_body ->> 'filename')
            or length(p_body ->> 'filename') > 255
            or (p_body ->> 'filename') collate "C" ~ '[/\\\u0001-\u001f\u007f-\u009f]'
            then 'bad_filename'
        when jsonb_typeof(p_body -> 'caption') <> 'string' then 'wrong_type'
        when length(p_body ->> 'caption') > 1024 then 'caption_too_long'
        when p_body ?| array['mentions', 'quote'] then outbox.context_problem(p_body)
      end;
  end case;
end $$;
