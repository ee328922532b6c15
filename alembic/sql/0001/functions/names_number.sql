-- Whether a text has the number of a JID in it, as a number of its own.
create function outbox.names_number(p_text text, p_jid text) returns boolean language sql immutable parallel safe as $$
  select p_jid like '%@s.whatsapp.net' and strpos(p_text, split_part(p_jid, '@', 1)) > 0
     and p_text ~ ('(?<![0-9])' || split_part(p_jid, '@', 1) || '(?![0-9])')
$$;
