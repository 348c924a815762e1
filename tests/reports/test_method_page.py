"""The page that tells an official how callers are protected."""

import pytest
from django.test import Client

from helpline import policy
from helpline.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    return client


def test_it_says_the_rule_with_the_numbers_of_the_settings(reader, settings):
    settings.REPORTS_K_FIRST = 4
    page = reader.get("/statistics/method/").content.decode()
    assert "at least 5 contacts, of which at least 4" in page
    assert "at most 4 from the true one" in page


def test_the_list_of_tables_leads_to_it(reader):
    assert "/statistics/method/" in reader.get("/statistics/").content.decode()
