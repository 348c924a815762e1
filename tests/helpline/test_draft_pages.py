"""What the script of the form asks and is answered, from draft to save and log-in; and the same without a script."""

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.core import signing
from django.core.cache import cache
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from helpline import case_numbers, cases, contacts, policy
from helpline.entries import read_entry
from helpline.models import Case, Contact, DayMark, Draft, User
from helpline.views import contact_new, drafts, kept
from helpline.views.kept import owner_of_form

pytestmark = pytest.mark.django_db
NEW, CASE, SESSION, LOG_IN = "/contacts/new/", "/contacts/case/", "/session/", "/login/"
PASSWORD = "four words in a row"
TOLD = "told in strict secrecy"
ASKS_JSON = {"accept": "application/json", "accept-language": "en"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def nothing_left_of_other_tests() -> Iterator[None]:
    cache.clear()
    with translation.override("sv"):
        yield


@pytest.fixture
def handler() -> User:
    return User.objects.create_user("handler", PASSWORD, role=policy.HANDLER)


@pytest.fixture
def other() -> User:
    return User.objects.create_user("other", PASSWORD, role=policy.HANDLER)


def script_of(user: User | None, **options: bool) -> Client:
    """A browser whose script asks."""
    client = Client(headers=ASKS_JSON, **options)
    if user:
        client.force_login(user)
    return client


def page_of(user: User | None, **options: bool) -> Client:
    """A browser without a script."""
    client = Client(headers={"accept": "text/html", "accept-language": "en"}, **options)
    if user:
        client.force_login(user)
    return client


@pytest.fixture
def script(handler) -> Client:
    return script_of(handler)


@pytest.fixture
def plain(handler) -> Client:
    return page_of(handler)


def answers(**changes) -> dict:
    today = timezone.localdate().isoformat()
    return {"key": str(uuid4()), "day": today, "channel": "telefon", "result": "relevant"} | changes


def put(client: Client, key: str, body: dict, **headers: str) -> HttpResponse:
    return client.put(f"/contacts/drafts/{key}/", urlencode(body, doseq=True), FORM, headers=headers)


def text(response: HttpResponse) -> str:
    return response.content.decode()


def asked(queries: CaptureQueriesContext) -> int:
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])


# --- saving -----------------------------------------------------------------------------------------------------------


def test_a_save_is_answered_with_what_the_next_form_needs(script):
    sent = answers(caller_role="narstaende", concerns=["hot"])
    response = script.post(NEW, sent)
    contact, said = Contact.objects.get(), response.json()
    assert response.status_code == 201
    assert said["contact"]["id"] == str(contact.pk)
    assert said["contact"]["label"] == "Relevant · Relative or close person"
    assert said["contact"]["url"] == f"/contacts/{contact.pk}/amend/" and not said["contact"]["is_open"]
    assert said["contact"]["time"] == timezone.localtime(contact.logged_at).strftime("%H.%M")
    assert said["again"] == f"{NEW}?again={contact.pk}" and said["today"] == timezone.localdate().isoformat()
    assert said["key"] != sent["key"] and said["draft_url"] == f"/contacts/drafts/{said['key']}/"
    assert script.get(said["again"]).status_code == script.get(said["contact"]["url"]).status_code == 200


def test_what_lacks_an_answer_is_said_to_be_open_and_a_short_call_is_not(script):
    said = [script.post(NEW, answers(result=result)).json()["contact"] for result in ("relevant", "tyst")]
    assert [(line["is_open"], " · " in line["label"]) for line in said] == [(True, False), (False, False)]


def test_the_last_five_are_ones_own_the_newest_first(script, plain, other):
    script_of(other).post(NEW, answers())
    made = [script.post(NEW, answers(result="tyst")).json()["contact"]["id"] for _ in range(6)]
    assert [line["id"] for line in plain.get(NEW).context["recent"]] == list(reversed(made[1:]))


