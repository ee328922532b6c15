-- Keeps these media from being erased until the transaction ends, as a foreign key would: whoever enqueues a body that
-- names them calls it before. Returns the first that is not there, or null.
create function outbox.hold_media(p_digests bytea[]) returns bytea language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
begin
  perform from outbox.media m where m.digest = any (p_digests) order by m.digest for key share;
  return (select d from unnest(p_digests) with ordinality as g (d, nth)
          where not exists (select from outbox.media m where m.digest = d) order by nth limit 1);
end $$;
