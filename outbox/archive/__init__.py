"""Archives: months of the log that are over, kept as files, and taken out of the database."""