def test_a_save_takes_few_queries_whatever_the_history(script, handler):
    few = 3 if connection.vendor == "postgresql" else 7

    def save() -> int:
        sent = answers(concerns=["hot"], **{"referral-0-target": "social", "referral-0-type": "hanvisning"})
        put(script, sent["key"], sent)
        with CaptureQueriesContext(connection) as queries:
            assert script.post(NEW, sent).status_code == 201
        return asked(queries)

    save()
    assert save() == few
    entry = read_entry(timezone.localdate(), {"channel": ["telefon"], "result": ["tyst"]})
    for _ in range(50):
        contacts.log_contact(by=handler, key=uuid4(), entry=entry, now=timezone.now(), today=timezone.localdate())
    assert save() == few


def test_a_save_in_a_case_takes_eight_queries_however_long_the_case(script, handler):
    case, _ = cases.open_case(today=timezone.localdate())

    def save() -> int:
        referral = {"referral-0-target": "social", "referral-0-type": "hanvisning"}
        sent = answers(case=cases.ticket(case, by=handler), concerns=["hot"], **referral)
        put(script, sent["key"], sent)
        with CaptureQueriesContext(connection) as queries:
            assert script.post(NEW, sent).status_code == 201
        return asked(queries)

    assert [save() for _ in range(6)] == [8] * 6


def test_a_refusal_says_the_same_as_the_page(script, plain):
    sent = answers(result="", county="stockholms län", day="2020-01-01")
    sent |= {"referral-0-target": "social", "referral-0-type": "formedling"}
    errors = script.post(NEW, sent).json()["errors"]
    shown = plain.post(NEW, sent)
    assert script.post(NEW, sent).status_code == 422 and not Contact.objects.exists()
    assert [(e["place"], e["label"], e["text"]) for e in errors] == shown.context["form"].summary()
    assert {e["place"] for e in errors} == {"day", "result", "county", "referral-0-target"}
    with translation.override("en"):
        assert all(e["text"] in text(shown).replace("&#x27;", "'") for e in errors if "<" not in e["text"])


def test_a_refused_word_is_not_repeated(script):
    response = script.post(NEW, answers(county=TOLD, concerns=[TOLD], case=TOLD, case_number=TOLD, note=TOLD))
    assert response.status_code == 422 and "secrecy" not in text(response)


def test_the_same_form_ten_times_is_one_contact(script):
    sent = answers()
    said = [script.post(NEW, sent) for _ in range(10)]
    assert {r.status_code for r in said} == {201} and len({r.json()["contact"]["id"] for r in said}) == 1
    assert Contact.objects.count() == DayMark.objects.count() == 1


def test_the_same_form_with_other_answers_leads_to_the_saved_one(script):
    sent = answers()
    saved = script.post(NEW, sent).json()["contact"]
    response = script.post(NEW, sent | {"county": "01"})
    assert (response.status_code, response.json()) == (409, {"url": saved["url"]})
    assert Contact.objects.get().county == "ej_fragat"


def test_the_key_of_somebody_elses_contact_tells_nothing_of_it(script, other):
    sent = answers()
    saved = script_of(other).post(NEW, sent).json()["contact"]
    for again in (sent, sent | {"county": "01"}):
        response = script.post(NEW, again)
        assert (response.status_code, response.json()) == (409, {"url": "/contacts/"})
        shown = page_of(User.objects.get(username="handler")).post(NEW, again)
        assert shown.status_code == 409 and saved["id"] not in text(shown)
    assert Contact.objects.get().logged_by == other


def busy(**_: object) -> None:
    raise OperationalError


def test_a_busy_database_is_told_and_the_same_form_can_be_sent_again(script, monkeypatch):
    sent = answers()
    monkeypatch.setattr(contact_new.contacts, "log_contact", busy)
    monkeypatch.setattr(drafts.drafts, "keep_draft", busy)
    refused = (script.post(NEW, sent), put(script, sent["key"], sent))
    assert [(r.status_code, r.json()) for r in refused] == [(503, {})] * 2
    monkeypatch.undo()
    assert script.post(NEW, sent).status_code == 201


