-- The rule that the mentions or the quote of a body break, or null. Only people can be mentioned,
-- and no more than a group has members (WhatsApp: 1024).
create function outbox.context_problem(p_body jsonb) returns text language sql immutable parallel safe as $$
  select case
      when p_body ? 'mentions' and jsonb_typeof(p_body -> 'mentions') <> 'array'
          then 'wrong_type'
      when p_body ? 'mentions' and (
          jsonb_array_length(p_body -> 'mentions') > 1024
          or exists (
              select from jsonb_array_elements(p_body -> 'mentions') as m (value)
              where jsonb_typeof(m.value) <> 'string'
                  or not outbox.is_user(m.value #>> '{}')
          )
      ) then 'bad_mention'
      when p_body ? 'quote' and not outbox.is_reference(p_body -> 'quote') then 'bad_reference'
  end
$$;
