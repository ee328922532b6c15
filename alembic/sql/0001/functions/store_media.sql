-- Keeps media bytes and returns their digest, which a content's `media` field names. Stored once, however often given.
create function outbox.store_media(data bytea, mime text) returns text language plpgsql
security definer set search_path = pg_catalog, pg_temp  -- for roles that may do this and no more: outbox.grant_roles
set enable_seqscan = off  -- always by key: a plan made while a table was small must not stay
as $$
declare
  v_digest bytea := sha256(data);
begin
  if mime is null or mime !~ '^[a-z]+/[a-z0-9.+-]+$' then
    perform outbox.refuse('bad_mime', mime);
  elsif data is null or length(data) = 0 then
    perform outbox.refuse('empty_media', mime);
  elsif length(data) > outbox.media_limit('document') then
    perform outbox.refuse('media_too_large', format('%s bytes of %s', length(data), mime));
  end if;
  insert into outbox.media (digest, mime, size, data)
  select v_digest, store_media.mime, length(store_media.data), store_media.data
  where not exists (select from outbox.media m where m.digest = v_digest)
  on conflict do nothing;
  return encode(v_digest, 'hex');
end $$;
