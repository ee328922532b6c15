-- Whom a recipient's id stands for, until it is erased.
create view audit.identity as
select recipient, jid, split_part(jid, '@', 1) as number from outbox.identity;

comment on view audit.identity is 'Whom a recipient''s id stands for; a recipient that was erased has no row.';
