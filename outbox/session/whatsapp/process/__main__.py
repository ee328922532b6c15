"""python -m outbox.session.whatsapp.process HANDLE: serve over an inherited socket."""

import sys

from outbox.session.whatsapp.process.main import main

if __name__ == "__main__":
    main(int(sys.argv[1]))
