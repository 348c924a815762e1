"""What the journeys of a handler may use: desks on the live server, closed when the test ends."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from helpline.models import User
from tests.journeys.desk import Desk, Opened

DESK = {"width": 1280, "height": 900}


@pytest.fixture
def handler(transactional_db: None) -> User:
    return User.objects.create_user("handler", None, role="handler")


@pytest.fixture
def opened(browser: Browser, live_server, handler: User) -> Iterator[Opened]:
    """Open a desk, the handler logged in, the form before it; whatever the scripts complained of fails the test."""
    desks: list[Desk] = []

    def open_one(size: dict[str, int] = DESK, language: str = "sv", go: bool = True) -> Desk:
        context = browser.new_context(viewport=size, locale=language)
        desks.append(Desk(context, live_server.url))
        desks[-1].log_in(handler)
        if go:
            desks[-1].go()
        return desks[-1]

    yield open_one
    for desk in desks:
        desk.context.close()
        assert not desk.complaints
