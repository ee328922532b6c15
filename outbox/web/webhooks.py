"""/v1/webhooks: who is told of events over HTTP, as `outbox webhook` has it.

The rules are those of `outbox.webhooks`; a name that is none is refused as a path, too.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from outbox.log import webhooks as log
from outbox.log.pool import transaction
from outbox.log.tokens import Token
from outbox.web.bearer import allowed
from outbox.web.body import any_json, described, judged
from outbox.web.documents import NewWebhook, Tried, Webhook, Webhooks
from outbox.web.handlers import SOON
from outbox.web.problems import ProblemError, documented, problem
from outbox.web.service import WAITERS, Service, ServiceOf, place
from outbox.webhooks import standing, trial
from outbox.webhooks.subscription import subscribe

webhooks = APIRouter(prefix="/v1")

Admin = Annotated[Token, Depends(allowed("admin"))]
Name = Annotated[str, Path(pattern=f"^{log.NAME}$", description="Of the webhook.")]

_PROBLEMS = documented(401, 403, 404, 422, 429, 500, 503)
_OF_BODIES = documented(400, 413, 415)


class Subscribing(BaseModel):
    """Who is to be told of what."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    name: Annotated[str, Field(examples=["shop"], json_schema_extra={"pattern": f"^{log.NAME}$"})]
    """Its name: 1 to 63 characters of a-z, 0-9, "_", "." and "-"."""
    url: Annotated[str, Field(examples=["https://shop.example/outbox"])]
    """Where events are sent: a public address."""
    events: Annotated[list[str], Field(examples=[["sent", "rejected"]])] = []
    """The types of event that it is told of; none means all."""
    account: str | None = None
    """The account of whose events it is told; all unless given."""
    position: int | None = None
    """The first position of the log that it is told of, 1 being the beginning; what comes from now
    on unless given."""


class Replaying(BaseModel):
    """What a webhook is told again."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    position: int
    """The first position of the log that it is told of again, 1 being the beginning."""


@webhooks.post(
    "/webhooks",
    status_code=201,
    responses=_OF_BODIES | documented(401, 403, 409, 422, 429, 500, 503),
    openapi_extra=described(Subscribing, required=True),
)
def create_webhook(
    _token: Admin,
    service: ServiceOf,
    body: Annotated[object, Depends(any_json)],
    response: Response,
) -> NewWebhook:
    """Make a webhook; the answer alone has its secret. Needs the scope `admin`."""
    wish = judged(Subscribing, body)
    made = subscribe(
        transaction(service.pool),
        wish.name,
        wish.url,
        inside=service.webhooks_inside,
        events=wish.events,
        account=wish.account,
        position=wish.position,
    )
    response.headers["Location"] = f"/v1/webhooks/{wish.name}"
    shown = Webhook.model_validate(made.webhook).model_dump()
    return NewWebhook.model_validate({**shown, "secret": made.secret})


@webhooks.get("/webhooks", responses=documented(401, 403, 422, 429, 500, 503))
def list_webhooks(_token: Admin, service: ServiceOf) -> Webhooks:
    """List the webhooks and where they stand, without secrets. Needs the scope `admin`."""
    with service.pool.connection() as connection:
        return Webhooks.model_validate({"webhooks": standing.listed(connection)})


@webhooks.get("/webhooks/{name}", responses=_PROBLEMS)
def show_webhook(_token: Admin, service: ServiceOf, name: Name) -> Webhook:
    """Show a webhook and where it stands, without its secret. Needs the scope `admin`."""
    return _shown(service, name)


@webhooks.delete("/webhooks/{name}", status_code=204, responses=_PROBLEMS)
def delete_webhook(_token: Admin, service: ServiceOf, name: Name) -> None:
    """Forget a webhook, its secret and its place in the log. Needs the scope `admin`."""
    with transaction(service.pool) as connection:
        log.delete(connection, name)


@webhooks.post("/webhooks/{name}/enable", responses=_PROBLEMS)
def enable_webhook(_token: Admin, service: ServiceOf, name: Name) -> Webhook:
    """Let it be told again, from where it stands and at once. Needs the scope `admin`."""
    with transaction(service.pool) as connection:
        log.enable(connection, name)
    return _shown(service, name)


@webhooks.post("/webhooks/{name}/disable", responses=_PROBLEMS)
def disable_webhook(token: Admin, service: ServiceOf, name: Name) -> Webhook:
    """Let it be told no more; it keeps its place in the log. Needs the scope `admin`."""
    with transaction(service.pool) as connection:
        log.disable(connection, name, f"token {token.name}")
    return _shown(service, name)


@webhooks.post(
    "/webhooks/{name}/replay",
    responses=_PROBLEMS | _OF_BODIES,
    openapi_extra=described(Replaying, required=True),
)
def replay_webhook(
    _token: Admin, service: ServiceOf, name: Name, body: Annotated[object, Depends(any_json)]
) -> Webhook:
    """Tell it again of all from a position of the log on. Needs the scope `admin`."""
    wish = judged(Replaying, body)
    with transaction(service.pool) as connection:
        log.replay(connection, name, wish.position)
    return _shown(service, name)


@webhooks.post("/webhooks/{name}/test", responses=_PROBLEMS)
def send_test(_token: Admin, service: ServiceOf, name: Name) -> Tried:
    """Send one test event now, and say what came back. Needs the scope `admin`.

    Nothing else is changed. It takes 15 seconds at most; a failure of the receiver's is an answer
    like another, with the `error`.
    """
    return Tried.model_validate(tried(service, name))


def tried(service: Service, name: str) -> trial.Tried:
    """Send a test event and wait for the answer, if there is a place to wait in.

    Raises:
        UnknownWebhook: There is none of this name.
        ProblemError: Too many requests wait.
    """
    with place(service.waiters) as got:
        if not got:
            raise ProblemError(problem("too_many_waiting", f"{WAITERS} requests wait"), SOON)
        with service.pool.connection() as connection:
            ready = trial.prepare(connection, name)
        return ready.send(inside=service.webhooks_inside)


def _shown(service: Service, name: str) -> Webhook:
    with service.pool.connection() as connection:
        return Webhook.model_validate(standing.named(connection, name))
