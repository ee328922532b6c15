"""`outbox token`: made once, listed without the secret, revoked for good."""

from hashlib import sha256

import psycopg
import pytest

from outbox.log import tokens
from tests.cli_runner import run


def test_a_token_is_shown_once(database_url: str, connection: psycopg.Connection) -> None:
    """Stdout is the token alone; the database has nothing of it but its SHA-256."""
    ran = run("token", "create", "shop", "--scope", "enqueue", url=database_url)
    assert ran.code == 0
    secret = ran.out.strip()
    assert secret.startswith("outbox_")
    assert len(secret) == len("outbox_") + 43
    rows = connection.execute("select to_jsonb(t) from outbox.token t").fetchall()
    assert secret.removeprefix("outbox_") not in str(rows)
    assert rows[0][0]["digest"] == "\\x" + sha256(secret.encode()).hexdigest()
    assert secret not in run("token", "list", "--json", url=database_url).out


def test_two_tokens_are_never_alike(database_url: str) -> None:
    """Each is made of 32 random bytes; there is no default."""
    made = [
        run("token", "create", name, "--scope", "read", url=database_url).out for name in ("a", "b")
    ]
    assert made[0] != made[1]


def test_json_says_all_of_a_token(database_url: str) -> None:
    """With --json each command writes one document; scopes are in one order."""
    arguments = ["--scope", "read", "--scope", "enqueue", "--expires-in", "2h", "--json"]
    made = run("token", "create", "shop", *arguments, url=database_url).json
    assert made.keys() == {"name", "token", "scopes", "expires_at"}
    assert made["scopes"] == ["enqueue", "read"]
    (listed,) = run("token", "list", "--json", url=database_url).json
    assert listed["expires_at"] == made["expires_at"]
    assert (listed["name"], listed["scopes"]) == ("shop", ["enqueue", "read"])
    assert (listed["state"], listed["revoked_at"]) == ("valid", None)
    assert run("token", "revoke", "shop", "--json", url=database_url).json == {"revoked": "shop"}


def test_the_table_says_who_may_do_what(database_url: str, connection: psycopg.Connection) -> None:
    """Valid, expired and revoked tokens are told apart; without any there is a way to the first."""
    assert "outbox token create" in run("token", "list", url=database_url).out
    for name in ("one", "two", "three"):
        run("token", "create", name, "--scope", "admin", url=database_url)
    connection.execute("update outbox.token set expires_at = now() where name = 'two'")
    assert run("token", "revoke", "three", url=database_url).out == "Revoked three.\n"
    states = [line.split()[:3] for line in run("token", "list", url=database_url).out.splitlines()]
    assert states[1:] == [
        ["one", "valid", "admin"],
        ["two", "expired", "admin"],
        ["three", "revoked", "admin"],
    ]


def test_a_revoked_name_stays_taken(database_url: str) -> None:
    """Otherwise the log would not tell the old bearer from the new one."""
    create = ("token", "create", "shop", "--scope", "read")
    run(*create, url=database_url)
    run("token", "revoke", "shop", url=database_url)
    assert run("token", "revoke", "shop", url=database_url).code == 0
    ran = run(*create, url=database_url)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("error: There is a token shop already, perhaps a revoked one.")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["create", "Shop", "--scope", "read"], 3, "Not a name of a token: 'Shop'."),
        (["create", "shop", "--scope", "write"], 3, "Not a scope: write."),
        (["create", "shop"], 2, "Missing option '--scope'"),
        (["create", "shop", "--scope", "read", "--expires-in", "0s"], 3, "Expired at once:"),
        (["create", "shop", "--scope", "read", "--expires-in", "soon"], 2, "--expires-in: 'soon'"),
        (["revoke", "nobody"], 4, "No such token: nobody."),
    ],
)
def test_what_cannot_be_is_refused(
    database_url: str, arguments: list[str], code: int, sentence: str
) -> None:
    """One sentence with the value and the way out; nothing is made."""
    ran = run("token", *arguments, url=database_url)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(f"error: {sentence}")
    assert run("token", "list", "--json", url=database_url).json == []


def test_no_scope_at_all_is_refused(connection: psycopg.Connection) -> None:
    """A token that is for nothing would be a mistake."""
    with pytest.raises(tokens.TokenError, match="none is given"):
        tokens.create(connection, "shop", [])
