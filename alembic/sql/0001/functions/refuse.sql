-- Refuses: raises the breach of a rule of outbox.refusals, with the value in its sentence and the way out in its
-- hint. The name of the rule travels as the error's constraint name, where programs find it.
--
-- The value is put on one line and cut at 120 characters: it may be a whole body.
create function outbox.refuse(p_rule text, p_value text) returns void language plpgsql as $$
declare
  v_value   text := regexp_replace(coalesce(nullif(p_value, ''), case when p_value = '' then '""' else 'null' end) collate "C",
                                   '[\u0001-\u0020\u007f-\u00a0\u2028\u2029]+', ' ', 'g');
  v_refusal record;
begin
  select * into v_refusal from outbox.refusals() r where r.rule = p_rule;
  if not found then
    raise exception 'outbox.refuse was asked about a rule that outbox.refusals does not have: %', p_rule
      using errcode = 'internal_error', hint = 'This is a mistake in the outbox itself: please report it.';
  end if;
  if length(v_value) > 120 then
    v_value := left(v_value, 119) || '…';
  end if;
  raise exception using
    errcode    = v_refusal.sqlstate,
    message    = replace(v_refusal.message, '%s', v_value),
    hint       = v_refusal.hint,
    constraint = p_rule;
end $$;
