"""The session process: the only part of the outbox that runs neonize.

It serves one connection and exits. It knows nothing of the outbox's database but the URL of
whatsmeow's store, and never writes to standard output, where Go prints.
"""

import pylibmagic  # noqa: F401  # brings the libmagic that neonize looks for when it is imported
