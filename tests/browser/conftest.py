"""A real browser, Debian's Chromium, on pages that a web process serves beside a worker."""

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from outbox.log import tokens
from outbox.session.phone import Behaviour, Phone
from tests.running import Running

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
"""As root there is no sandbox; and it asks nobody on the network for anything."""
PATIENCE = 20_000
"""Milliseconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none."""
    if CHROMIUM is None:
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip("chromium is not installed"))


@dataclass
class Site:
    """A web process, a worker and a phone.

    Attributes:
        url: Of the pages.
        token: For everything.
        phone: What receives.
        web: The process that serves.
    """

    url: str
    token: str
    phone: Phone
    web: Running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module's tests; Playwright keeps an event loop running all the while.

    So it ends with the module: a test elsewhere that runs a loop of its own could not.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def unpaired() -> bool:
    """Whether the phone's accounts have to be paired; a module of tests may say so."""
    return False


@pytest.fixture
def site(
    database_url: str, connection: psycopg.Connection, tmp_path: Path, *, unpaired: bool
) -> Iterator[Site]:
    """Pages over the test's database, with a worker that sends to a simulated phone."""
    token = tokens.create(connection, "operator", ["admin"]).secret
    environment = {
        "DATABASE_URL": database_url,
        "OUTBOX_SECRET": secrets.token_hex(32),
    }
    behaviour = Behaviour(latency=0.2, delivered=0.4)
    with Phone.start(tmp_path, behaviour=behaviour, unpaired=unpaired) as phone:
        environment["OUTBOX_SESSION"] = phone.url
        web = Running(tmp_path / "web.log", ["web", "--port", "0"], environment)
        worker = Running(tmp_path / "worker.log", ["worker"], environment)
        try:
            port = web.wait_for(r"event=started host=127\.0\.0\.1 port=(\d+)")[1]
            yield Site(f"http://127.0.0.1:{port}", token, phone, web)
        finally:
            worker.end()
            web.end()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complains of, such as a breach of the content security policy."""
    return []


@pytest.fixture
def page(browser: Browser, site: Site, complaints: list[str]) -> Iterator[Page]:
    """A page of somebody who has logged in with the keyboard."""
    context = browser.new_context(base_url=site.url)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/")
    page.keyboard.type(site.token)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/")
    yield page
    context.close()
