"""The phone's process: what ends it, and what it keeps."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from outbox.session.phone import Address, Phone
from outbox.session.port import attempt_secret
from tests.unit.phone.dialling import Dialled


def test_killed_and_started_again(tmp_path: Path) -> None:
    """A killed phone loses nothing that it has acknowledged: frames, nor the traces of them."""
    notification = uuid4()
    secret = attempt_secret(notification, 1).hex()
    with Phone.start(tmp_path) as phone, Dialled.logged_in(phone) as session:
        message_id = session.send(notification=notification)
        assert session.acknowledged(1) == [message_id]
        phone.kill()
        address = phone.address
    with Phone.start(tmp_path, listen=address) as phone, Dialled.logged_in(phone) as session:
        assert phone.address == address
        assert session.traces(secret) == {secret: message_id}
        second = session.send()
        assert session.acknowledged(1) == [second]
        assert [frame.message_id for frame in phone.frames()] == [message_id, second]


def test_unix_socket(tmp_path: Path) -> None:
    """A phone may listen on a unix socket, also on one that a killed phone has left behind."""
    listen = Address(path=str(tmp_path / "s"))
    for _ in range(2):
        with Phone.start(tmp_path, listen=listen) as phone:
            assert phone.address == listen
            with Dialled.logged_in(phone) as session:
                one = session.send()
                assert session.acknowledged(1) == [one]
            phone.kill()


def test_ends_with_its_starter(tmp_path: Path) -> None:
    """A phone does not outlive whoever started it, even if that is killed."""
    starter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import pathlib, sys\n"
                "from outbox.session.phone import Phone\n"
                "phone = Phone.start(pathlib.Path(sys.argv[1]))\n"
                "print(phone.address, flush=True)\n"
                "sys.stdin.read()\n"
            ),
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with starter:
        assert starter.stdout is not None
        phone = Phone(starter, Address.parse(starter.stdout.readline().strip()), tmp_path)
        with Dialled.logged_in(phone) as session:
            starter.kill()
            assert session.hear() is None


def test_does_not_start(tmp_path: Path, phone: Phone) -> None:
    """A phone that cannot listen says where it could not."""
    with pytest.raises(RuntimeError, match=str(phone.address)):
        Phone.start(tmp_path, listen=phone.address)
