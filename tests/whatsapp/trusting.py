"""What a session process runs that takes the tests' server for WhatsApp."""

from outbox.session.whatsapp.session import PROGRAM

TRUSTING = ("tests.whatsapp.trust", *PROGRAM)
