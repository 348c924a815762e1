"""Who gets which page: generated from the addresses and the policy, so that a new page is tested when it is made."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver, path, reverse
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.views import APIView

from helpline import access, contacts, drafts, policy, sessions
from helpline.entries import ContactEntry
from helpline.imports import jobs
from helpline.models import Approval, User
from reports.api.permissions import DenyAll
from tests import granted

pytestmark = pytest.mark.django_db

# What a visitor without account may open; a page joins them only here, under the eyes of a reviewer.
OPEN_PAGES = {
    *("account_login", "mfa_authenticate", "oidc-begin", "oidc-callback", "session", "set_language"),
    *("setup", "invitation"),
    *("health-live", "health-ready", "metrics"),  # for probes; nothing in them moves with a contact
}
# What an account without a second factor may do: get one, or leave.
GETS_A_SECOND_FACTOR = {"account.own", "account.secure", "session.end"}

ARGUMENTS = {
    **{
        "token": "no-such-token",
        "table": "no-such-table",
        "int:release": "99999",
        "int:pk": "99999",
        "int:year": "9999",
    },
    **{"uuid:contact": "00000000-0000-4000-8000-000000000000", "uuid:key": "00000000-0000-4000-8000-000000000001"},
    **{
        "uuid:service": "00000000-0000-4000-8000-000000000002",
        "uuid:organisation": "00000000-0000-4000-8000-000000000003",
    },
    **{"table_id": "no-such-table", "codelist_id": "none", "path:rest": "nowhere"},
}
METHODS = ["get", "post", "put", "patch", "delete", "head", "options"]
ROLES = sorted(policy.ROLES)


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
NAMES = {pattern.name for _, pattern in PAGES}


# --- who asks ---------------------------------------------------------------------------------------------------------

WHOLE, DISABLED = "whole", "disabled"
IDLE, TOO_OLD = "not used for too long", "begun too long ago"
PASSWORD_ONLY, PROVED_LONG_AGO = "second factor missing", "step-up too old"


def age(session: SessionBase, state: str) -> None:
    """Make a session that was begun and proved just now what `state` says."""
    now, records = int(time.time()), session["account_authentication_methods"]
    if state == IDLE:
        session[sessions.SEEN] = now - settings.HELPLINE_IDLE_MINUTES * 60
    elif state == TOO_OLD:
        session[sessions.BEGAN] = now - settings.SESSION_COOKIE_AGE
    elif state == PASSWORD_ONLY:
        records[0] = {"method": "password", "at": now}
    elif state == PROVED_LONG_AGO:
        records[0]["at"] = now - policy.STEP_UP_SECONDS


@dataclass(frozen=True)
class Somebody:
    """A visitor (no role), or an account of one role with a session in one state."""

    role: str = ""
    state: str = WHOLE

    @property
    def is_logged_in(self) -> bool:
        return bool(self.role) and self.state not in (DISABLED, IDLE, TOO_OLD)


STATES = [DISABLED, IDLE, TOO_OLD, PASSWORD_ONLY, PROVED_LONG_AGO]
EVERYBODY = [Somebody(), *(Somebody(role, state) for role in ROLES for state in (WHOLE, *STATES))]
Cookies = dict[Somebody, str]


@pytest.fixture
def cookies(db) -> Cookies:
    """The session cookie of everybody."""
    made = {Somebody(): ""}
    password = make_password("four words in a row")
    for role in ROLES:
        user = User.objects.create(username=role, password=password, role=role)
        closed = User.objects.create_user(f"closed-{role}", None, role=role)
        for who in (one for one in EVERYBODY if one.role == role):
            client = Client()
            client.force_login(closed if who.state == DISABLED else user)
            session = client.session
            age(session, who.state)
            session.save()
            made[who] = session.session_key
    User.objects.filter(username__startswith="closed-").update(is_active=False)
    granted.grant(User.objects.get(username=policy.EVALUATOR))
    return made


def ask(cookie: str, method: str, where: str, **sent: object) -> HttpResponse:
    """What somebody is answered; nothing that was done by it remains."""
    client = Client()
    if cookie:
        client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    cache.clear()
    with transaction.atomic():
        response = getattr(client, method)(where, **sent)
        transaction.set_rollback(True)
    return response


# --- the table --------------------------------------------------------------------------------------------------------

THROUGH, LOG_IN, REFUSED = "through", "log in first", "refused"
SECOND, PROVE = "give a second factor first", "prove anew first"
PAGE, SCRIPT, API = "page", "script", "API"


def expected(who: Somebody, action: str) -> str:
    """What the policy says."""
    if action == policy.OPEN:
        return THROUGH
    if not who.is_logged_in:
        return LOG_IN
    if who.role not in policy.ACTIONS[action].roles:
        return REFUSED
    if who.state == PASSWORD_ONLY and action not in GETS_A_SECOND_FACTOR:
        return SECOND
    return PROVE if who.state == PROVED_LONG_AGO and policy.ACTIONS[action].step_up else THROUGH


def said(response: HttpResponse, asks: str) -> str:
    """What an answer means. A page, a script and a program are told the same in different ways."""
    status, url = response.status_code, response.headers.get("Location", "")
    if asks == PAGE and status == 302:
        if url.startswith("/account/confirm/") and "?next=" in url:
            return PROVE
        return SECOND if url == "/account/" else LOG_IN if url.startswith("/login/?next=") else THROUGH
    if asks == PAGE and status == 401:
        return "refused without a page"
    if asks == SCRIPT and status in (401, 403) and (content := response.json()):
        return PROVE if list(content) == ["prove"] else f"told {content}"
    return {401: LOG_IN, 403: REFUSED}.get(status, THROUGH)


# A script that lacks a second factor is refused; to a program a session without one is none.
INSTEAD = {PAGE: {}, SCRIPT: {SECOND: REFUSED}, API: {SECOND: LOG_IN}}
LEAD_TO_THE_ACCOUNT = {"mfa_list_webauthn"}  # for everybody


def askers(action: str) -> list[Somebody]:
    """A visitor, all roles, and somebody who may do `action` but for the state of account or session."""
    may = min(policy.ACTIONS[action].roles) if action != policy.OPEN else policy.HANDLER
    return [Somebody(), *(Somebody(role) for role in ROLES), *(Somebody(may, state) for state in STATES)]


def deviations(
    cookies: Cookies, method: str, asks: str, asking: Callable[[str], Iterable[Somebody]] = askers
) -> list[str]:
    """Where what is answered is not what the table says."""
    headers, differing = {"accept": "application/json"} if asks == SCRIPT else {}, []
    for where, pattern in PAGES:
        if where.startswith("/api/") != (asks == API):
            continue
        action = pattern.callback.policy_action
        for who in asking(action):
            right = expected(who, action)
            right = INSTEAD[asks].get(right, right)
            answer = said(ask(cookies[who], method, where, headers=headers), asks)
            if answer != right and not (answer == SECOND and right == THROUGH and pattern.name in LEAD_TO_THE_ACCOUNT):
                differing.append(f"{method} {where} by {who.role or 'visitor'}, {who.state}: {answer}, not {right}")
    return differing


def test_every_page_names_an_action_of_the_policy():
    for where, pattern in PAGES:
        action = getattr(pattern.callback, "policy_action", None)
        assert action == policy.OPEN or action in policy.ACTIONS, where


def test_only_the_listed_pages_are_open_to_visitors():
    assert {p.name for _, p in PAGES if getattr(p.callback, "policy_action", None) == policy.OPEN} == OPEN_PAGES


ASKED = [(asks, method) for asks in (PAGE, API) for method in METHODS]
ASKED += [(SCRIPT, method) for method in METHODS if method != "head"]  # whose answer has no content to read


@pytest.mark.parametrize(("asks", "method"), ASKED)
def test_each_page_answers_as_the_table_says_and_to_nobody_else(cookies, asks, method):
    assert deviations(cookies, method, asks) == []


BROKEN_RULES = {
    "roles": (User, "may", True, {WHOLE}),
    "age": (sessions, "is_over", False, {IDLE, TOO_OLD}),
    "second factor": (sessions, "wants_second_factor", False, {PASSWORD_ONLY}),
    "proof": (sessions, "is_proved_anew", True, {PROVED_LONG_AGO}),
}


@pytest.mark.parametrize("rule", BROKEN_RULES)
def test_without_a_rule_there_are_deviations(cookies, rule, monkeypatch):
    owner, name, answer, states = BROKEN_RULES[rule]
    monkeypatch.setattr(owner, name, lambda *args: answer)
    for who in (Somebody(policy.HANDLER, state) for state in states):
        assert deviations(cookies, "get", PAGE, lambda action, who=who: [who]), who


def test_a_menu_leads_only_where_its_role_may_go():
    for role in ROLES:
        for action in policy.menu(role):
            assert role in action.roles
            assert action.page in NAMES, action.page


# A coordinator's page, and what of the menu is marked on it and how.
MARKED = {
    "/traffic/": ("/traffic/", "page"),
    "/traffic/hours/": ("/traffic/", "true"),
    "/traffic/opening/hours/": ("/traffic/", "true"),
    "/directory/add/": ("/directory/", "true"),
    "/directory/counties/": ("/directory/", "true"),
    "/overview/unanswered/": ("/overview/", "true"),
    "/contacts/": ("/contacts/", "page"),
    "/contacts/new/": ("/contacts/new/", "page"),
    "/releases/99999/": ("/releases/", "true"),
    "/import/00000000-0000-4000-8000-000000000001/": ("/import/", "true"),
    "/": None,
    "/account/": None,
    "/policy/": None,
}


@pytest.mark.parametrize("where", MARKED)
def test_the_menu_marks_the_page_that_is_shown_or_the_one_that_it_belongs_to(cookies, where):
    html = ask(cookies[Somebody(policy.COORDINATOR)], "get", where).content.decode()
    menu = html[html.index("<nav") : html.index("</nav>")]
    marked = re.findall(r'href="([^"]+)" aria-current="(\w+)"', menu)
    assert marked == ([MARKED[where]] if MARKED[where] else [])
    assert menu.count("aria-current") == len(marked)


@pytest.mark.parametrize("role", ROLES)
def test_each_page_of_a_menu_marks_itself_and_nothing_else(role):
    for action in policy.menu(role):
        items = access._menu(role, reverse(action.page))
        assert [(item.title, item.current) for item in items if item.current] == [(action.title, "page")]


def test_no_role_is_a_police_role_and_the_administrator_reads_no_contact():
    assert policy.ROLES == {"handler", "coordinator", "evaluator", "administrator"}
    assert not policy.may("administrator", "contact.log") and not policy.may("administrator", "overview.view")
    assert not policy.may("evaluator", "overview.view")


# --- what is somebody else's is not there -----------------------------------------------------------------------------


def contact_of(owner: User) -> object:
    today = timezone.localdate()
    entry = ContactEntry(today, {"channel": frozenset({"telefon"}), "result": frozenset({"test"})})
    return contacts.log_contact(by=owner, key=uuid4(), entry=entry, now=timezone.now(), today=today).pk


def draft_of(owner: User) -> object:
    return drafts.keep_draft(by=owner, key=uuid4(), content=drafts.Content("", {}), case=None, now=timezone.now()).pk


def passkey_of(owner: User) -> object:
    """The second of two, so that it may be removed."""
    for _ in range(2):
        made = Authenticator.objects.create(user=owner, type="webauthn", data={"name": "key"})
    return made.pk


def asked_for_by(owner: User) -> object:
    """That an account be given another role, which administrators decide."""
    today = timezone.localdate()
    return Approval.objects.create(act="staff.role", subject="1", requested_by=owner, requested_on=today).pk


def grant_of(owner: User) -> object:
    return granted.grant(owner).pk


def token_of(owner: User) -> object:
    granted.token_of(owner)
    return owner.tokens.get().pk


def import_of(owner: User) -> object:
    rows = b"key,day,channel,result\na,2016-01-04,telefon,test\n"
    return jobs.put("contacts", rows, by=owner, now=timezone.now()).pk


# Of each page of one object: what makes such an object, and the roles for which it is there only when it is theirs.
# For handlers alone of contacts: a coordinator may open every one, with a reason.
OTHERS: dict[str, tuple[Callable[[User], object], set[str]]] = {
    "contact-amend": (contact_of, {policy.HANDLER}),
    "contact-withdraw": (contact_of, {policy.HANDLER}),
    "contact-outcome": (contact_of, {policy.HANDLER, policy.COORDINATOR}),
    "draft": (draft_of, {policy.HANDLER, policy.COORDINATOR}),
    "draft-discard": (draft_of, {policy.HANDLER, policy.COORDINATOR}),
    "mfa_remove_webauthn": (passkey_of, set(policy.ROLES)),
    "grant-end": (grant_of, {policy.EVALUATOR}),
    "token-revoke": (token_of, {policy.EVALUATOR}),
    **dict.fromkeys(("import-job", "import-load", "import-aim", "import-cancel"), (import_of, {policy.COORDINATOR})),
    "waiting-decide": (asked_for_by, {policy.COORDINATOR}),
    "waiting-take-back": (asked_for_by, {policy.COORDINATOR, policy.ADMINISTRATOR}),
}
# Pages of one object that is nobody's own: whoever may do the action may do it to each.
EVERYBODYS = {
    *("row-file", "row-file-publish"),
    *("contact-open", "contact-delete", "table", "setup", "invitation"),
    *("release", "release-publish", "release-manifest", "release-edition"),
    *("directory-service", "directory-change", "directory-verify", "directory-close", "directory-reopen"),
    *("directory-organisation", "directory-close-organisation"),
    *("staff-account", "staff-link", "staff-reset", "staff-role", "staff-close", "staff-reopen", "staff-sessions"),
}


def test_every_page_of_one_object_says_whose_it_is():
    of_one = {pattern.name for where, pattern in pages() if "<" in where and not where.startswith("/api/")}
    assert of_one == (OTHERS.keys() | EVERYBODYS)


def answered(cookies: Cookies, name: str, pk: object, role: str) -> dict[str, int]:
    """The status by method of a page of an object."""
    where, form = reverse(name, args=[pk]), "application/x-www-form-urlencoded"
    body = {"put": {"data": "day=", "content_type": form}}
    return {way: ask(cookies[Somebody(role)], way, where, **body.get(way, {})).status_code for way in METHODS}


@pytest.mark.parametrize("name", sorted(OTHERS.keys()))
def test_what_is_somebody_elses_is_not_there(cookies, name):
    """404, and 405 for methods that the page has for nobody; never 403, which would tell that it exists."""
    make, roles = OTHERS[name]
    theirs = make(User.objects.create_user("somebody-else", None, role=min(roles)))
    for role in roles:
        statuses = answered(cookies, name, theirs, role)
        assert set(statuses.values()) <= {404, 405} and 404 in statuses.values(), (role, statuses)


@pytest.mark.parametrize("name", sorted(OTHERS.keys() - {"waiting-decide"}))
def test_what_is_ones_own_is_there(cookies, name):
    """The control: the same addresses answer to their owner."""
    make, roles = OTHERS[name]
    for role in roles:
        statuses = answered(cookies, name, make(User.objects.get(username=role)), role)
        assert 404 not in statuses.values() and {200, 302} & set(statuses.values()), (role, statuses)
        Approval.objects.all().delete()


# --- the controls: a page and an API view that nobody thought about -----------------------------------------------


def thoughtless(request):
    return HttpResponse("leaked")


class ThoughtlessAPI(APIView):
    def get(self, request):
        return Response("leaked")


urlpatterns = [path("thoughtless/", thoughtless), path("api/thoughtless/", ThoughtlessAPI.as_view())]


@pytest.fixture
def with_thoughtless_pages(monkeypatch):
    from config import urls

    monkeypatch.setattr(urls, "urlpatterns", [*urls.urlpatterns, *urlpatterns])
    from django.urls import clear_url_caches

    clear_url_caches()
    yield
    clear_url_caches()


def test_a_page_without_an_action_answers_to_nobody(cookies, with_thoughtless_pages):
    for who in EVERYBODY:
        response = ask(cookies[who], "get", "/thoughtless/")
        assert b"leaked" not in response.content and response.status_code == (403 if who.is_logged_in else 302), who


def test_an_api_view_without_an_action_answers_to_nobody(cookies, with_thoughtless_pages):
    for who in EVERYBODY:
        response = ask(cookies[who], "get", "/api/thoughtless/")
        assert b"leaked" not in response.content and response.status_code in (401, 403), who


def test_without_the_guard_the_thoughtless_page_would_answer(with_thoughtless_pages, monkeypatch):
    monkeypatch.setattr(access.DenyByDefaultMiddleware, "process_view", lambda *args: None)
    monkeypatch.setattr(DenyAll, "has_permission", lambda *args: True)
    assert ask("", "get", "/thoughtless/").content == b"leaked"
    assert ask("", "get", "/api/thoughtless/").json() == "leaked"


def test_an_action_that_the_policy_lacks_stops_the_start():
    with pytest.raises(KeyError):
        access.needs("contact.search")(SimpleNamespace())
