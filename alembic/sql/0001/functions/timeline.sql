-- What befell a notification: each event, how long after the one before, what was told with it (an error, WhatsApp's id
-- for the message, what proved it sent, a reason) and who did it.
create function audit.timeline(notification uuid)
returns table (at timestamptz, since_last interval, type text, attempt integer, told text, who text)
language sql stable parallel safe
begin atomic
  select d.recorded_at, d.recorded_at - lag(d.recorded_at) over (order by d.version), d.type, (d.data->>'attempt')::integer,
         coalesce(d.data->>'error', d.data->>'message_id', d.data->>'evidence', d.data->>'reason'),
         nullif(concat_ws(' ', d.kind, d.who), '')
  from audit.deed d
  where d.stream = notification
  order by d.version;
end;

comment on function audit.timeline is 'What befell a notification: event by event, and who did it.';
