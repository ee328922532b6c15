"""The report of an incident, opened from disk in a real browser."""

from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from outbox.incident.writing import write
from tests.outage_story import SINCE, UNTIL, tell_the_outage

QUESTIONS = ("What happened", "Why", "Who was affected", "What was late, and by how much")
CHARTS = ("Open notifications", "Attempts", "Outcomes")


@pytest.fixture
def report(connection: psycopg.Connection, tmp_path: Path) -> Path:
    """The report of the outage."""
    tell_the_outage(connection)
    since, until = datetime.fromisoformat(SINCE), datetime.fromisoformat(UNTIL)
    return write(connection, tmp_path, since, until).html


def opened(browser: Browser, report: Path, heard: list[str], width: int, scheme: str) -> Page:
    """Return the report in a browser that has no scripts and no network."""
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 844},
        java_script_enabled=False,
        offline=True,
    )
    page = context.new_page()
    page.on("console", lambda said: heard.append(said.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url))
    page.goto(report.as_uri())
    return page


def test_it_can_be_read_wherever_it_is_opened(browser: Browser, report: Path) -> None:
    """On a desk and on a phone, light and dark, from one file that asks nobody for anything."""
    looks = set()
    for scheme in ("light", "dark"):
        for width in (1280, 390):
            heard: list[str] = []
            page = opened(browser, report, heard, width, scheme)
            for question in QUESTIONS:
                expect(page.get_by_text(question, exact=True).first).to_be_visible()
            expect(page.get_by_text("from 12:00:00 to 12:20:00, for 20 min")).to_be_visible()
            for chart in CHARTS:
                expect(page.get_by_role("img", name=f"{chart}, as in")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert heard == [report.as_uri()]
            looks.add(page.screenshot())
            page.context.close()
    assert len(looks) == 4


def test_every_chart_has_its_figures(browser: Browser, report: Path) -> None:
    """Folded away below it, and opened without a script."""
    page = opened(browser, report, [], 1280, "light")
    figures = page.get_by_text("The figures of the charts")
    row = page.get_by_role("row", name="12:20:00 2 0 5 4 1 0 0")
    expect(row).to_be_hidden()
    figures.click()
    expect(row).to_be_visible()
    expect(page.get_by_role("img", name="The states of the connection of main")).to_be_visible()
    page.get_by_text("The states of the connections").click()
    expect(page.get_by_role("row", name="12:20:00 21 min connected")).to_be_visible()
    page.context.close()


def test_it_is_printed_light(browser: Browser, report: Path) -> None:
    """Whoever reads it in the dark does not print a black page."""
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(report.as_uri())
    page.emulate_media(media="print")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    text = page.evaluate("getComputedStyle(document.body).color")
    assert (ground, text) == ("rgb(255, 255, 255)", "rgb(0, 0, 0)")
    page.emulate_media(media="screen")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != ground
    context.close()
