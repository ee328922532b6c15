"""The library's own tables: making them, and a device in them that looks paired."""

import os
import subprocess
import sys
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from psycopg import sql

_CREATE = """
import sys
from neonize.client import ClientFactory
ClientFactory.get_all_devices_from_db(sys.argv[1])
"""


def store_url(database_url: str, schema: str) -> str:
    """Return the database's URL as the library wants it, for the tables in this schema."""
    url = urlsplit(database_url)
    given = dict(parse_qsl(url.query))
    query = {"sslmode": "disable"} | given | {"search_path": schema}
    return url._replace(scheme="postgres", query=urlencode(query)).geturl()


def create_store(database_url: str, schema: str) -> None:
    """Make the schema, and let the library make its tables in it, in a process of its own."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    program = [sys.executable, "-c", _CREATE, store_url(database_url, schema)]
    subprocess.run(program, check=True, capture_output=True, timeout=60)


def pair_device(connection: psycopg.Connection, schema: str, jid: str) -> None:
    """Store a device that looks as if it had been paired, with keys that nobody has seen."""
    row = {
        "jid": jid,
        "registration_id": 5,
        "noise_key": os.urandom(32),
        "identity_key": os.urandom(32),
        "signed_pre_key": os.urandom(32),
        "signed_pre_key_id": 1,
        "signed_pre_key_sig": os.urandom(64),
        "adv_key": os.urandom(32),
        "adv_details": os.urandom(10),
        "adv_account_sig": os.urandom(64),
        "adv_account_sig_key": os.urandom(32),
        "adv_device_sig": os.urandom(64),
    }
    insert = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier(schema, "whatsmeow_device"),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Placeholder, row)),
    )
    connection.execute(insert, row)


def public_keys(url: str, jid: str) -> tuple[bytes, bytes]:
    """Return the public halves of a device's identity and of its signed prekey, as WhatsApp has."""
    query = sql.SQL("select identity_key, signed_pre_key from {} where jid = %s")
    with psycopg.connect(url) as connection:
        row = connection.execute(
            query.format(sql.Identifier("whatsapp", "whatsmeow_device")), (jid,)
        ).fetchone()
    assert row
    identity, prekey = (
        X25519PrivateKey.from_private_bytes(one).public_key().public_bytes_raw() for one in row
    )
    return identity, prekey
