"""What tells the parent that another attempt would be pointless."""


class Unsendable(Exception):  # noqa: N818 - named after the content, as refusals are
    """It can never be sent; the message says why in one sentence."""
