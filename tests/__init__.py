"""The tests.

A package, since a library of neonize's installs one of the same name (linkpreview's own tests),
which a folder without this file would lose to.
"""