# --- the same caller again --------------------------------------------------------------------------------------------


def test_the_same_caller_again_opens_with_what_is_known_and_the_case(plain, handler):
    case, _ = cases.open_case(today=timezone.localdate())
    sent = answers(caller_role="narstaende", county="14", concerns=["hot"], case=cases.ticket(case, by=handler))
    response = plain.post(NEW, sent | {"then": "again"})
    contact = Contact.objects.get()
    assert response.url == f"{NEW}?again={contact.pk}"
    plain.get(response.url)  # makes the token of the session
    with CaptureQueriesContext(connection) as queries:
        shown = plain.get(response.url)
    assert asked(queries) <= 6
    form = shown.context["form"]
    assert (form.posted["caller_role"], form.posted["county"], form.posted["first_contact"]) == (
        "narstaende",
        "14",
        "nej",
    )
    assert "concerns" not in form.posted and str(form.key) != sent["key"]
    assert cases.redeem(form.case.ticket, by=handler) == case and form.case.said == "Second contact of the case"
    assert '<option value="14" selected>' in text(shown)


@pytest.mark.parametrize("again", ["other", "old", "none", "no key", "withdrawn"])
def test_only_ones_own_call_of_a_while_ago_can_be_taken_up_again(plain, handler, other, again):
    plain.post(NEW, answers())
    contact = Contact.objects.get()
    hours = timedelta(hours=25)
    {
        "other": lambda: Contact.objects.update(logged_by=other),
        "old": lambda: Contact.objects.update(logged_at=timezone.now() - hours),
        "withdrawn": lambda: Contact.objects.update(is_withdrawn=True),
    }.get(again, lambda: None)()
    pk = {"none": uuid4(), "no key": TOLD}.get(again, contact.pk)
    assert plain.get(NEW, {"again": str(pk)}).status_code == 404


# --- drafts -----------------------------------------------------------------------------------------------------------


def test_a_draft_is_kept_and_opens_the_form_as_it_was_left(script, plain, handler):
    case, _ = cases.open_case(today=timezone.localdate())
    sent = answers(concerns=["hot", "natet"], county="14", case=cases.ticket(case, by=handler))
    sent |= {"referral-0-target": "social", "referral-0-type": "formedling", "referral-0-consent": "ja"}
    kept = put(script, sent["key"], sent)
    assert kept.status_code == 200 and list(kept.json()) == ["opened_at"]
    plain.get(NEW)  # makes the token of the session
    with CaptureQueriesContext(connection) as queries:
        shown = plain.get(NEW, {"draft": sent["key"]})
    assert asked(queries) <= 6
    form = shown.context["form"]
    assert str(form.key) == sent["key"] and form.posted.getlist("concerns") == ["hot", "natet"]
    assert cases.redeem(form.case.ticket, by=handler) == case
    assert shown.context["opened_at"] == Draft.objects.get().opened_at
    for part in ('value="hot" checked', '<option value="14" selected>', 'name="referral-0-consent" value="ja" checked'):
        assert part in text(shown)


