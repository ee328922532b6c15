-- The digests of the media that a good body names, numbered from 1 in their order: one, or one for each of an album's
-- items.
create function outbox.content_media(p_body jsonb) returns table (nth bigint, digest bytea)
language sql immutable parallel safe rows 1 as $$
  select 1, decode(p_body ->> 'media', 'hex') where p_body ? 'media'
  union all
  select i.nth, decode(i.item ->> 'media', 'hex')
  from jsonb_array_elements(p_body -> 'items') with ordinality as i (item, nth)
$$;
