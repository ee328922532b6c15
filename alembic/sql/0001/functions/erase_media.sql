-- Deletes those of these media that no body names, and returns how many. What an enqueue that is not committed is
-- about to name is locked by it (outbox.media_problem) and stays.
create function outbox.erase_media(p_digests bytea[]) returns integer language plpgsql
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
declare
  v_erased integer;
begin
  with free as materialized (
    select m.digest from outbox.media m where m.digest = any (p_digests) for update skip locked
  )
  delete from outbox.media m using free f
  where m.digest = f.digest and not exists (
    select from outbox.content c
    where c.body ?| '{media,items}'
      and jsonb_path_query_array(c.body, '$.**.media') ? encode(f.digest, 'hex'));
  get diagnostics v_erased = row_count;
  return v_erased;
end $$;