def test_keeping_a_draft_takes_five_queries_and_six_in_a_case(script, handler):
    case, _ = cases.open_case(today=timezone.localdate())
    sent = answers(concerns=["hot"])
    put(script, sent["key"], sent)
    for more, n in (({}, 5), ({"case": cases.ticket(case, by=handler)}, 6)):
        with CaptureQueriesContext(connection) as queries:
            put(script, sent["key"], sent | more)
        assert asked(queries) == n


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "options"])
def test_somebody_elses_draft_is_not_there_whatever_is_asked_of_it(script, handler, other, method):
    sent = answers(county="14")
    put(script_of(other), sent["key"], sent)
    address = f"/contacts/drafts/{sent['key']}/"
    body = {} if method in ("get", "head") else {"data": urlencode(sent | {"county": "01"}), "content_type": FORM}
    for client in (script, page_of(handler)):
        assert getattr(client, method)(address, **body).status_code == 404
        assert client.get(NEW, {"draft": sent["key"]}).status_code == 404
        assert client.post(f"{address}discard/").status_code == 404
    kept = Draft.objects.get()
    assert kept.owner == other and '"14"' in kept.content
    if method not in ("put", "head"):
        assert getattr(script_of(other), method)(address, **body).status_code == 405


@pytest.mark.parametrize("place", ["county", "concerns", "day", "referral-0-target", "referral-7-consent"])
def test_a_word_is_refused_and_nowhere_stored_echoed_or_logged(script, caplog, place):
    caplog.set_level(logging.DEBUG)
    key = str(uuid4())
    with CaptureQueriesContext(connection) as queries:
        response = put(script, key, {"result": "relevant", place: TOLD})
    assert (response.status_code, response.json()) == (400, {}) and not Draft.objects.exists()
    assert "secrecy" not in caplog.text
    assert not [query for query in queries if "secrecy" in query["sql"]]
    assert "secrecy" not in "".join(
        record.getMessage() for record in caplog.records if record.name != "django.db.backends"
    )


def test_a_field_that_the_form_does_not_have_is_not_kept(script):
    sent = answers(note=TOLD, case_number="482109376", username=TOLD)
    assert put(script, sent["key"], sent).status_code == 200
    assert "secrecy" not in Draft.objects.get().content and "482109376" not in Draft.objects.get().content


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_a_draft_in_another_form_does_not_empty_the_kept_one(script, kind):
    sent = answers(county="14")
    put(script, sent["key"], sent)
    assert script.put(f"/contacts/drafts/{sent['key']}/", b"{}", kind).status_code == 400
    assert '"14"' in Draft.objects.get().content


@pytest.mark.parametrize("body", [b"a=" + b"x" * 300_000, b"&".join(b"f%d=" % n for n in range(600))])
def test_what_is_too_much_is_refused(script, body):
    assert script.put(f"/contacts/drafts/{uuid4()}/", body, FORM).status_code == 400 and not Draft.objects.exists()


def test_a_draft_is_gone_on_save_and_one_that_comes_late_is_refused(script, plain):
    sent = answers()
    put(script, sent["key"], sent)
    assert script.post(NEW, sent).status_code == 201 and not Draft.objects.exists()
    late = put(script, sent["key"], sent)
    assert (late.status_code, late.json()) == (409, {}) and not Draft.objects.exists()
    response = plain.get(NEW, {"draft": sent["key"]}, follow=True)
    assert response.redirect_chain == [(NEW, 302)] and "That form is saved" in text(response)


def test_a_draft_is_thrown_away_with_and_without_a_script(script, plain):
    for client in (script, plain):
        sent = answers()
        put(script, sent["key"], sent)
        response = client.post(f"/contacts/drafts/{sent['key']}/discard/")
        assert response.status_code == (204 if client is script else 302) and not Draft.objects.exists()
    assert script.post(f"/contacts/drafts/{uuid4()}/discard/").status_code == 204


def test_a_draft_that_there_is_not_is_no_page(plain):
    for key in (uuid4(), TOLD, ""):
        assert plain.get(NEW, {"draft": str(key)}).status_code == (404 if key else 200)


# --- the case number --------------------------------------------------------------------------------------------------


