-- Whether a digest is that of this body, salted or not. Of a body that has been erased nobody can tell: then it is taken
-- for the same, so that a request that is repeated with its key is not sent twice.
create function outbox.same_content(p_digest bytea, p_body jsonb) returns boolean language sql stable as $$
  select p_digest = sha256(convert_to(p_body::text, 'UTF8'))
      or coalesce((select p_digest = sha256(c.salt || convert_to(p_body::text, 'UTF8'))
                   from outbox.content c where c.digest = p_digest and c.salt is not null limit 1),
                  not exists (select from outbox.content c where c.digest = p_digest))
$$;
