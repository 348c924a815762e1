"""Measures what the overview costs a browser: how many requests, and how many bytes come over the line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from playwright.sync_api import BrowserContext, Page, Response, sync_playwright

from tests.bench import served
from tests.bench.limits import BrokenMeasure
from tests.bench.stage import BIG, Person, Stage

CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def overview(stage: Stage) -> dict[str, float]:
    """The page as it comes from the production server to a browser that holds nothing of ours, and to one that has
    loaded the start page."""
    stage.close()
    address = f"/overview/?period={stage.quarter.code}"
    with (
        served.gunicorn(stage.url(BIG), "config.wsgi:application") as port,
        _browser(port, stage.coordinator) as context,
    ):
        cold = _load(context.new_page(), port, address)
    with (
        served.gunicorn(stage.url(BIG), "config.wsgi:application") as port,
        _browser(port, stage.coordinator) as context,
    ):
        page = context.new_page()
        _load(page, port, "/")
        warm = _load(page, port, address)
    return {
        "overview.bytes": sum(cold.values()) / 1000,
        "overview.requests": len(cold),
        "overview.bytes_warm": sum(warm.values()) / 1000,
        "overview.requests_warm": len(warm),
    }


@contextmanager
def _browser(port: int, person: Person) -> Iterator[BrowserContext]:
    if not (chromium := os.environ.get("CHROMIUM")):
        raise BrokenMeasure("Chromium is missing: use bin/bench, or set CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        context = browser.new_context(extra_http_headers={"X-Forwarded-Proto": "https"}, locale="sv-SE")
        address = f"https://localhost:{port}/"
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": person.session, "url": address}])
        yield context
        browser.close()


def _load(page: Page, port: int, address: str) -> dict[str, int]:
    """The bytes of each answer that came over the line, by its address."""
    answers: list[Response] = []
    note = lambda response: answers.append(response)  # noqa: E731 (Playwright hangs a mark on it)
    page.on("response", note)
    response = page.goto(f"http://localhost:{port}{address}", wait_until="networkidle")
    page.remove_listener("response", note)
    if response is None or response.status != 200 or not page.locator("main").is_visible():
        raise BrokenMeasure(f"{address} was not shown")
    sizes: dict[str, int] = {}
    for answer in answers:
        size = answer.request.sizes()
        if over_the_line := size["responseBodySize"] + size["responseHeadersSize"]:  # not from the browser's own cache
            sizes[answer.url] = over_the_line
    return sizes
