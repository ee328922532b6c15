"""Sessions with WhatsApp itself: one supervised process per connection, which alone runs neonize.

- `session` fills the port; `child` is one process from its start to its end, with its watchdogs.
- `flight` knows what the process has been handed; `errors` is the table of what WhatsApp says.
- `store` finds the account's device and the traces of attempts in whatsmeow's tables.
- `channel` is how the two sides talk; `process` is the other side.
"""
