"""A coordinator loads the pilot year through the page: looks, decides, reloads meanwhile; the broken file stays out."""

import re
import threading
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from helpline import contacts
from helpline.imports import jobs
from helpline.models import Contact, ImportedKey, ImportJob, User
from tests.journeys.desk import Desk, Opened

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

FILES = Path(__file__).parent.parent / "data"
YEAR, BROKEN = FILES / "pilot-year.csv", FILES / "pilot-year-broken.csv"


@pytest.fixture
def desk(opened: Opened, handler: User) -> Desk:
    handler.role = "coordinator"
    handler.save()
    return opened(language="en", go=False)


def look_at(desk: Desk, file: Path) -> Page:
    page = desk.go("/import/")
    page.check("input[name=kind][value=contacts]")
    page.set_input_files("#file", file)
    page.click("main form button")
    expect(page.locator("h1")).to_contain_text("Import, preview")
    return page


class Worker:
    """A worker that stands still in the middle of its transaction until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_there, self.goes_on, mark = threading.Event(), threading.Event(), contacts._mark

        def wait(days: set) -> None:
            mark(days)
            self.is_there.set()
            assert self.goes_on.wait(60)

        monkeypatch.setattr(contacts, "_mark", wait)
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        try:
            jobs.run_next(now=timezone.now())
        finally:
            connection.close()


def test_the_pilots_year_is_loaded_and_the_page_may_be_reloaded_meanwhile(desk, monkeypatch):
    page, worker = look_at(desk, YEAR), Worker(monkeypatch)
    expect(page.locator("main")).to_contain_text("326 rows would be stored.")
    assert page.locator("tbody tr").count() == 10
    page.click("button[value=load]")
    expect(page.locator("[role=status]")).to_have_text(re.compile("Waits for its turn"))
    worker.thread.start()
    try:
        assert worker.is_there.wait(60)
        expect(page.locator("[role=status]")).to_have_text(re.compile("Is being stored"))
        expect(page.locator("progress")).to_have_attribute("value", str(jobs.STORED))
        page.reload()
        expect(page.locator("progress")).to_have_attribute("value", str(jobs.STORED))
        address = page.url
        desk.go("/import/").click("main .note a")
        expect(page).to_have_url(address)
    finally:
        worker.goes_on.set()
        worker.thread.join()
    expect(page.locator("h1")).to_have_text("Import, done: Contacts")
    expect(page.locator("main")).to_contain_text("326 rows were stored.")
    assert Contact.objects.count() == ImportedKey.objects.count() == 326


def test_the_broken_year_is_shown_with_its_faults_and_stays_out(desk):
    page = look_at(desk, BROKEN)
    expect(page.locator(".summary")).to_contain_text("The file cannot be loaded as it is")
    assert page.locator("section .line").count() >= 10
    assert "Ljusdal" not in page.content() and page.locator("button[value=load], button[value=skip]").count() == 0
    page.click("button[value=cancel]")
    expect(page.locator(".summary")).to_contain_text("The import was cancelled")
    assert Contact.objects.count() == 0 and not ImportJob.objects.get().content


def test_what_is_too_large_is_refused_before_it_is_sent(desk, tmp_path):
    page, sent = desk.go("/import/"), []
    page.on("request", lambda request: sent.append(request.method))
    page.check("input[name=kind][value=contacts]")
    large = tmp_path / "large.csv"
    large.write_bytes(b"x" * (10 * 2**20 + 1))
    page.set_input_files("#file", large)
    expect(page.locator("#file-error")).to_contain_text("The file is larger than 10 MB")
    page.click("main form button")
    expect(page.locator("#file")).to_be_focused()
    page.set_input_files("#file", YEAR)
    expect(page.locator("#file-error")).to_be_hidden()
    assert "POST" not in sent