def test_a_case_is_opened_and_found_by_its_number_and_the_save_puts_the_contact_to_it(script):
    opened = script.post(CASE, {"new": "1"})
    assert opened.status_code == 201 and opened.json()["said"] == "First contact of the case"
    number = opened.json()["spoken"]
    assert script.post(NEW, answers(case=opened.json()["ticket"])).status_code == 201
    found = script.post(CASE, {"number": number})
    assert (found.status_code, found.json()["spoken"]) == (200, "")
    assert found.json()["said"] == "Second contact of the case"
    script.post(NEW, answers(case=found.json()["ticket"]))
    assert script.post(CASE, {"number": number}).json()["said"] == "Third or later contact of the case"
    assert list(Contact.objects.order_by("logged_at").values_list("case_step", "first_contact")) == [
        ("forsta", "ej_fragat"),
        ("andra", "nej"),
    ]


def test_a_number_typed_into_a_form_without_script_is_as_good(plain, handler):
    case, number = cases.open_case(today=timezone.localdate())
    assert plain.post(NEW, answers(case_number=case_numbers.spoken(number))).status_code == 302
    assert Contact.objects.get().case == case


def test_a_wrong_number_is_told_apart_and_never_repeated(script, plain):
    _, number = cases.open_case(today=timezone.localdate())
    mistyped = number[:-1] + str((int(number[-1]) + 1) % 10)
    unknown = case_numbers.make(lambda below: 1)
    wanted = {mistyped: (422, "mistyped"), unknown: (404, "No case has this number")}
    for wrong, (status, words) in wanted.items():
        response = script.post(CASE, {"number": wrong})
        assert response.status_code == status and words in response.json()["text"]
        refused = script.post(NEW, answers(case_number=wrong))
        assert refused.status_code == 422
        (error,) = refused.json()["errors"]
        assert (error["place"], error["text"]) == ("case_number", response.json()["text"])
        shown = plain.post(NEW, answers(case_number=wrong))
        assert words in text(shown) and shown.status_code == 200
        for answer in (response, refused, shown):
            assert wrong not in text(answer) and case_numbers.spoken(wrong) not in text(answer)
    assert not Contact.objects.exists()


def test_who_tries_numbers_out_must_wait_and_can_still_save(script, settings):
    unknown = case_numbers.make(lambda below: 1)
    statuses = [script.post(CASE, {"number": unknown}).status_code for _ in range(settings.HELPLINE_CASE_TRIES + 1)]
    assert statuses == [404] * settings.HELPLINE_CASE_TRIES + [429]
    assert "wait" in script.post(CASE, {"number": unknown}).json()["text"]
    assert script.post(NEW, answers()).status_code == 201


def test_without_a_script_a_new_number_is_shown_once_and_carried_as_a_ticket(plain, handler):
    sent = answers(new_case="1", county="14", concerns=["hot"])
    shown = plain.post(NEW, sent)
    spoken = shown.context["form"].case.spoken
    assert spoken in text(shown) and not Contact.objects.exists()
    assert '<option value="14" selected>' in text(shown) and 'value="hot" checked' in text(shown)
    del sent["new_case"]
    carried = sent | {"case": shown.context["form"].case.ticket}
    again = plain.post(NEW, carried | {"add_referral": "1"})
    assert spoken not in text(again) and spoken.replace(" ", "") not in text(again)
    assert plain.post(NEW, carried | {"new_case": "1"}).context["form"].case.spoken == ""
    assert plain.post(NEW, carried).status_code == 302
    assert Case.objects.count() == 1 and Contact.objects.get().case == Case.objects.get()


@pytest.mark.parametrize("whose", ["other", "nobody"])
def test_a_ticket_that_is_not_ones_own_is_refused_rather_than_lost(script, other, whose):
    case, _ = cases.open_case(today=timezone.localdate())
    ticket = cases.ticket(case, by=other) if whose == "other" else TOLD
    response = script.post(NEW, answers(case=ticket))
    assert response.status_code == 422 and response.json()["errors"][0]["place"] == "case_number"
    assert "secrecy" not in text(response) and not Contact.objects.exists()


