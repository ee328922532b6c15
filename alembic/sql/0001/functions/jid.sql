-- The JID that a recipient stands for, or null if the text is no recipient.
--
-- Taken are a number in international form (E.164: a plus, then 7 to 15 digits of which the first
-- is no 0) with spaces, no-break spaces, hyphens and dots between the digits, and these JIDs as
-- they are: of a user (…@s.whatsapp.net, …@lid), of a group (…@g.us), of a newsletter
-- (…@newsletter) and status@broadcast. Parentheses are not taken: in "+44 (0)7700 900123" the zero
-- would be dialled. Neither are the legacy …@c.us and a JID of one device (…:3@s.whatsapp.net).
--
-- One expression without sub-select, so that the planner puts it into the calling query. Lengths
-- are counted beside the patterns: a pattern like [0-9]{6,14} takes three times as long.
create function outbox.jid(p_to text) returns text language sql immutable parallel safe as $$
  select case
      when length(p_to) > 64 then null
      when p_to like '+%' then case
          when p_to collate "C" ~ '^\+[1-9]([- .\u00a0]*[0-9])+$'
              and length(translate(p_to, U&'+- .\00a0', '')) between 7 and 15
              then translate(p_to, U&'+- .\00a0', '') || '@s.whatsapp.net'
      end
      when p_to like '%@s.whatsapp.net' then case
          when p_to collate "C" ~ '^[1-9][0-9]+@s' and length(p_to) - 15 between 7 and 15 then p_to
      end
      when p_to collate "C" ~ '^([0-9]+@(lid|g\.us|newsletter)|[0-9]+-[0-9]+@g\.us)$' then p_to
      when p_to = 'status@broadcast' then p_to
  end
$$;
