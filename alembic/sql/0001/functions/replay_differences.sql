-- Compares a replayed schema with the live projections, row for row: every row that one of them has and the other has
-- not, or has with other values. Empty when they agree.
create function outbox.replay_differences(p_schema text)
returns table (projection text, key text, live jsonb, replayed jsonb) language plpgsql as $$
declare
  v_projection text;
  v_key        text;
begin
  for v_projection, v_key in
    values ('notification', 'id'), ('recipient', 'account, recipient'), ('connection', 'account')
  loop
    return query execute format(
      'select %1$L, coalesce(to_jsonb(l), to_jsonb(r)) ->> %2$L, to_jsonb(l), to_jsonb(r)
       from outbox.%1$I l full join %3$I.%1$I r using (%4$s)
       where to_jsonb(l) is distinct from to_jsonb(r)',
      v_projection, case v_projection when 'notification' then 'id' when 'recipient' then 'recipient' else 'account' end,
      p_schema, v_key);
  end loop;
end $$;