def test_neither_number_nor_digest_comes_back_after_the_giving(script, plain):
    given = script.post(CASE, {"new": "1"}).json()
    number, digest = given["spoken"].replace(" ", ""), Case.objects.get().digest
    sent = answers(case=given["ticket"])
    put(script, sent["key"], sent)
    pages = [plain.get(NEW, {"draft": sent["key"]}), script.post(NEW, sent), plain.get(NEW), plain.get("/contacts/")]
    pages += [plain.get(NEW, {"again": str(Contact.objects.get().pk)}), plain.get("/")]
    for response in pages:
        assert response.status_code in (200, 201)
        assert not [word for word in (number, given["spoken"], digest) if word in text(response)]
    assert number in given["spoken"].replace(" ", "")


# --- single keys ------------------------------------------------------------------------------------------------------


def test_single_keys_are_switched_off_and_on_for_ones_own_account(script, handler, other):
    for on in ("0", "1", "0"):
        assert script.post("/contacts/shortcuts/", {"on": on}).status_code == 204
        handler.refresh_from_db()
        assert handler.has_shortcuts == (on == "1")
    assert script.post("/contacts/shortcuts/", {"on": TOLD}).status_code == 400
    other.refresh_from_db()
    assert other.has_shortcuts


# --- a session that has ended -----------------------------------------------------------------------------------------


def token(client: Client) -> str:
    return client.get(SESSION).json()["csrf"]


def test_a_visitor_and_a_user_learn_who_they_are_and_their_token(script):
    said = Client(headers=ASKS_JSON).get(SESSION).json()
    assert said["user"] == "" and len(said["csrf"]) == 64
    assert script.get(SESSION).json()["user"] == "handler"


def test_after_the_session_ended_one_logs_in_over_the_form_and_sends_it_with_its_key(handler):
    client = script_of(handler, enforce_csrf_checks=True)
    sent = answers(county="14")
    old = token(client)
    assert put(client, sent["key"], sent, **{"X-CSRFToken": old}).status_code == 200
    client.logout()
    for lost in (
        client.post(NEW, sent | {"csrfmiddlewaretoken": old}),
        put(client, sent["key"], sent, **{"X-CSRFToken": old}),
        client.post(CASE, {"new": "1"}, headers={"X-CSRFToken": old}),
    ):
        assert (lost.status_code, lost.json()) == (401, {})
    wrong = {"login": "handler", "password": "wrong"}
    refused = client.post(LOG_IN, wrong, headers={"X-CSRFToken": old})
    assert refused.status_code == 403 and list(refused.json()) == ["csrf"]
    refused = client.post(LOG_IN, wrong, headers={"X-CSRFToken": refused.json()["csrf"]})
    assert refused.status_code == 400 and "The user name or the password is wrong" in refused.json()["text"]
    said = client.post(LOG_IN, wrong | {"password": PASSWORD}, headers={"X-CSRFToken": token(client)})
    assert said.status_code == 200 and said.json()["user"] == "handler"
    new = said.json()["csrf"]
    assert put(client, sent["key"], sent, **{"X-CSRFToken": new}).status_code == 200
    assert client.post(NEW, sent, headers={"X-CSRFToken": new}).status_code == 201
    assert Contact.objects.get().county == "14"


def test_an_outdated_token_is_answered_with_the_new_one(handler):
    client = script_of(handler, enforce_csrf_checks=True)
    sent = answers()
    refused = put(client, sent["key"], sent, **{"X-CSRFToken": "x" * 64})
    assert refused.status_code == 403 and list(refused.json()) == ["csrf"]
    assert put(client, sent["key"], sent, **{"X-CSRFToken": refused.json()["csrf"]}).status_code == 200
    refused = client.post(NEW, sent, headers={"X-CSRFToken": "x" * 64})
    assert refused.status_code == 403 and list(refused.json()) == ["csrf"] and not Contact.objects.exists()
    assert client.post(NEW, sent, headers={"X-CSRFToken": refused.json()["csrf"]}).status_code == 201
    assert Contact.objects.count() == 1


