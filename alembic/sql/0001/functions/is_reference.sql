-- Whether this refers to a message: {"notification": uuid} to one of ours by its notification, or
-- {"message_id": text, "sender"?: JID of a user, "from_me"?: boolean} to any by WhatsApp's id.
create function outbox.is_reference(p_ref jsonb) returns boolean language sql immutable parallel safe as $$
  select case
      when jsonb_typeof(p_ref) is distinct from 'object' then false
      when p_ref ? 'notification' then
          p_ref - 'notification' = '{}'
          and jsonb_typeof(p_ref -> 'notification') = 'string'
          and (p_ref ->> 'notification') collate "C"
              ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$'
      else
          p_ref - array['message_id', 'sender', 'from_me'] = '{}'
          and jsonb_typeof(p_ref -> 'message_id') is not distinct from 'string'
          and (p_ref ->> 'message_id') collate "C" ~ '^[!-~]{1,128}$'
          and (not p_ref ? 'sender'
              or jsonb_typeof(p_ref -> 'sender') = 'string'
              and outbox.is_user(p_ref ->> 'sender')
              and p_ref ->> 'sender' not like '+%')
          and (not p_ref ? 'from_me' or jsonb_typeof(p_ref -> 'from_me') = 'boolean')
  end
$$;
