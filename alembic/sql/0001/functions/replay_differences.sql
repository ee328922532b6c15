-- Compares a replayed schema with the live projections, row for row: every row that one of them has and the other has
-- not, or has with other values, to the byte: 24 hours are not a day. Empty when they agree.
create function outbox.replay_differences(p_schema text)
returns table (projection text, key text, live jsonb, replayed jsonb) language plpgsql as $$
declare
  v_projection text;
  v_key        text;
  v_shown      text;
begin
  for v_projection, v_key, v_shown in
    values ('notification', 'id', 'id'), ('recipient', 'account, recipient', 'recipient'), ('connection', 'account', 'account'),
           ('suppression', 'account, recipient', 'recipient')
  loop
    return query execute format(
      'select %1$L, coalesce(l.%2$I, r.%2$I)::text,
              case when l.%2$I is not null then to_jsonb(l) end, case when r.%2$I is not null then to_jsonb(r) end
       from outbox.%1$I l full join %3$I.%1$I r using (%4$s)
       where l.%2$I is null or r.%2$I is null or (l.*)::record *<> (r.*)::record',
      v_projection, v_shown, p_schema, v_key);
  end loop;
end $$;
