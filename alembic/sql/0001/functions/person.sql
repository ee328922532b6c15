-- Whom a number, a JID or a recipient's id means: all addresses of that person, and the ids that stand for them in the
-- log. WhatsApp knows a person by a number and by a lid, and whatsmeow remembers which belong together.
create function outbox.person(p_recipient text, out jids text[], out recipients uuid[]) language plpgsql stable as $$
begin
  if p_recipient ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    recipients := array[p_recipient::uuid];
    jids := array(select jid from outbox.identity where recipient = p_recipient::uuid);
  else
    jids := array[outbox.jid(p_recipient)];
    if jids[1] is null then
      perform outbox.refuse('bad_recipient', p_recipient);
    end if;
  end if;

  if to_regclass('whatsapp.whatsmeow_lid_map') is not null then
    execute $query$
      select array(select unnest($1)
                   union
                   select lid || '@lid' from whatsapp.whatsmeow_lid_map where pn || '@s.whatsapp.net' = any ($1)
                   union
                   select pn || '@s.whatsapp.net' from whatsapp.whatsmeow_lid_map where lid || '@lid' = any ($1))
    $query$ into jids using jids;
  end if;
  recipients := array(select unnest(recipients) union select recipient from outbox.identity where jid = any (jids));
end $$;
