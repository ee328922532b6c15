-- The guard of the seals, as the log has one.
create trigger guard before update or delete or truncate on outbox.seal
  for each statement execute function outbox.refuse_change();
