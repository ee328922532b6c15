"""`python -m outbox` is the command line `outbox`."""

from outbox.cli import main

if __name__ == "__main__":
    main()
