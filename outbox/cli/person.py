"""Who works at the command line, for the events that this causes."""

import getpass
import os


def person() -> dict[str, str]:
    """Return what such an event says of that: the name by which this machine knows its user."""
    try:
        return {"person": getpass.getuser()}
    except (KeyError, OSError):  # the latter since Python 3.13
        return {"person": f"uid {os.getuid()}"}
