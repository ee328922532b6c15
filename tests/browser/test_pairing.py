"""Pairing in the page, in a real browser, with a simulated phone in the test's hand."""

import re
from collections.abc import Iterator

import httpx2
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from outbox.session.phone import Control
from tests.browser.conftest import PATIENCE, Site
from tests.browser.test_pages import MARK, UNTOUCHED
from tests.cli_runner import enqueue

QR = "QR code, to be scanned with the phone"


@pytest.fixture
def unpaired() -> bool:
    """The phone's accounts have to be paired."""
    return True


@pytest.fixture
def handset(site: Site) -> Iterator[Control]:
    """In the test's hand."""
    with site.phone.control() as control:
        yield control


def _code(site: Site) -> str:
    """Return what the code encodes that is shown, as the API tells it."""
    answer = httpx2.get(
        f"{site.url}/v1/accounts/main/pairing", headers={"Authorization": f"Bearer {site.token}"}
    )
    return str(answer.json()["code"])


def _drawn(page: Page) -> str:
    return str(page.get_by_role("img", name=QR).locator("path").last.get_attribute("d"))


def test_an_account_is_paired_by_qr(
    page: Page,
    site: Site,
    handset: Control,
    connection: psycopg.Connection,
    complaints: list[str],
) -> None:
    """The code is renewed on the page, scanned, and the account connects; nothing is reloaded."""
    queued = enqueue(connection)
    page.goto("/accounts/main")
    connected = page.locator("#connection")
    expect(connected).to_contain_text("has to be paired again", timeout=PATIENCE)
    handset.behave(code=4.0)
    page.get_by_role("button", name="Pair by QR code").click()
    expect(page.get_by_role("img", name=QR)).to_be_visible()
    page.evaluate(MARK)
    first = _drawn(page)
    expect(page.locator("[data-counts-down]")).to_have_text(re.compile(r"^1[0-2]\d$"))
    page.wait_for_function(
        "(first) => [...document.querySelectorAll('.qr path')].at(-1).getAttribute('d') !== first",
        arg=first,
        timeout=PATIENCE,
    )
    handset.behave(code=20.0)
    handset.scan(_code(site))
    expect(page.get_by_text(re.compile(r"Paired as \+447700900000\. A worker"))).to_be_visible()
    expect(connected).to_contain_text("connected for", timeout=PATIENCE)
    assert page.evaluate(UNTOUCHED)
    page.goto(f"/notifications/{queued}")
    expect(page.locator("#state")).to_contain_text("delivered", timeout=PATIENCE)
    assert [frame.notification for frame in site.phone.frames()] == [queued]
    row = connection.execute(
        "select metadata->>'token' from outbox.event where type = 'paired'"
    ).fetchone()
    assert row == ("operator",)
    assert complaints == []


def test_an_account_is_paired_by_the_keyboard_and_a_typed_code(
    page: Page, site: Site, handset: Control
) -> None:
    """What is no number is said where it was typed; the code is shown as text."""
    page.goto("/accounts/main")
    expect(page.get_by_label("Number of the phone")).to_be_visible(timeout=PATIENCE)
    page.get_by_label("Number of the phone").focus()
    page.keyboard.type("447700900555")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Did you mean +447700900555?")
    page.get_by_label("Number of the phone").focus()
    page.keyboard.type("+447700900555")
    page.keyboard.press("Enter")
    code = page.locator(".typed")
    expect(code).to_have_text(re.compile(r"^[A-Z1-9]{4}-[A-Z1-9]{4}$"))
    page.evaluate(MARK)
    handset.scan(code.inner_text())
    expect(page.get_by_text("Paired as +447700900555")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#connection")).to_contain_text("connected for", timeout=PATIENCE)
    assert page.evaluate(UNTOUCHED)


def test_a_connected_account_is_unpaired(
    page: Page, site: Site, handset: Control, connection: psycopg.Connection
) -> None:
    """The page asks first; then the worker gives the account up, and it can be paired anew."""
    page.goto("/accounts/main")
    connected = page.locator("#connection")
    for _ in range(2):
        page.get_by_role("button", name="Pair by QR code").click()
        expect(page.get_by_role("img", name=QR)).to_be_visible()
        handset.scan(_code(site))
        expect(connected).to_contain_text("connected for", timeout=PATIENCE)
        page.get_by_text("Unpair it").click()
        # What was opened stays open while the page is brought up to date.
        enqueue(connection)
        page.wait_for_timeout(2000)
        page.get_by_role("button", name="Unpair main").click()
        expect(connected).to_contain_text("unpaired by an operator", timeout=2 * PATIENCE)
    assert handset.stats()["connected"] == []


def test_the_end_of_pairing_is_said(page: Page, handset: Control) -> None:
    """That time was up, that the phone's side refused, and that it was stopped."""
    page.goto("/accounts/main")
    button = page.get_by_role("button", name="Pair by QR code")
    handset.behave(code=0.3)
    button.click()
    expect(page.get_by_text("Time was up before anybody")).to_be_visible(timeout=PATIENCE)
    handset.behave(code=20.0)
    handset.stand("banned")
    button.click()
    expect(page.get_by_text("402: temporarily banned").last).to_be_visible(timeout=PATIENCE)
    handset.lift()
    button.click()
    page.get_by_role("button", name="Stop pairing").click()
    expect(page.get_by_text("Pairing was stopped")).to_be_visible()
    expect(button).to_be_visible()


def test_pairing_fits_every_screen(
    browser: Browser, page: Page, site: Site, complaints: list[str]
) -> None:
    """On a desk and on a phone, light and dark: the code is as large as it has to be."""
    page.goto("/accounts/main")
    expect(page.locator("#connection")).to_contain_text("the device is not linked")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Pair by QR code").click()
    expect(page.get_by_role("img", name=QR)).to_be_visible()
    state = page.context.storage_state()
    for scheme in ("light", "dark"):
        for width in (1280, 390):
            context = browser.new_context(
                base_url=site.url,
                storage_state=state,
                color_scheme=scheme,
                viewport={"width": width, "height": 844},
            )
            seen = context.new_page()
            seen.on("console", lambda said: complaints.append(said.text))
            seen.goto("/accounts/main")
            box = seen.get_by_role("img", name=QR).bounding_box()
            assert box is not None
            assert 250 < box["width"] < width
            assert seen.evaluate("document.documentElement.scrollWidth") <= width
            context.close()
    assert complaints == []
