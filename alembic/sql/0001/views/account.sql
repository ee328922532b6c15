-- The accounts that a worker has ever owned: only those have a connection that can be told of.
create view audit.account as
select account, outbox.connection_stream(account) as connection from outbox.lease;

comment on view audit.account is 'The accounts that a worker has ever owned, each with the stream of its connection.';
