"""Several processes that live and end together, for a machine that runs one command: a dyno."""