def test_logging_in_by_script_works_also_when_another_window_did_it_already(script):
    said = script.post(LOG_IN, {"login": "handler", "password": PASSWORD})
    assert said.status_code == 200 and said.json()["user"] == "handler"


HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def hidden(response: HttpResponse) -> dict[str, list[str]]:
    """What the log-in form sends on its own."""
    form = text(response).split('action="/login/"')[1].split("</form>")[0]
    fields: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(form):
        fields.setdefault(name, []).append(value)
    return fields


def test_without_a_script_the_answers_wait_in_the_log_in_page_and_become_a_draft(handler):
    client = page_of(handler, enforce_csrf_checks=True)
    case, _ = cases.open_case(today=timezone.localdate())
    sent = answers(concerns=["hot", "natet"], county="14", case=cases.ticket(case, by=handler), note=TOLD, length=TOLD)
    sent |= {"referral-0-target": "social", "referral-0-type": "formedling", "referral-0-consent": "ja"}
    sent |= {"owner": owner_of_form(handler)}
    client.logout()
    waiting = client.post(NEW, sent)
    assert waiting.status_code == 403 and "Your answers are kept" in text(waiting) and "secrecy" not in text(waiting)
    assert not Contact.objects.exists() and not Draft.objects.exists()
    wrong = client.post(LOG_IN, hidden(waiting) | {"login": "handler", "password": "wrong"})
    assert wrong.status_code == 200 and hidden(wrong)["concerns"] == ["hot", "natet"]
    inside = client.post(LOG_IN, hidden(wrong) | {"login": "handler", "password": PASSWORD})
    assert inside.url == f"{NEW}?draft={sent['key']}"
    form = client.get(inside.url).context["form"]
    assert form.posted.getlist("concerns") == ["hot", "natet"] and form.rows[0].consent
    assert cases.redeem(form.case.ticket, by=handler) == case
    assert Draft.objects.get().owner == handler


def test_a_typed_case_number_is_not_carried_through_the_log_in_and_that_is_said(handler):
    client = page_of(None)
    _, number = cases.open_case(today=timezone.localdate())
    waiting = client.post(NEW, answers(case_number=number, owner=owner_of_form(handler)))
    assert number not in text(waiting)
    inside = client.post(LOG_IN, hidden(waiting) | {"login": "handler", "password": PASSWORD}, follow=True)
    assert "give it once more" in text(inside) and number not in text(inside)


@pytest.mark.parametrize("owner", ["handler", "nobody", "broken"])
@pytest.mark.parametrize("was_kept", [True, False])
def test_whoever_logs_in_over_another_accounts_form_gets_nothing_of_it(script, other, handler, owner, was_kept):
    sent = answers(county="14")
    if was_kept:
        put(script, sent["key"], sent)
    sent |= {"handler": {"owner": owner_of_form(handler)}, "broken": {"owner": TOLD}}.get(owner, {})
    client = page_of(None)
    waiting = client.post(NEW, sent)
    assert "secrecy" not in text(waiting)
    inside = client.post(LOG_IN, hidden(waiting) | {"login": "other", "password": PASSWORD}, follow=True)
    assert inside.redirect_chain == [("/", 302)] and "belonged to another account" in text(inside)
    assert not Draft.objects.filter(owner=other).exists() and Draft.objects.count() == was_kept
    assert client.get(NEW, {"draft": sent["key"]}).status_code == 404


def test_an_owner_that_somebody_else_signed_for_something_else_is_none(handler):
    waiting = page_of(None).post(NEW, answers(county="14", owner=signing.dumps(str(handler.pk))))
    inside = page_of(None).post(LOG_IN, hidden(waiting) | {"login": "handler", "password": PASSWORD}, follow=True)
    assert "belonged to another account" in text(inside) and not Draft.objects.exists()


