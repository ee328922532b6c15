-- Erases bodies whose time is over, up to a limit, the most overdue first, and the media that no other body names. Only
-- bodies that were stored to be erased are looked at: each is one notification's own. Its time runs from when that was
-- sent, or ended without success; while it is open it is needed, so it cannot be over sooner than its time from now.
-- Returns how many it looked at; the rest in the next call.
create function outbox.erase_bodies(p_limit integer default 1000, out looked integer, out erased integer)
language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
declare
  v_media bytea[];
begin
  with due as materialized (
    select c.digest, c.copy,
           case when n.open then statement_timestamp() + greatest(c.erase_after, interval '10 seconds')
                else coalesce(n.sent_at, n.changed_at, '-infinity') + c.erase_after end as erase_at
    from outbox.content c left join outbox.notification n on n.id = c.notification
    where c.erase_at <= statement_timestamp()
    order by c.erase_at limit p_limit
    for update of c skip locked
  ), later as (
    update outbox.content c set erase_at = d.erase_at
    from due d where c.digest = d.digest and c.copy = d.copy and d.erase_at > statement_timestamp()
  ), gone as (
    delete from outbox.content c using due d
    where c.digest = d.digest and c.copy = d.copy and d.erase_at <= statement_timestamp()
    returning c.digest, c.body
  )
  select (select count(*) from due), count(distinct g.digest), array_agg(distinct m.digest) filter (where m.digest is not null)
    into looked, erased, v_media
  from gone g left join lateral outbox.content_media(g.body) m on true;
  if v_media is not null then
    perform outbox.erase_media(v_media);
  end if;
end $$;
