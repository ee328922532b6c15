"""What an operator sees and does, in a real browser."""

import re
from typing import Any

import psycopg
from playwright.sync_api import Browser, Page, expect

from outbox.log import webhooks
from outbox.session.phone import Fault
from tests.browser.conftest import PATIENCE, Site
from tests.cli_runner import enqueue

PATHS = (
    *("/", "/notifications", "/dead-letters", "/recipients", "/connections", "/accounts"),
    *("/webhooks", "/webhooks/shop"),
)
MARK = "window.outboxMark = true"
UNTOUCHED = "window.outboxMark === true"
"""Lost by any reload."""


def _state(page: Page) -> Any:  # noqa: ANN401 - a locator's assertions
    return expect(page.locator("#state"))


def _charts(page: Page) -> list[str]:
    drawn: list[str] = page.evaluate(
        "[...document.querySelectorAll('.chart canvas')].map((one) => one.toDataURL())"
    )
    return drawn


def test_a_notification_is_watched_until_it_is_delivered(page: Page, site: Site) -> None:
    """It is enqueued by a form and goes to delivered before one's eyes, without a reload."""
    page.goto("/notifications/new")
    page.get_by_label("Recipient").fill("+447700900123")
    page.get_by_label("Text").fill("Hello from a browser")
    page.get_by_role("button", name="Enqueue").click()
    page.wait_for_url("**/notifications/0*")
    page.evaluate(MARK)
    _state(page).to_contain_text("delivered", timeout=PATIENCE)
    expect(
        page.get_by_role("img", name=re.compile("enqueued, attempt_started, sent"))
    ).to_be_visible()
    assert page.evaluate(UNTOUCHED)
    assert [frame.body["text"] for frame in site.phone.frames()] == ["Hello from a browser"]


def test_a_dead_letter_is_requeued(page: Page, site: Site, connection: psycopg.Connection) -> None:
    """It is chosen, given a new start, and delivered; the list empties by itself."""
    with site.phone.control() as control:
        control.fault(Fault(do="reject", error="server returned error 479"))
    dead = enqueue(connection)
    page.goto("/dead-letters")
    page.evaluate(MARK)
    box = page.get_by_role("checkbox")
    box.wait_for()
    box.check()
    # What is chosen stays chosen while the page is brought up to date.
    other = enqueue(connection, "+447700900124")
    page.wait_for_timeout(2000)
    expect(box).to_be_checked()
    assert page.evaluate(UNTOUCHED)
    page.get_by_role("button", name="Requeue the chosen").click()
    expect(page.get_by_text("1 notification requeued")).to_be_visible()
    page.goto(f"/notifications/{dead}")
    _state(page).to_contain_text("delivered", timeout=PATIENCE)
    page.goto(f"/notifications/{other}")
    _state(page).to_contain_text("delivered", timeout=PATIENCE)


def test_a_webhook_is_made(page: Page, connection: psycopg.Connection) -> None:
    """Its secret stays on the screen; what was opened stays open while the page is kept fresh."""
    page.goto("/webhooks")
    page.evaluate(MARK)
    page.get_by_text("New webhook").click()
    page.get_by_label("Name").fill("shop")
    page.get_by_label("URL").fill("https://shop.invalid/outbox")
    page.get_by_text("Of notifications:").click()
    page.get_by_label("played", exact=True).check()
    enqueue(connection)
    page.wait_for_timeout(2000)
    expect(page.get_by_label("played", exact=True)).to_be_checked()
    assert page.evaluate(UNTOUCHED)
    page.get_by_role("button", name="Create").click()
    expect(page.locator("#secret")).to_have_text(re.compile("^whsec_.{44}$"))
    secret = page.locator("#secret").text_content()
    enqueue(connection)
    page.wait_for_timeout(2000)
    expect(page.locator("#secret")).to_have_text(secret or "")
    page.get_by_role("link", name="To the webhook").click()
    expect(page.get_by_text("it has been told of everything")).to_be_visible()
    assert secret == webhooks.named(connection, "shop").secret
    page.get_by_text("Delete it").click()
    page.get_by_role("button", name="Delete shop").click()
    page.wait_for_url("**/webhooks")
    assert webhooks.listed(connection) == []


def test_the_overview_moves(page: Page, connection: psycopg.Connection) -> None:
    """Charts are drawn anew and the account's line changes when something is sent."""
    expect(page.locator(".chart canvas")).to_have_count(3)
    expect(page.locator("#liveness")).to_have_text("live")
    page.evaluate(MARK)
    before = _charts(page)
    for number in range(5):
        enqueue(connection, f"+4477009001{number:02}")
    expect(page.locator(".card .words")).to_contain_text("connected", timeout=PATIENCE)
    expect(page.locator("#sent-a-minute")).not_to_have_text("0.0", timeout=PATIENCE)
    page.wait_for_function(
        "(before) => document.querySelectorAll('.chart canvas')[1].toDataURL() !== before",
        arg=before[1],
        timeout=PATIENCE,
    )
    assert page.evaluate(UNTOUCHED)


def test_every_page_fits_every_screen(
    browser: Browser, page: Page, complaints: list[str], connection: psycopg.Connection
) -> None:
    """On a desk and on a phone, light and dark, and nothing breaks the content security policy."""
    one = enqueue(connection)
    webhooks.create(connection, "shop", f"https://shop.example/{'x' * 100}")
    webhooks.disable(connection, "shop")
    state = page.context.storage_state()
    for path in (*PATHS, f"/notifications/{one}", "/notifications/new", "/accounts/main"):
        grounds = set()
        for scheme in ("light", "dark"):
            for width in (1280, 390):
                context = browser.new_context(
                    base_url=page.url,
                    storage_state=state,
                    color_scheme=scheme,
                    viewport={"width": width, "height": 844},
                )
                seen = context.new_page()
                seen.on("console", lambda said: complaints.append(said.text))
                answer = seen.goto(path)
                assert answer is not None
                assert answer.status == 200, path
                wide = seen.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (path, width, wide)
                grounds.add(seen.evaluate("getComputedStyle(document.body).backgroundColor"))
                context.close()
        assert len(grounds) == 2
    assert complaints == []


def test_a_page_says_when_it_is_not_live(page: Page, site: Site) -> None:
    """When the process that served it is gone, what is shown is old, and it says so."""
    expect(page.locator("#liveness")).to_have_text("live")
    site.web.process.kill()
    expect(page.locator("#liveness")).to_contain_text("not live", timeout=PATIENCE)


def test_the_keyboard_is_enough(page: Page) -> None:
    """The first stop leads past the links; each link can be reached and followed."""
    page.keyboard.press("Tab")
    expect(page.get_by_text("To the content")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Dead letters")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/dead-letters")
    expect(page.get_by_role("heading", name="Dead letters")).to_be_visible()


def test_an_open_page_does_not_keep_the_process(page: Page, site: Site) -> None:
    """Told to stop, it ends with 0 although a page listens, and nothing had to be cut off."""
    expect(page.locator("#liveness")).to_have_text("live")
    site.web.process.terminate()
    assert site.web.process.wait(30) == 0
    assert "graceful shutdown exceeded" not in site.web.said
