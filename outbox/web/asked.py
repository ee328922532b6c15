"""What lists are asked for, in a query's own words."""

from collections.abc import Mapping
from urllib.parse import urlencode

from outbox.errors import refusal
from outbox.recipient import form
from outbox.web.problems import ProblemError, refused


def recipient(to: str | None) -> str | None:
    """Return the JID of the recipient that a list is narrowed to, if it is.

    Raises:
        ProblemError: It is neither a number nor a JID.
    """
    if to is None:
        return None
    jid = form(to)
    if jid is None:
        raise ProblemError(refused(refusal("bad_recipient", to), field="to"))
    return jid


def older(wanted: Mapping[str, str], last: object) -> str:
    """Return the query of the next page of a list, behind the last one of this page.

    Args:
        wanted: What the list is narrowed to; what is empty is left out.
        last: The id of the last one.
    """
    return urlencode({**{name: one for name, one in wanted.items() if one}, "after": str(last)})
