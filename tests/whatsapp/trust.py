"""Makes the library in this process take the tests' server for WhatsApp.

`python -m tests.whatsapp.trust MODULE` runs another module so. Go reads SSL_CERT_FILE from the
environment that the process was started with; the rest is done here: the key of the root that signs
WhatsApp's certificates is compiled into the library, and is overwritten in this process's memory.
"""

from __future__ import annotations

import ctypes
import functools
import os
import runpy
import sys
from pathlib import Path

from neonize._binder import ProxySettings
from neonize.client import NewClient

_ROOT = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")
"""The key of WhatsApp's own root."""


def trust(proxy: str, root: bytes) -> None:
    """Reach WhatsApp through this proxy, and believe in this root.

    Raises:
        RuntimeError: the library is not where its root's key was expected.
    """
    if not _overwrite(_ROOT, root):
        raise RuntimeError("the loaded library does not hold the key of WhatsApp's root")
    NewClient.connect = functools.partialmethod(
        NewClient.connect, proxy_settings=ProxySettings(proxy)
    )


def _overwrite(old: bytes, new: bytes) -> int:
    """Replace bytes in the library's writable memory; return how often."""
    count = 0
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, permissions, *_, path = line.split()
        if "neonize" not in path or "rw" not in permissions:
            continue
        start, end = (int(address, 16) for address in span.split("-"))
        at = ctypes.string_at(start, end - start).find(old)
        while at >= 0:
            ctypes.memmove(start + at, new, len(new))
            count += 1
            at = ctypes.string_at(start, end - start).find(old, at + 1)
    return count


def trust_environment() -> None:
    """Trust what the environment names, as `WhatsApp.environment` does."""
    trust(
        os.environ["OUTBOX_TEST_WHATSAPP_PROXY"],
        bytes.fromhex(os.environ["OUTBOX_TEST_WHATSAPP_ROOT"]),
    )


if __name__ == "__main__":
    trust_environment()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
