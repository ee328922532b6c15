-- traces: the message id of each secret that whatsmeow has noted, which it does before it transmits.
select key, message_id
from whatsapp.whatsmeow_message_secrets
where key = any (%(secrets)s)
