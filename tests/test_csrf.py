"""What changes something is sent from a page of ours, whatever address it goes to."""

import pytest
from django.apps import apps
from django.test import Client

from helpline import policy
from helpline.models import User
from tests.test_access import PAGES

pytestmark = pytest.mark.django_db

UNSAFE = ["post", "put", "patch", "delete"]
QUIET = {"sessions.Session"}


def rows() -> dict[str, int]:
    return {m._meta.label: m._default_manager.count() for m in apps.get_models() if m._meta.label not in QUIET}


def strict(role: str = "") -> Client:
    client = Client(enforce_csrf_checks=True)
    if role:
        user = User.objects.filter(role=role).first() or User.objects.create_user(
            role, "four words in a row", role=role
        )
        client.force_login(user)
    return client


@pytest.mark.parametrize("method", UNSAFE)
def test_no_page_takes_anything_that_does_not_come_from_a_page_of_ours(method):
    clients = {role: strict(role) for role in ("", *sorted(policy.ROLES))}
    before = rows()
    for where, _ in PAGES:
        for role, client in clients.items():
            if where.startswith("/api/"):
                response = getattr(client, method)(where, headers={"origin": "https://evil.example"})
                assert response.status_code in (401, 403, 405), (role, method, where)
                continue
            response = getattr(client, method)(where)
            assert response.status_code == 403 or response.url.startswith("/login/"), (role, method, where)
            assert role == "" or "_auth_user_id" in client.session, (role, method, where)
    assert rows() == before


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(method):
    clients = {role: strict(role) for role in ("", *sorted(policy.ROLES))}
    before = rows()
    for where, pattern in PAGES:
        for client in clients.values():
            getattr(client, method)(where)
        assert rows() == before, pattern


def test_without_the_guard_the_page_would_take_it():
    client = Client()
    client.force_login(User.objects.create_user("x", "four words in a row", role="handler"))
    assert client.get("/").status_code == 200
    client.post("/account/sessions/end/")
    assert client.get("/").status_code == 302
