"""The demo: what it claims is what its phone says, and it touches nothing but its own."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from rich.console import Console

from outbox.demo import mix, run
from outbox.demo.reckoning import Reckoning
from outbox.session.phone import Frame


@pytest.fixture
def console(server_url: str) -> Iterator[Console]:
    """Where it is told; what it made is dropped afterwards, by the name that it told."""
    console = Console(file=io.StringIO(), width=100)
    yield console
    with psycopg.connect(server_url, autocommit=True) as connection:
        for name in set(re.findall(r"outbox_demo_[0-9a-f]{4}", _told(console))):
            drop = sql.SQL("drop database if exists {} with (force)")
            connection.execute(drop.format(sql.Identifier(name)))


def _told(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_nothing_is_lost_and_it_shows_where_to_look(
    server_url: str, console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker is killed, a connection dropped, and all that was accepted arrives."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(server_url, console, svg=tmp_path / "demo.svg")
    told = _told(console)
    assert "worker 1 is killed" in told
    assert re.search(r"together\s+│\s+457 │\s+456 │\s+\d+ │\s+1 │\s+0 │", told)
    assert "0 lost of 457 accepted" in told
    picture = (tmp_path / "demo.svg").read_text("utf-8")
    assert "457" in picture
    assert str(tmp_path) not in picture
    assert "https://" not in picture.replace("https://www.textualize.io", "")
    url = re.search(r"DATABASE_URL='([^']+)'", told)
    shown = re.search(r"outbox show ([0-9a-f-]{36})", told)
    assert url
    assert shown
    with psycopg.connect(url[1]) as connection:
        accepted = connection.execute("select count(*) from outbox.notification").fetchone()
        orders = connection.execute('select count(*) from shop."order"').fetchone()
        types = connection.execute(
            "select array_agg(type) from outbox.event where stream = %s", (UUID(shown[1]),)
        ).fetchone()
    assert (accepted, orders) == ((457,), (96,))
    assert types
    assert "attempt_unknown" in types[0]


def test_mix_is_what_the_outbox_accepts_and_varied() -> None:
    """Texts, media, a place, a card, a poll; numbers that belong to nobody."""
    told = list(mix.singles(2))
    assert len({one.name for one in told}) == 8
    assert len({one.order for one in told}) == len(told)
    assert all(one["to"].startswith("+44 7700 900") for one in mix.batch())


def _frame(notification: UUID, attempt: int = 1) -> Frame:
    return Frame(
        sequence=1,
        received_at=datetime.now(UTC),
        account=mix.ACCOUNT,
        jid="447700900123@s.whatsapp.net",
        notification=notification,
        attempt=attempt,
        message_id="3EB0",
        secret="",
        body={},
        media=(),
    )


def test_reckoning_finds_what_does_not_add_up() -> None:
    """Lost, doubled without a word, rolled back and sent all the same, never enqueued."""
    fine, lost, doubled, explained, late, rolled_back, unheard = (uuid4() for _ in range(7))
    reckoning = Reckoning()
    reckoning.accept("a", fine, lost, doubled)
    reckoning.accept("b", explained, late)
    reckoning.rolled_back.add(rolled_back)
    reckoning.doubts[explained, 1] = None
    frames = [_frame(id_) for id_ in (fine, doubled, explained, rolled_back, unheard)]
    reckoning.judge([*frames, _frame(doubled, 2), _frame(explained, 2)], {late})
    assert sorted(reckoning.wrong) == sorted(
        [
            f"{lost} was accepted and did not arrive",
            f"{doubled} arrived twice, and the log does not say why",
            f"{rolled_back} was rolled back and arrived",
            f"{unheard} was never enqueued and arrived",
        ]
    )
    assert reckoning.total == {"accepted": 5, "arrived": 3, "lost": 1, "doubled": 2, "expired": 1}
