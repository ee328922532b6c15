"""The caller's side: what a program imports to enqueue within its own transaction, and to wait.

It is no module named `enqueue`, since `outbox.enqueue` is the function.
"""
