"""Archives in a bucket of something that speaks S3, over HTTP."""

import gzip
import secrets
from collections.abc import Iterator

import httpx2
import psycopg
import pytest
from moto.server import ThreadedMotoServer

from outbox.archive import file, moving, storage
from outbox.log.months import ArchiveError
from outbox.log.verify import Verification, verify
from tests.archiving import JANUARY, everything, two_months


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server with an empty bucket; the environment says how it is reached, as a dyno's would."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    name = f"archives-{secrets.token_hex(4)}"
    httpx2.put(f"http://{host}:{port}/{name}").raise_for_status()
    yield f"s3://{name}/log"
    server.stop()


def test_there_and_back(connection: psycopg.Connection, bucket: str) -> None:
    """A month goes into the bucket, is verified from there and comes back as it was."""
    two_months(connection)
    before = everything(connection)
    made = moving.archive(connection, JANUARY, bucket)
    assert made.location == f"{bucket}/{JANUARY}.jsonl.gz"
    there = b"".join(storage.get(made.location))
    assert len(gzip.decompress(there).splitlines()) == made.events
    assert list(verify(connection, Verification(), archived=file.digests)) == []
    moving.restore(connection, made)
    assert everything(connection) == before


def test_a_bucket_that_is_not_there(connection: psycopg.Connection, bucket: str) -> None:
    """It is named, and nothing has left the database."""
    two_months(connection)
    before = everything(connection)
    with pytest.raises(ArchiveError, match=r"s3://elsewhere/.* cannot be written"):
        moving.archive(connection, JANUARY, "s3://elsewhere")
    assert everything(connection) == before
