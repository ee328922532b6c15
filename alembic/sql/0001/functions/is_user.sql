-- Whether the text is a recipient, and a person: only people are mentioned or have sent a message.
create function outbox.is_user(p_to text) returns boolean language sql immutable parallel safe as $$
  select outbox.jid(p_to) collate "C" ~ '@(s\.whatsapp\.net|lid)$' is true
$$;
