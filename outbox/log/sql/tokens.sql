-- tokens: the tokens of some digests, the one of a name, or all of them, and whether each is valid now.
select name, digest, scopes, created_at, expires_at, revoked_at,
       case when revoked_at is not null then 'revoked'
            when expires_at <= statement_timestamp() then 'expired'
            else 'valid' end as state
from outbox.token
where (%(digests)s::bytea[] is null or digest = any(%(digests)s))
  and (%(name)s::text is null or name = %(name)s)
order by created_at, name
