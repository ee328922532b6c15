"""Which release this is, also where it runs from its folder uninstalled, as on Heroku."""

VERSION = "0.1.0"
"""As pyproject.toml reads it from here."""
