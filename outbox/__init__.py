"""A notification outbox for WhatsApp, event-sourced on PostgreSQL."""