def test_the_form_says_whose_it_is_and_the_questions_that_all_share_do_not(plain, handler, other):
    pages = [text(client.get(NEW)) for client in (plain, page_of(other))]
    owners = [re.search(r'name="owner" value="([^"]+)"', page)[1] for page in pages]
    assert [signing.loads(o, salt=kept.SALT) for o in owners] == [str(handler.pk), str(other.pk)]
    assert 'name="owner"' not in pages[0].split('id="questions"')[1]


def outdated(user: User) -> Client:
    """A browser with a session, whose form was made before it."""
    return page_of(user, enforce_csrf_checks=True)


@pytest.mark.parametrize("owner", ["handler", "nobody", "broken"])
@pytest.mark.parametrize("address", [NEW, LOG_IN])
def test_an_outdated_form_of_another_account_is_not_shown(other, handler, owner, address):
    sent = answers(county="14")
    sent |= {"handler": {"owner": owner_of_form(handler)}, "broken": {"owner": TOLD}}.get(owner, {})
    response = outdated(other).post(address, sent, follow=True)
    assert response.redirect_chain == [("/", 302)] and "belonged to another account" in text(response)
    assert sent["key"] not in text(response)
    mine = outdated(handler).post(address, sent)
    assert (mine.status_code == 403 and sent["key"] in text(mine)) == (owner == "handler")


def test_an_outdated_form_looks_no_case_number_up(handler, settings):
    unknown = case_numbers.make(lambda below: 1)
    sent = answers(case_number=unknown, county="14", owner=owner_of_form(handler))
    for _ in range(settings.HELPLINE_CASE_TRIES + 1):
        shown = outdated(handler).post(NEW, sent)
        assert shown.status_code == 403 and "give it once more" in text(shown) and unknown not in text(shown)
    assert script_of(handler).post(CASE, {"number": unknown}).status_code == 404


def test_an_outdated_form_keeps_its_case_by_the_ticket(handler):
    case, _ = cases.open_case(today=timezone.localdate())
    shown = outdated(handler).post(NEW, answers(case=cases.ticket(case, by=handler), owner=owner_of_form(handler)))
    assert cases.redeem(shown.context["form"].case.ticket, by=handler) == case
    assert "give it once more" not in text(shown)


def test_a_form_that_was_saved_before_the_log_in_is_no_draft(handler):
    sent = answers(owner=owner_of_form(handler))
    page_of(handler).post(NEW, sent)
    client = page_of(None)
    waiting = client.post(NEW, sent)
    inside = client.post(LOG_IN, hidden(waiting) | {"login": "handler", "password": PASSWORD}, follow=True)
    assert "That form is saved" in text(inside) and not Draft.objects.exists() and Contact.objects.count() == 1


def test_who_may_not_log_contacts_leaves_nothing_behind_by_logging_in():
    User.objects.create_user("evaluator", PASSWORD, role=policy.EVALUATOR)
    client = page_of(None)
    waiting = client.post(NEW, answers())
    inside = client.post(LOG_IN, hidden(waiting) | {"login": "evaluator", "password": PASSWORD})
    assert inside.status_code == 302 and "draft" not in inside.url and not Draft.objects.exists()


def test_logging_in_in_another_window_meanwhile_loses_nothing(handler):
    client = page_of(handler, enforce_csrf_checks=True)
    client.logout()
    sent = answers(county="14", owner=owner_of_form(handler))
    waiting = client.post(NEW, sent)
    client.post(LOG_IN, {"login": "handler", "password": PASSWORD}, headers={"X-CSRFToken": token(client)})
    shown = client.post(LOG_IN, hidden(waiting) | {"login": "handler", "password": PASSWORD})
    assert shown.status_code == 403 and shown.context["form"].posted["county"] == "14"
    assert "opened before you logged in" in text(shown) and sent["key"] in text(shown)
