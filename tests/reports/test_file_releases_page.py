"""The pages on which a coordinator sees a row file being made, reads what it is, and publishes it."""

from datetime import date

import pytest
from django.test import Client

from helpline import policy
from helpline.models import User
from reports import row_files
from reports.disclosure.microdata import Limits
from reports.disclosure.protect import Parameters
from reports.models import PreparedFile, PublishedFile
from tests.reports.closed_year import YEAR, close
from tests.reports.test_statistics_pages import words

pytestmark = pytest.mark.django_db

READ, PUBLISH = f"/releases/files/{YEAR}/", f"/releases/files/{YEAR}/publish/"


@pytest.fixture
def coordinator(db) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    return client


@pytest.fixture
def waiting(db) -> PreparedFile:
    close()
    row_files.prepare_due(today=date(2017, 1, 15), limits=Limits(), rule=Parameters())
    return PreparedFile.objects.get()


def text_of(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return words(response.content.decode())


def test_a_file_that_is_being_made_shows_how_far_it_is(coordinator):
    PreparedFile.objects.create(year=YEAR, percent=35, prepared_on=date(2017, 1, 15))
    html = coordinator.get("/releases/").content.decode()
    assert f"Row file of {YEAR}" in html and "It is being made: 35 %" in html
    assert 'max="100" value="35"' in html and READ not in html
    text_of(coordinator, READ, status=404)


def test_a_prepared_file_is_read_before_it_is_published(coordinator, waiting):
    assert READ in coordinator.get("/releases/").content.decode()
    text = text_of(coordinator, READ)
    assert "Prepared – not published" in text and waiting.sha256 in text
    heads, first = (line.split(",") for line in waiting.content.split("\r\n")[:2])
    assert " ".join(heads) in text and " ".join(first) in text
    assert "it can be neither changed nor withdrawn, and the year never has another" in text


def test_without_the_word_that_it_was_read_nothing_is_published(coordinator, waiting):
    for sent in ({}, {"read": "on"}, {"read": "0" * 64}):
        response = coordinator.post(PUBLISH, sent)
        assert response.status_code == 400
        assert "Tick that you have read what the file is" in words(response.content.decode())
    assert not PublishedFile.objects.exists()


def test_who_has_read_it_publishes_it(coordinator, waiting):
    response = coordinator.post(PUBLISH, {"read": waiting.sha256}, follow=True)
    assert f"The row file of {YEAR} is published, for good." in words(response.content.decode())
    assert PublishedFile.objects.get().published_by.username == "coordinator"
    again = coordinator.post(PUBLISH, {"read": waiting.sha256}, follow=True)
    assert f"The row file of {YEAR} is published already, or was made anew" in words(again.content.decode())


def test_the_release_of_the_year_is_asked_for_first(coordinator):
    close(is_published=False)
    row_files.prepare_due(today=date(2017, 1, 15), limits=Limits(), rule=Parameters())
    response = coordinator.post(PUBLISH, {"read": PreparedFile.objects.get().sha256}, follow=True)
    assert f"Publish the release of {YEAR} first" in words(response.content.decode())
    assert not PublishedFile.objects.exists()


def test_publishing_asks_who_it_is_and_is_written_down():
    action = policy.ACTIONS["file.publish"]
    assert action.step_up and action.audited and action.roles == {policy.COORDINATOR}
