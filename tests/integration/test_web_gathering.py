"""Group commit: single notifications that come at the same time, and what each of them is told."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpx2
import psycopg
import pytest

from outbox.log import intake, tokens
from outbox.web import gathering
from tests.web_api import HELLO, TO, Api, wrong

Answers = TypeVar("Answers")
SOON = HELLO | {"expires_in": "soon"}
"""What only the database can refuse."""


def asking(api: Api) -> httpx2.AsyncClient:
    """Return what asks several things at the same time, in one event loop."""
    transport = httpx2.ASGITransport(api.client.app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://testserver")


def run(api: Api, ask: Callable[[], Coroutine[Any, Any, Answers]]) -> Answers:
    """Let something ask in the event loop in which the API has its connections."""
    portal = api.client.portal
    assert portal is not None
    answers: Answers = portal.call(ask)
    return answers


def post(
    client: httpx2.AsyncClient, api: Api, given: object, scope: str = "enqueue", **headers: str
) -> Coroutine[Any, Any, httpx2.Response]:
    """Return the request that enqueues, to be awaited."""
    bearer = {"Authorization": f"Bearer {api.token(scope)}"}
    return client.post("/v1/notifications", json=given, headers=bearer | headers)


def together(api: Api, *given: object) -> list[httpx2.Response]:
    """Enqueue several at the same time, and return the answers in their order.

    The token is known by then, so that nobody comes later than the others.
    """

    async def ask() -> list[httpx2.Response]:
        async with asking(api) as client:
            wrong(await post(client, api, {}), 422, "bad_recipient")
            return await asyncio.gather(*(post(client, api, one) for one in given))

    return run(api, ask)


def transactions(connection: psycopg.Connection) -> list[int]:
    """Return how many were enqueued in each transaction, the first first."""
    rows = connection.execute(
        "select count(*) from outbox.event where type = 'enqueued' group by xid order by xid"
    )
    return [row[0] for row in rows]


def test_who_comes_at_the_same_time_shares_a_commit(
    api: Api, connection: psycopg.Connection
) -> None:
    """Each is answered with the id of its own."""
    given = [HELLO | {"metadata": {"order": number}} for number in range(20)]
    answers = together(api, *given)
    assert {answer.status_code for answer in answers} == {202}
    found: dict[str, int] = dict(
        connection.execute(
            "select stream::text, (metadata->>'order')::int from outbox.event"
            " where type = 'enqueued'"
        ).fetchall()
    )
    assert [found[answer.json()["id"]] for answer in answers] == list(range(20))
    assert transactions(connection) == [10, 10]


def test_groups_are_of_half_of_those_who_are_there(
    api: Api, connection: psycopg.Connection
) -> None:
    """So that one half is answered, and asks again, while the other is committed."""

    async def ask() -> None:
        async with asking(api) as client:
            wrong(await post(client, api, {}), 422, "bad_recipient")

            async def again_and_again() -> None:
                for _ in range(20):
                    assert (await post(client, api, HELLO)).status_code == 202

            await asyncio.gather(*(again_and_again() for _ in range(8)))

    run(api, ask)
    found = transactions(connection)
    assert sum(found) == 160
    assert Counter(found).most_common(1)[0][0] == 4


def test_a_group_has_its_limit(api: Api, connection: psycopg.Connection) -> None:
    """Whoever is too many for one goes with the next."""
    answers = together(api, *[HELLO] * (gathering.MOST * 3))
    assert {answer.status_code for answer in answers} == {202}
    assert max(transactions(connection)) == gathering.MOST


def test_accounts_do_not_share(api: Api, connection: psycopg.Connection) -> None:
    """A group is of one account, and each arrives at its own."""

    async def ask() -> None:
        headers = {"Authorization": f"Bearer {api.token('enqueue')}"}
        async with asking(api) as client:
            asked = (
                client.post(f"/v1/notifications?account={name}", json=HELLO, headers=headers)
                for name in ("main", "second") * 3
            )
            assert {answer.status_code for answer in await asyncio.gather(*asked)} == {202}

    run(api, ask)
    rows = connection.execute("select account, count(*) from outbox.notification group by 1")
    assert dict(rows.fetchall()) == {"main": 3, "second": 3}


def test_one_that_is_refused_spoils_no_other(api: Api, connection: psycopg.Connection) -> None:
    """The others are accepted, and it is told what it is told when alone."""
    alone = wrong(api.enqueue(SOON, scope="enqueue"), 422, "bad_expires_in")
    first, refused, last = together(api, HELLO, SOON, HELLO)
    assert (first.status_code, last.status_code) == (202, 202)
    assert wrong(refused, 422, "bad_expires_in") == alone
    assert sum(transactions(connection)) == 2


def test_a_key_is_one_notification_within_a_group(api: Api, connection: psycopg.Connection) -> None:
    """The same key gives the same id; for something else it is a conflict, and for it alone."""
    key = {"idempotency_key": "order 7"}
    first, again, other = together(api, HELLO | key, HELLO | key, HELLO)
    assert first.json() == again.json() != other.json()
    assert [one.status_code for one in (first, again, other)] == [202] * 3
    same, conflict = together(api, HELLO | key, HELLO | key | {"text": "else"})
    assert same.json() == first.json()
    found = wrong(conflict, 409, "idempotency_conflict")
    assert (found["field"], found.get("number")) == ("idempotency_key", None)
    assert sum(transactions(connection)) == 2


def test_a_revoked_token_is_refused_though_it_was_valid_a_moment_ago(
    api: Api, connection: psycopg.Connection
) -> None:
    """It is judged in the transaction that enqueues; whoever shares that is accepted."""

    async def ask() -> list[httpx2.Response]:
        async with asking(api) as client:
            for scope in ("enqueue", "admin"):
                assert (await post(client, api, HELLO, scope)).status_code == 202
            tokens.revoke(connection, "enqueue")
            asked = (post(client, api, HELLO, scope) for scope in ("enqueue", "admin", "enqueue"))
            return await asyncio.gather(*asked)

    revoked, valid, again = run(api, ask)
    for answer in (revoked, again):
        assert wrong(answer, 401, "no_token")["detail"] == "Token enqueue is revoked"
    assert valid.status_code == 202
    rows = connection.execute(
        "select metadata->>'token', count(*) from outbox.event where type = 'enqueued' group by 1"
    )
    assert dict(rows.fetchall()) == {"enqueue": 1, "admin": 2}


@pytest.mark.parametrize("given", [HELLO, [HELLO]], ids=["one", "list"])
def test_a_scope_that_is_taken_away_is_missed_at_once(
    api: Api, connection: psycopg.Connection, given: object
) -> None:
    """What the token was for a moment ago does not count, for a list as well."""
    assert api.enqueue(given, scope="enqueue").status_code == 202
    connection.execute("update outbox.token set scopes = '{read}' where name = 'enqueue'")
    wrong(api.enqueue(given, scope="enqueue"), 403, "missing_scope")
    assert sum(transactions(connection)) == 1


def test_one_that_waits_for_a_lock_holds_up_no_other(
    api: Api, database_url: str, connection: psycopg.Connection
) -> None:
    """A caller's open transaction has its key: the others are answered before it ends."""
    del connection

    async def ask() -> None:
        async with asking(api) as client:
            with psycopg.connect(database_url) as holder:
                wrong(await post(client, api, {}), 422, "bad_recipient")
                holder.execute(
                    "select outbox.enqueue(%s, %s::jsonb, idempotency_key => 'k')",
                    (TO, '{"kind": "text", "text": "hello"}'),
                )
                held = asyncio.create_task(post(client, api, HELLO | {"idempotency_key": "k"}))
                other = HELLO | {"recipient": "+447700900124"}
                free = await asyncio.gather(*(post(client, api, other) for _ in range(3)))
                assert {answer.status_code for answer in free} == {202}
                assert not held.done()
                holder.rollback()
                assert (await held).status_code == 202

    run(api, ask)


def test_what_may_have_been_accepted_is_not_tried_again(
    api: Api, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the connection is lost nobody knows, so each is told to repeat it with its key."""
    tried = []

    def lost(within: psycopg.Connection, rows: list[Any], _account: str) -> None:
        tried.extend(rows)
        within.execute("select pg_terminate_backend(pg_backend_pid())")

    async def lost_together(
        within: psycopg.AsyncConnection, rows: list[Any], _account: str, **_: object
    ) -> None:
        tried.extend(rows)
        await within.execute("select pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(intake, "accept", lost)
    monkeypatch.setattr(intake, "accept_together", lost_together)
    for answer in together(api, HELLO, HELLO):
        wrong(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"
    assert len(tried) == 2
    assert transactions(connection) == []
