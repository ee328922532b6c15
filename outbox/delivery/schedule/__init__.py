"""The schedule of a worker: one job a file, and the only importer of APScheduler."""
