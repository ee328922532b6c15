"""The report of an incident: what the log has of a period, for people and for programs."""
