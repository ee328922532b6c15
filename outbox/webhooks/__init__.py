"""Webhooks: events of the log, told over HTTP to whoever has subscribed."""
