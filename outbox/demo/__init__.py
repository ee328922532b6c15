"""The demo: a small shop's notifications, a worker killed in the middle, and the phone's verdict.

What has become of each notification is read from the simulated phone's own ledger, not from the
outbox: what is not in it was lost, what is in it twice reached its recipient twice.
"""

from outbox.demo.story import run

__all__ = ["run"]
