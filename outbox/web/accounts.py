"""GET /v1/accounts: where they stand, as `outbox status` says it."""

from typing import Annotated

from fastapi import APIRouter, Depends

from outbox.log.overview import overview
from outbox.log.tokens import Token
from outbox.web.bearer import allowed
from outbox.web.documents import Accounts
from outbox.web.problems import documented
from outbox.web.service import ServiceOf

accounts = APIRouter(prefix="/v1")


@accounts.get("/accounts", responses=documented(401, 403, 422, 429, 500, 503))
def list_accounts(
    _token: Annotated[Token, Depends(allowed("read"))], service: ServiceOf
) -> Accounts:
    """Show the accounts: their connections, pace and queues. Needs the scope `read`."""
    with service.pool.connection() as connection:
        found = overview(connection)
    return Accounts.model_validate({"now": found.database.now, "accounts": found.accounts})
