"""A handler's desk: one browser window on the form, keys that are counted, and how the form stands."""

import re
from collections.abc import Callable

from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from helpline.models import User

NEW = "/contacts/new/"
PASSWORD = "four words in a row"
PATIENCE = 60  # seconds; how long a loaded machine takes says nothing of what is tested


class Desk:
    """One browser window on the live server; every key that is pressed is counted."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        context.set_default_timeout(PATIENCE * 1000)
        self.context, self.address, self.page = context, address, context.new_page()
        self.keystrokes = 0
        self.complaints: list[str] = []
        self.watch(self.page)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if "Policy" in said.text else None)

    def log_in(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        self.context.add_cookies([{"name": "s", "value": client.cookies["s"].value, "url": self.address}])

    def go(self, path: str = NEW) -> Page:
        self.page.goto(self.address + path)
        if path == NEW:
            self.wait_for_cursor()
        return self.page

    def wait_for_cursor(self) -> None:
        """A page that has loaded may not have its cursor yet, and a key pressed before goes nowhere."""
        expect(self.page.locator("[autofocus]").first).to_be_focused()

    def press(self, *keys: str) -> None:
        """One press each; a chord such as Control+Enter is one, and so is a letter that only a Swedish keyboard has."""
        for key in keys:
            (self.page.keyboard.press if key.isascii() else self.page.keyboard.insert_text)(key)
            self.keystrokes += 1

    @property
    def cursor(self) -> str:
        """The question that has the cursor, else the id of what has it."""
        return str(
            self.page.evaluate("(e => e.closest('[data-question]')?.dataset.question ?? e.id)(document.activeElement)")
        )


def choose(page: Page, **answers: str | tuple[str, ...]) -> None:
    """Choose by mouse: a code, or several, for each question.

    In the window in front, as anybody does: Chromium draws the one behind only now and then, which a click waits for.
    """
    page.bring_to_front()
    for question, codes in answers.items():
        for code in (codes,) if isinstance(codes, str) else codes:
            if page.locator(f"select[name={question}]").count():
                page.select_option(f"select[name={question}]", code)
            else:
                page.check(f"input[name={question}][value='{code}']")


def told(page: Page) -> None:
    """Wait until the page says that the contact is saved and stands ready for the next one."""
    expect(page.locator("#told")).to_contain_text(re.compile("Sparat|Saved"))


def state(page: Page, text: str) -> None:
    """Wait until the line of states says `text`."""
    expect(page.locator("#state [data-seen]")).to_contain_text(text)


Opened = Callable[..., Desk]
