"""What the journeys of a handler may use: desks on the live server, closed when the test ends."""

from collections.abc import Iterator

import pytest
from django.core.servers.basehttp import WSGIRequestHandler
from playwright.sync_api import Browser, expect

from helpline.models import User
from tests.journeys.desk import PATIENCE, Desk, Opened

DESK = {"width": 1280, "height": 900}
expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="session", autouse=True)
def answers_leave_at_once() -> Iterator[None]:
    """Django's test server sends headers and body apart: Nagle's algorithm holds each small answer up for 40 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WSGIRequestHandler, "disable_nagle_algorithm", True)
        yield


@pytest.fixture
def handler(transactional_db: None) -> User:
    return User.objects.create_user("handler", None, role="handler")


@pytest.fixture
def opened(browser: Browser, live_server, handler: User) -> Iterator[Opened]:
    """Open a desk, the handler logged in, the form before it; whatever the scripts complained of fails the test."""
    desks: list[Desk] = []

    def open_one(size: dict[str, int] = DESK, language: str = "sv", go: bool = True, scale: int = 1) -> Desk:
        context = browser.new_context(viewport=size, device_scale_factor=scale, locale=language)
        desks.append(Desk(context, live_server.url))
        desks[-1].log_in(handler)
        if go:
            desks[-1].go()
        return desks[-1]

    yield open_one
    for desk in desks:
        desk.context.close()
        assert not desk.complaints
