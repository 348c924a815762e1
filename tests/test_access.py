"""Who gets which page: generated from the addresses and the policy, so that a new page is tested when it is made."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver, path
from rest_framework.response import Response
from rest_framework.views import APIView

from helpline import access, policy
from helpline.models import User
from reports.api.permissions import DenyAll

pytestmark = pytest.mark.django_db

# What a visitor without account may open; a page joins them only here, under the eyes of a reviewer.
OPEN_PAGES = {"login", "session", "set_language", "setup"}
ARGUMENTS = {
    **{"token": "no-such-token", "table": "no-such-table", "int:release": "99999"},
    **{"uuid:contact": "00000000-0000-4000-8000-000000000000", "uuid:key": "00000000-0000-4000-8000-000000000001"},
    **{"table_id": "no-such-table", "codelist_id": "none", "path:rest": "nowhere"},
}


def pages(patterns=None, prefix="/") -> Iterator[tuple[str, URLPattern]]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern
        else:
            yield from pages(pattern.url_patterns, prefix + str(pattern.pattern))


def address(route: str) -> str:
    for name, value in ARGUMENTS.items():
        for written in (f"<str:{name}>", f"<path:{name}>", f"<{name}>"):
            route = route.replace(written, value)
    assert "<" not in route, f"give an example for {route}"
    return route


PAGES = [(address(route), pattern) for route, pattern in pages()]
ROLES = sorted(policy.ROLES)


@pytest.fixture
def clients(db) -> dict[str, Client]:
    made = {"anonymous": Client()}
    for role in ROLES:
        made[role] = Client()
        made[role].force_login(User.objects.create_user(role, None, role=role))
    disabled = User.objects.create_user("disabled", None, role=policy.COORDINATOR)
    made["disabled"] = Client()
    made["disabled"].force_login(disabled)
    User.objects.filter(pk=disabled.pk).update(is_active=False)
    return made


def test_every_page_names_an_action_of_the_policy():
    for where, pattern in PAGES:
        action = getattr(pattern.callback, "policy_action", None)
        assert action == policy.OPEN or action in policy.ACTIONS, where


def test_only_the_listed_pages_are_open_to_visitors():
    assert {p.name for _, p in PAGES if getattr(p.callback, "policy_action", None) == policy.OPEN} == OPEN_PAGES


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options"])
def test_each_page_answers_to_the_roles_of_its_action_and_to_nobody_else(clients, method):
    for where, pattern in PAGES:
        action = pattern.callback.policy_action
        for who, client in clients.items():
            if pattern.name == "logout" and who in ROLES:
                continue  # ends the session that the next page needs; tested with the log-in
            response = getattr(client, method)(where)
            if action == policy.OPEN:
                refused = False
            elif who not in ROLES and where.startswith("/api/"):
                refused = response.status_code == 401
                assert refused, (who, method, where)
                continue
            elif who not in ROLES:
                refused = response.status_code == 302 and response.url.startswith("/login/?next=")
                assert refused, (who, method, where)
                continue
            else:
                refused = response.status_code == 403
            assert refused == (action != policy.OPEN and not policy.may(who, action)), (who, method, where)


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_a_script_is_told_in_json_who_may_not_and_gets_no_page_to_log_in(clients, method):
    asks_json = {"accept": "application/json"}
    for where, pattern in PAGES:
        action = pattern.callback.policy_action
        if action == policy.OPEN or where.startswith("/api/") or pattern.name == "logout":
            continue
        for who, client in clients.items():
            response = getattr(client, method)(where, headers=asks_json)
            if who not in ROLES:
                assert (response.status_code, response.json()) == (401, {}), (who, method, where)
            elif not policy.may(who, action):
                assert (response.status_code, response.json()) == (403, {}), (who, method, where)
            else:
                assert response.status_code not in (401, 403), (who, method, where)


def test_a_menu_leads_only_where_its_role_may_go(clients):
    for role in ROLES:
        for action in policy.menu(role):
            assert role in action.roles
            assert any(pattern.name == action.page for _, pattern in PAGES), action.page


def test_no_role_is_a_police_role_and_the_administrator_reads_no_contact():
    assert policy.ROLES == {"handler", "coordinator", "evaluator", "administrator"}
    assert not policy.may("administrator", "contact.log") and not policy.may("administrator", "overview.view")
    assert not policy.may("evaluator", "overview.view")


# --- the controls: a page and an API view that nobody thought about -----------------------------------------------


def thoughtless(request):
    return HttpResponse("leaked")


class ThoughtlessAPI(APIView):
    def get(self, request):
        return Response("leaked")


urlpatterns = [path("thoughtless/", thoughtless), path("api/thoughtless/", ThoughtlessAPI.as_view())]


@pytest.fixture
def with_thoughtless_pages(settings, monkeypatch):
    from config import urls

    monkeypatch.setattr(urls, "urlpatterns", [*urls.urlpatterns, *urlpatterns])
    from django.urls import clear_url_caches

    clear_url_caches()
    yield
    clear_url_caches()


def test_a_page_without_an_action_answers_to_nobody(clients, with_thoughtless_pages):
    for who, client in clients.items():
        response = client.get("/thoughtless/")
        assert b"leaked" not in response.content and response.status_code == (403 if who in ROLES else 302)


def test_an_api_view_without_an_action_answers_to_nobody(clients, with_thoughtless_pages):
    for client in clients.values():
        response = client.get("/api/thoughtless/")
        assert b"leaked" not in response.content and response.status_code in (401, 403)


def test_without_the_guard_the_thoughtless_page_would_answer(clients, with_thoughtless_pages, monkeypatch):
    monkeypatch.setattr(access.DenyByDefaultMiddleware, "process_view", lambda *args: None)
    monkeypatch.setattr(DenyAll, "has_permission", lambda *args: True)
    assert clients["anonymous"].get("/thoughtless/").content == b"leaked"
    assert clients["anonymous"].get("/api/thoughtless/").json() == "leaked"


def test_an_action_that_the_policy_lacks_stops_the_start():
    with pytest.raises(KeyError):
        access.needs("contact.search")(SimpleNamespace())
