-- The log, for whoever may read the schema `audit` alone: a view reads with its owner's rights. Everything else in the
-- schema reads this view, so an auditor who may use the schema needs no right on `outbox`.
-- The functions of the schema are written as single statements that were parsed when they were made (`begin atomic`):
-- PostgreSQL puts them into the query that asks, so that a period prunes partitions, a condition of the asker's reaches
-- the index, and EXPLAIN shows all of it. They read the log and what lies beside it, never a projection: what has been
-- parsed keeps to the very table, and a projection may be exchanged for one that was rebuilt. (What is still open can be
-- had from a projection alone; audit.waiting asks it by its name.)
create view audit.event as
select position, xid, recorded_at, account, stream, version, type, data, metadata from outbox.event;

comment on view audit.event is 'The log: every fact is one row.';
