"""The command that prints a link for an administrator: while there are too few of them, at the address of the pages."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from helpline import policy
from helpline.management.commands import administrator_link
from helpline.models import AuditEvent, User

pytestmark = pytest.mark.django_db
PASSWORD = "four words in a row"


def said(**options: str) -> str:
    out = io.StringIO()
    call_command("administrator_link", stdout=out, **options)
    return out.getvalue().strip()


def test_what_it_prints_makes_the_second_administrator_once():
    User.objects.create_user("first", None, role=policy.ADMINISTRATOR)
    address, link = "https://helpline.example", said(address="https://helpline.example/")
    assert link.startswith(f"{address}/setup/")
    sent = {"username": "second", "password": PASSWORD, "again": PASSWORD}
    assert Client().post(link.removeprefix(address), sent).status_code == 302
    assert Client().post(link.removeprefix(address), sent | {"username": "third"}).status_code == 404
    assert User.objects.filter(role=policy.ADMINISTRATOR).count() == 2
    event = AuditEvent.objects.get(act="account.first")
    assert (event.actor, event.about.username) == (None, "second")


def test_with_two_it_prints_nothing():
    for name in ("first", "second"):
        User.objects.create_user(name, None, role=policy.ADMINISTRATOR)
    with translation.override("en"), pytest.raises(CommandError, match="two active administrators"):
        said()


def test_it_knows_the_address_as_far_as_the_settings_say(settings, monkeypatch):
    monkeypatch.setenv("PORT", "8001")
    settings.EMBEDDED = True
    assert administrator_link.own_address() == "http://127.0.0.1:8001"
    settings.EMBEDDED, settings.ALLOWED_HOSTS = False, [".helpline.example", "other.example"]
    assert administrator_link.own_address() == "https://helpline.example"
