-- The rule that a poll's own fields break, or null.
--
-- Limits: a question of 255 characters and 2 to 12 different options of 100 characters (GREEN-API's
-- "SendPoll"; WhatsApp publishes none). selectable is how many options one voter may choose, 0 any.
create function outbox.poll_problem(p_body jsonb) returns text language sql immutable parallel safe as $$
  select case
      when jsonb_typeof(p_body -> 'question') <> 'string' then 'wrong_type'
      when outbox.is_blank(p_body ->> 'question')
          or length(p_body ->> 'question') > 255 then 'bad_poll'
      when jsonb_typeof(p_body -> 'options') <> 'array' then 'wrong_type'
      when jsonb_array_length(p_body -> 'options') not between 2 and 12 then 'bad_poll'
      when exists (
          select from jsonb_array_elements(p_body -> 'options') as o (value)
          where jsonb_typeof(o.value) <> 'string'
              or outbox.is_blank(o.value #>> '{}')
              or length(o.value #>> '{}') > 100
      ) then 'bad_poll'
      when (
          select count(distinct o.value) < count(*)
          from jsonb_array_elements(p_body -> 'options') as o (value)
      ) then 'bad_poll'
      when not p_body ? 'selectable' then null
      when jsonb_typeof(p_body -> 'selectable') <> 'number' then 'wrong_type'
      when p_body ->> 'selectable' !~ '^([0-9]|1[0-2])$' then 'bad_poll'
      when (p_body ->> 'selectable')::integer > jsonb_array_length(p_body -> 'options')
          then 'bad_poll'
  end
$$;
