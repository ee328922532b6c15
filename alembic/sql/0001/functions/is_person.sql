-- Whether a JID is a person's, who may be a stranger: not a group's, a newsletter's or that of the status.
create function outbox.is_person(p_jid text) returns boolean language sql immutable parallel safe as $$
  select p_jid like '%@s.whatsapp.net' or p_jid like '%@lid'
$$;
