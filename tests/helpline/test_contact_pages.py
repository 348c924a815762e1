"""The pages on which contacts are found, amended and withdrawn: who sees which, who may change what, and how long."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.html import escape

from helpline import cases, contacts, drafts, policy, taxonomy
from helpline.entries import ContactEntry, ReferralEntry, read_entry
from helpline.models import AuditEvent, Case, Contact, DayMark, DaySeal, Draft, User
from helpline.views import contacts as pages
from helpline.views.kept import is_of, owner_of_form

pytestmark = pytest.mark.django_db
LIST, NOWHERE = "/contacts/", UUID(int=1)
SIGNPOSTED = ReferralEntry("skola", "hanvisning", "vantar")
ARRANGED = ReferralEntry("social", "formedling", "kontakt", consent=True)
WHOLE = {
    "channel": ["telefon"],
    **{"result": ["relevant"], "length": ["15_29"], "caller_role": ["narstaende"], "concerns": ["hot", "natet"]},
    **{"county": ["14"], "age": ["vet_ej"]},
}
OPEN = {"channel": ["telefon"], "result": ["relevant"]}


@pytest.fixture(autouse=True)
def language_of_the_next_test() -> Iterator[None]:
    """A request leaves its language behind in the thread."""
    with translation.override("en"):
        yield


def user(name: str, role: str = policy.HANDLER) -> User:
    return User.objects.create_user(name, None, role=role)


def browser_of(somebody: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(somebody)
    return client


@pytest.fixture
def handler() -> User:
    return user("handler")


@pytest.fixture
def coordinator() -> User:
    return user("coordinator", policy.COORDINATOR)


@pytest.fixture
def client(handler) -> Client:
    return browser_of(handler)


@pytest.fixture
def leading(coordinator) -> Client:
    return browser_of(coordinator)


def today() -> date:
    return timezone.localdate()


def entry(*referrals: ReferralEntry, day: date | None = None, **answers: list[str]) -> ContactEntry:
    return read_entry(day or today(), answers or WHOLE, referrals)


def log(
    what: ContactEntry | None = None, by: User | None = None, hours_ago: float = 0, case: Case | None = None
) -> Contact:
    now = timezone.now() - timedelta(hours=hours_ago)
    return contacts.log_contact(by=by, key=uuid4(), entry=what or entry(), now=now, today=today(), case=case)


def text(response: HttpResponse) -> str:
    return response.content.decode()


def words(response: HttpResponse) -> str:
    """The text of a page, blanks made one."""
    return " ".join(re.sub(r"<[^>]+>", " ", text(response)).split())


def act(contact: Contact, what: str) -> str:
    return f"{LIST}{contact.pk}/{what}/"


def sent(version: int = 1, **changes: object) -> dict[str, object]:
    """What the form sends that says WHOLE, with `changes`."""
    return {"version": version, "day": today().isoformat()} | WHOLE | changes


def give_reason(leading: Client, contact: Contact) -> HttpResponse:
    return leading.post(act(contact, "open"), {"reason": "rattelse"})


def freeze(contact: Contact) -> None:
    Contact.objects.filter(pk=contact.pk).update(is_frozen=True)


def acts_written_down() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("pk").values_list("act", "reason"))


# --- one's own list ---------------------------------------------------------------------------------------------------


def test_ones_own_contacts_stand_with_time_result_role_and_what_is_open(client, handler):
    log(by=handler)
    log(entry(**OPEN), by=handler)
    log(entry(channel=["telefon"], result=["tyst"]), by=handler)
    response = client.get(LIST)
    lines = re.findall(r'<li class="line">.*?</li>', text(response), re.S)
    whole, lacking, silent = sorted(lines, key=lambda line: ("Silent" in line, "line__mark" in line))
    assert "Relevant · Relative or close person" in whole and "line__mark" not in whole
    assert re.search(r">open</strong>", lacking) and not re.search(r">open</strong>", silent)
    assert all(re.search(r">\d\d\.\d\d</span>", line) and "/amend/" in line and "/withdraw/" in line for line in lines)


def test_nobody_elses_withdrawn_frozen_or_old_contact_stands_in_ones_list(client, handler):
    shown = log(by=handler)
    hidden = [log(by=user("other")), log(), log(by=handler, hours_ago=24)]
    withdrawn, frozen = log(by=handler), log(by=handler)
    contacts.withdraw_contact(withdrawn, version=1)
    freeze(frozen)
    page = text(client.get(LIST))
    assert str(shown.pk) in page
    assert not [contact for contact in (*hidden, withdrawn, frozen) if str(contact.pk) in page]


def keep_draft(by: User, hours_ago: float = 0) -> Draft:
    content = drafts.Content("", {"result": ("info",), "caller_role": ("yrkes",)})
    when = timezone.now() - timedelta(hours=hours_ago)
    return drafts.keep_draft(by=by, key=uuid4(), content=content, case=None, now=when)


@pytest.mark.parametrize("where", [LIST, "/"])
def test_ones_own_drafts_can_be_continued_or_thrown_away_and_nobody_elses_is_shown(client, handler, where):
    mine, others, old = keep_draft(handler), keep_draft(user("other")), keep_draft(handler, hours_ago=12.1)
    page = text(client.get(where))
    assert f'href="/contacts/new/?draft={mine.pk}"' in page and f'action="/contacts/drafts/{mine.pk}/discard/"' in page
    assert "Simple information · Professional" in page
    assert str(others.pk) not in page and str(old.pk) not in page


def test_an_empty_list_says_so_and_leads_to_a_new_contact(client):
    response = client.get(LIST)
    assert "You have no contact that you can change" in words(response) and 'href="/contacts/new/"' in text(response)
    assert "Not saved yet" not in words(response)


def test_a_handler_sees_no_day_and_no_count_of_others(client):
    log(entry(**OPEN))
    for where in (LIST, f"{LIST}?day={today()}", "/"):
        page = words(client.get(where))
        assert "by day" not in page and "open contact" not in page and "1 open" not in page


def test_the_start_page_shows_what_is_open_of_ones_own(client, handler):
    lacking, whole = log(entry(**OPEN), by=handler), log(by=handler)
    page = text(client.get("/"))
    assert str(lacking.pk) in page and str(whole.pk) not in page
    assert "You have logged 2 contacts for today." in page


def test_the_start_page_counts_the_open_contacts_for_a_coordinator(leading):
    assert "open contact" not in words(leading.get("/"))
    for _ in range(3):
        log(entry(**OPEN))
    log()
    contacts.withdraw_contact(log(entry(**OPEN)), version=1)
    freeze(log(entry(**OPEN)))
    assert '<a href="/contacts/">3 open contacts</a>' in text(leading.get("/"))


# --- the days ---------------------------------------------------------------------------------------------------------


def test_a_day_lists_result_role_and_length_of_its_contacts_and_what_is_withdrawn(leading):
    log()
    log(entry(**OPEN))
    contacts.withdraw_contact(log(), version=1)
    other = log(entry(day=today() - timedelta(days=1)))
    response = leading.get(LIST, {"day": today().isoformat()})
    lines = re.findall(r'<li class="line">.*?</li>', text(response), re.S)
    lacking, whole, withdrawn = lines
    assert ">open</strong>" in lacking and "length not given" in lacking and "/amend/" in lacking
    assert re.search(r"Relevant · Relative or close person\s*· 15–29", whole) and ">open<" not in whole
    assert ">withdrawn</strong>" in withdrawn and "/amend/" not in withdrawn
    assert str(other.pk) not in text(response)
    assert not re.search(r">\d\d\.\d\d</span>", text(response))


def test_one_walks_from_day_to_day_but_not_into_tomorrow(leading):
    yesterday = today() - timedelta(days=1)
    page = text(leading.get(LIST, {"day": today().isoformat()}))
    assert f"?day={yesterday}" in page and 'rel="next"' not in page
    page = text(leading.get(LIST, {"day": yesterday.isoformat()}))
    assert f'rel="next" href="/contacts/?day={today()}"' in page
    assert 'rel="prev"' not in text(leading.get(LIST, {"day": "2015-01-01"}))


@pytest.mark.parametrize("day", ["", "yesterday", "2026-02-30", "9999-12-31"])
def test_what_is_no_day_is_refused_and_says_what_to_do(leading, day):
    response = leading.get(LIST, {"day": day})
    assert response.status_code == 400 and 'id="find-day-error"' in text(response)


def test_the_open_contacts_are_counted_by_day_with_links(leading):
    yesterday = today() - timedelta(days=1)
    for day in (today(), yesterday, yesterday):
        log(entry(day=day, **OPEN))
    log()
    page = leading.get(LIST)
    assert "3 open contacts lack" in words(page)
    assert re.search(rf'href="/contacts/\?day={yesterday}">[^<]+</a>: 2 open', text(page))
    assert "No contact is open" in words(browser_of(only_frozen()).get(LIST))


def only_frozen() -> User:
    Contact.objects.update(is_frozen=True)
    return user("second", policy.COORDINATOR)


def test_a_frozen_month_says_so_and_lists_only_what_came_late(leading):
    day = date(2026, 1, 15)
    assert "frozen" not in words(leading.get(LIST, {"day": str(day)}))
    frozen, late = log(entry(day=day)), log(entry(day=day))
    freeze(frozen)
    DaySeal.objects.create(day=day)
    response = leading.get(LIST, {"day": str(day)})
    assert "The month is frozen" in words(response)
    assert str(late.pk) in text(response) and str(frozen.pk) not in text(response)


# --- amending one's own -----------------------------------------------------------------------------------------------


def test_the_form_shows_what_is_stored_with_its_referrals_and_version(client, handler):
    contact = log(entry(ARRANGED, SIGNPOSTED), by=handler)
    page = text(client.get(act(contact, "amend")))
    for name, value in [("result", "relevant"), ("caller_role", "narstaende"), ("concerns", "hot"), ("age", "vet_ej")]:
        assert re.search(rf'name="{name}" value="{value}"[^>]* checked', page), name
    assert not re.search(r'name="concerns" value="aktiv"[^>]* checked', page)
    assert re.search(r'value="14" selected', page) and 'name="version" value="1"' in page
    form = client.get(act(contact, "amend")).context["form"]
    assert [(row.target, row.type, row.outcome, row.consent) for row in form.rows] == [
        ("skola", "hanvisning", "vantar", ""),
        ("social", "formedling", "kontakt", "ja"),
    ]
    assert "Save the change" in page


def test_what_the_form_shows_saved_untouched_is_what_was_stored(client, handler):
    for what in (entry(ARRANGED, SIGNPOSTED), entry(**OPEN), entry(channel=["chatt"], result=["tyst"])):
        contact = log(what, by=handler)
        form = client.get(act(contact, "amend")).context["form"]
        fields = dict(form.posted.lists()) | {"version": "1"}
        assert client.post(act(contact, "amend"), fields).status_code == 302
        assert contacts.entry_of(Contact.objects.get(pk=contact.pk)).as_text() == what.as_text()


def test_an_amendment_is_stored_acknowledged_and_marks_its_days(client, handler):
    contact = log(by=handler)
    DayMark.objects.all().delete()
    yesterday = today() - timedelta(days=1)
    response = client.post(act(contact, "amend"), sent(day=str(yesterday), county="01"), follow=True)
    assert response.redirect_chain == [(LIST, 302)] and "The change is saved." in text(response)
    stored = Contact.objects.get()
    assert (stored.county, stored.day, stored.version) == ("01", yesterday, 2)
    assert sorted(DayMark.objects.values_list("day", flat=True)) == [yesterday, today()]
    assert not AuditEvent.objects.exists()


def test_one_more_referral_is_offered_without_saving(client, handler):
    contact = log(entry(SIGNPOSTED), by=handler)
    form = client.get(act(contact, "amend")).context["form"]
    response = client.post(act(contact, "amend"), dict(form.posted.lists()) | {"version": "1", "add_referral": "1"})
    assert 'id="referral-1-target"' in text(response) and 'name="version" value="1"' in text(response)
    assert Contact.objects.get().version == 1


def test_a_wrong_answer_keeps_the_others_and_stores_nothing(client, handler):
    contact = log(by=handler)
    response = client.post(act(contact, "amend"), sent(concerns=["hot", "avboj"], county="01"))
    assert 'id="concerns-error"' in text(response) and re.search(r'value="01" selected', text(response))
    assert Contact.objects.get().version == 1


def test_a_busy_database_keeps_the_answers(client, handler, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError

    contact = log(by=handler)
    monkeypatch.setattr(contacts, "amend_contact", fail)
    response = client.post(act(contact, "amend"), sent(county="01"))
    assert response.status_code == 503 and re.search(r'value="01" selected', text(response))


def test_a_contact_amended_to_a_silent_call_keeps_nothing_of_what_was_said(client, handler):
    contact = log(entry(ARRANGED, SIGNPOSTED, **WHOLE | {"caller_role": ["yrkes"], "sector": ["skola"]}), by=handler)
    fields = dict(client.get(act(contact, "amend")).context["form"].posted.lists())
    assert client.post(act(contact, "amend"), fields | {"version": "1", "result": "tyst"}).status_code == 302
    said = contacts.entry_of(Contact.objects.get())
    left = {question for question, codes in said.answers.items() if taxonomy.is_answer(codes)}
    assert left == {"channel", "result", "length"} and said.referrals == ()


# --- a session that ended while the form was open ---------------------------------------------------------------------


PASSWORD = "four words in a row"


def hidden(response: HttpResponse) -> dict[str, list[str]]:
    """What the log-in form sends on its own."""
    form = text(response).split('action="/login/"')[1].split("</form>")[0]
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form):
        fields.setdefault(name, []).append(value)
    return fields


def logged_out_over(contact: Contact, owner: User, **changes: object) -> HttpResponse:
    """The log-in page that an amended form leads to once its session has ended."""
    fields = sent(county="01", owner=owner_of_form(owner), **changes)
    return Client(headers={"accept-language": "en"}).post(act(contact, "amend"), fields)


def log_in(page: HttpResponse, somebody: User) -> HttpResponse:
    somebody.set_password(PASSWORD)
    somebody.save()
    fields = hidden(page) | {"login": somebody.username, "password": PASSWORD}
    return Client(headers={"accept-language": "en"}).post("/login/", fields, follow=True)


def test_a_change_waits_in_the_log_in_page_and_returns_without_being_saved(handler):
    contact = log(entry(SIGNPOSTED), by=handler)
    referral = {"referral-0-target": "social", "referral-0-type": "formedling", "referral-0-consent": "ja"}
    waiting = logged_out_over(contact, handler, **referral)
    assert waiting.status_code == 403 and "Your answers are kept" in text(waiting)
    page = log_in(waiting, handler)
    assert f'action="{act(contact, "amend")}"' in text(page) and "look it over and save again" in text(page)
    form = page.context["form"]
    assert form.posted["county"] == "01" and form.posted.getlist("concerns") == ["hot", "natet"]
    assert [(row.target, row.consent) for row in form.rows] == [("social", "ja")]
    assert 'name="version" value="1"' in text(page)
    assert Contact.objects.get().version == 1 and not Draft.objects.exists()
    fields = dict(form.posted.lists()) | {"version": "1"}
    saved = browser_of(handler).post(act(contact, "amend"), fields)
    assert saved.status_code == 302 and Contact.objects.get().county == "01"


def test_a_change_made_meanwhile_is_still_told_after_the_log_in(handler):
    contact = log(by=handler)
    page = log_in(logged_out_over(contact, handler), handler)
    assert browser_of(handler).post(act(contact, "amend"), sent(county="03")).status_code == 302
    fields = dict(page.context["form"].posted.lists()) | {"version": str(page.context["version"])}
    assert browser_of(handler).post(act(contact, "amend"), fields).status_code == 409


def test_whoever_else_logs_in_does_not_get_the_change(handler, coordinator):
    contact = log(by=handler)
    for somebody in (user("other"), coordinator, user("evaluator", policy.EVALUATOR)):
        page = log_in(logged_out_over(contact, handler), somebody)
        assert page.redirect_chain == [("/", 302)] and "belonged to another account" in text(page)
        assert str(contact.pk) not in text(page)


def outdated(somebody: User) -> Client:
    """A browser with a session, whose form was made before it."""
    client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    client.force_login(somebody)
    return client


def test_an_outdated_change_returns_with_its_answers_to_whose_it_is_alone(handler):
    contact = log(by=handler)
    fields = sent(county="01", owner=owner_of_form(handler))
    shown = outdated(handler).post(act(contact, "amend"), fields)
    assert re.search(r'value="01" selected', text(shown)) and 'name="version" value="1"' in text(shown)
    assert "look it over and save again" in text(shown)
    foreign = outdated(user("other")).post(act(contact, "amend"), fields, follow=True)
    unsigned = outdated(handler).post(act(contact, "amend"), sent(county="01"), follow=True)
    for response in (foreign, unsigned):
        assert response.redirect_chain == [("/", 302)] and "belonged to another account" in text(response)
    assert Contact.objects.get().version == 1


def test_the_two_versions_say_whose_they_are(client, handler):
    contact = log(by=handler)
    page = text(client.post(act(contact, "amend"), sent(version=7, county="01")))
    assert is_of({"owner": re.search(r'name="owner" value="([^"]+)"', page)[1]}, handler)


def test_a_correction_whose_reason_is_lost_says_that_nothing_was_changed(leading, coordinator):
    contact = log()
    page = log_in(logged_out_over(contact, coordinator), coordinator)
    assert page.redirect_chain == [(act(contact, "open"), 302)] and "Nothing was changed" in text(page)
    assert "Nothing was changed" not in text(leading.get(act(contact, "amend"), follow=True))
    assert Contact.objects.get().version == 1


# --- two versions -----------------------------------------------------------------------------------------------------


def rows(response: HttpResponse) -> dict[str, tuple[str, str, bool]]:
    """The table of two versions: saved, yours and whether it is marked, by question."""
    found = re.findall(r"<tr.*?<th scope=\"row\">(.*?)</th>\s*<td>(.*?)</td>\s*<td>(.*?)</td>", text(response), re.S)

    def plain(cell: str) -> str:
        return " ".join(re.sub(r"<[^>]+>", " ", cell).split())

    return {plain(q).removesuffix(" differs"): (plain(a), plain(b), "differs" in q) for q, a, b in found}


def test_a_contact_changed_meanwhile_is_shown_in_both_versions_and_nothing_is_stored(client, handler):
    contact = log(entry(SIGNPOSTED), by=handler)
    assert client.post(act(contact, "amend"), sent(county="01")).status_code == 302
    response = client.post(act(contact, "amend"), sent(county="03", concerns=["hot", "natet"]))
    assert response.status_code == 409
    beside = rows(response)
    assert beside["County"] == ("Stockholm County", "Uppsala County", True)
    assert beside["Call result"] == ("Relevant", "Relevant", False)
    assert "Needs in the exit process" not in beside
    assert Contact.objects.get().county == "01"


def test_ones_own_answers_can_be_saved_from_the_two_versions(client, handler):
    contact = log(by=handler)
    client.post(act(contact, "amend"), sent(county="01"))
    referral = {"referral-0-target": "social", "referral-0-type": "formedling", "referral-0-consent": "ja"}
    response = client.post(act(contact, "amend"), sent(county="03", **referral))
    form = re.search(r'<form class="choose".*?</form>', text(response), re.S).group()
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(value)
    assert fields["version"] == ["2"] and "Save my answers instead" in form and f'href="{LIST}"' in form
    assert client.post(act(contact, "amend"), fields).status_code == 302
    stored = Contact.objects.get()
    assert (stored.county, stored.version, stored.concerns) == ("03", 3, {"hot", "natet"})
    assert stored.referrals.get().consent


def test_the_same_change_sent_twice_is_no_conflict(client, handler):
    contact = log(by=handler)
    twice = [client.post(act(contact, "amend"), sent(county="01")).status_code for _ in range(2)]
    assert twice == [302, 302] and Contact.objects.get().version == 2


@pytest.mark.parametrize("version", ["", "x", "0", "-1", "1.0", "²", "99999999999999999999"])
def test_a_form_without_its_version_is_shown_beside_what_is_stored(client, handler, version):
    contact = log(by=handler)
    response = client.post(act(contact, "amend"), sent(version=version, county="01"))
    assert response.status_code == 409 and rows(response)["County"] == (
        "Västra Götaland County",
        "Stockholm County",
        True,
    )


def ask(somebody: User) -> HttpResponse:
    request = RequestFactory().get("/")
    request.user, request.session = somebody, {}
    return request


def test_a_form_that_was_saved_already_is_shown_beside_what_it_became(handler):
    contact = log(by=handler)
    response = pages.conflict(ask(handler), contact, entry(**WHOLE | {"county": ["01"]}))
    assert response.status_code == 409 and rows(response)["County"] == (
        "Västra Götaland County",
        "Stockholm County",
        True,
    )


def test_who_sends_somebody_elses_key_learns_nothing_of_the_contact(handler):
    contact = log(by=user("other"))
    response = pages.conflict(ask(handler), contact, entry(**WHOLE | {"county": ["01"]}))
    assert response.status_code == 409 and not rows(response) and str(contact.pk) not in text(response)


# --- whose it is, and until when --------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["amend", "withdraw"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_contact_that_is_not_ones_own_is_not_there(client, what, method):
    answers = {
        (r := getattr(client, method)(f"{LIST}{pk}/{what}/", sent()), r.status_code, words(r))[1:]
        for pk in (NOWHERE, log(by=user("other")).pk, log().pk)
    }
    assert len(answers) == 1 and next(iter(answers))[0] == 404
    assert not Contact.objects.exclude(version=1).exists()


@pytest.mark.parametrize("what", ["amend", "withdraw"])
def test_after_the_window_a_page_says_why_and_nothing_changes(client, handler, settings, what):
    settings.HELPLINE_AMEND_HOURS = 2
    contact, within = log(by=handler, hours_ago=2), log(by=handler, hours_ago=1.9)
    for response in (client.get(act(contact, what)), client.post(act(contact, what), sent(county="01"))):
        assert response.status_code == 410 and "that time is over" in words(response)
        assert "Västra" not in words(response)
    assert Contact.objects.get(pk=contact.pk).version == 1
    assert client.get(act(within, what)).status_code == 200


@pytest.mark.parametrize("what", ["amend", "withdraw"])
def test_a_frozen_or_withdrawn_contact_says_why_it_stays(client, handler, what):
    frozen, withdrawn = log(by=handler), log(by=handler)
    freeze(frozen)
    contacts.withdraw_contact(withdrawn, version=1)
    for contact, why in ((frozen, "month is frozen"), (withdrawn, "is withdrawn")):
        for response in (client.get(act(contact, what)), client.post(act(contact, what), sent(2, county="01"))):
            assert response.status_code == 410 and why in words(response)
    assert not Contact.objects.filter(county="01").exists()


def test_a_month_frozen_while_the_form_was_open_is_told(client, handler, monkeypatch):
    contact, entry_of_form = log(by=handler), pages.AmendForm.entry

    def freeze_first(form: pages.AmendForm) -> ContactEntry | None:
        freeze(contact)
        return entry_of_form(form)

    monkeypatch.setattr(pages.AmendForm, "entry", freeze_first)
    response = client.post(act(contact, "amend"), sent(county="01"))
    assert response.status_code == 410 and Contact.objects.get().county == "14"


# --- withdrawing ------------------------------------------------------------------------------------------------------


def test_withdrawing_asks_once_more_and_then_counts_it_nowhere(client, handler):
    contact = log(by=handler)
    asked = client.get(act(contact, "withdraw"))
    assert "counted nowhere" in words(asked) and not Contact.objects.get().is_withdrawn
    response = client.post(act(contact, "withdraw"), {"version": "1"}, follow=True)
    assert response.redirect_chain == [(LIST, 302)] and "is withdrawn" in text(response)
    assert Contact.objects.get().is_withdrawn and str(contact.pk) not in text(response)
    assert not AuditEvent.objects.exists()


def test_a_contact_changed_meanwhile_is_shown_before_it_is_withdrawn(client, handler):
    contact = log(by=handler)
    client.post(act(contact, "amend"), sent(result="info"))
    response = client.post(act(contact, "withdraw"), {"version": "1"})
    assert response.status_code == 409 and "Simple information" in words(response)
    assert 'name="version" value="2"' in text(response) and not Contact.objects.get().is_withdrawn


# --- a coordinator ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["amend", "withdraw"])
def test_somebody_elses_contact_is_opened_only_with_a_reason(leading, what):
    contact = log()
    assert leading.get(act(contact, what)).url == act(contact, "open")
    assert leading.post(act(contact, what), sent(county="01")).url == act(contact, "open")
    assert Contact.objects.get().version == 1 and not AuditEvent.objects.exists()


@pytest.mark.parametrize("reason", ["", "nyfiken", "ej_fragat"])
def test_without_a_reason_of_the_list_nothing_is_opened(leading, reason):
    contact = log()
    response = leading.post(act(contact, "open"), {"reason": reason})
    assert response.status_code == 200 and 'id="reason-error"' in text(response)
    assert "reason-error" not in text(leading.get(act(contact, "open")))
    assert not AuditEvent.objects.exists() and leading.get(act(contact, "amend")).status_code == 302


def test_an_opened_contact_is_corrected_and_who_and_why_is_written_down_but_not_what(leading, coordinator):
    contact = log(entry(day=today() - timedelta(days=40)))
    assert give_reason(leading, contact).url == act(contact, "amend")
    assert leading.get(act(contact, "amend")).status_code == 200
    old = str(today() - timedelta(days=40))
    response = leading.post(act(contact, "amend"), sent(day=old, county="01"))
    assert response.url == f"{LIST}?day={old}"
    stored = Contact.objects.get()
    assert (stored.county, stored.version, str(stored.day)) == ("01", 2, old)
    assert acts_written_down() == [("contact.open", "rattelse"), ("contact.correct", "rattelse")]
    event = AuditEvent.objects.last()
    assert event.actor == coordinator and (event.hour.minute, event.hour.second) == (0, 0)
    assert event.about is None
    assert {field.name for field in AuditEvent._meta.fields} == {"id", "hour", "actor", "act", "reason", "about"}


def test_an_opened_contact_is_withdrawn_and_that_is_written_down(leading):
    contact = log()
    give_reason(leading, contact)
    leading.post(act(contact, "withdraw"), {"version": "1"})
    assert Contact.objects.get().is_withdrawn
    assert acts_written_down() == [("contact.open", "rattelse"), ("contact.withdraw", "rattelse")]


def test_a_correction_that_fails_is_not_written_down(leading):
    contact = log()
    give_reason(leading, contact)
    assert leading.post(act(contact, "amend"), sent(version=7, county="01")).status_code == 409
    assert acts_written_down() == [("contact.open", "rattelse")]


def test_a_reason_opens_one_contact_for_an_hour(leading, monkeypatch):
    contact, other, real = log(), log(), timezone.now
    give_reason(leading, contact)
    assert leading.get(act(other, "amend")).status_code == 302
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=59))
    assert leading.get(act(contact, "amend")).status_code == 200
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=61))
    assert leading.get(act(contact, "amend")).status_code == 302


def test_a_reason_given_by_one_coordinator_opens_nothing_to_another(leading):
    contact = log()
    give_reason(leading, contact)
    assert browser_of(user("second", policy.COORDINATOR)).get(act(contact, "amend")).status_code == 302


def test_a_coordinators_own_fresh_contact_needs_no_reason_and_an_old_one_does(leading, coordinator):
    fresh, old = log(by=coordinator), log(by=coordinator, hours_ago=25)
    assert leading.get(act(fresh, "amend")).status_code == 200
    assert leading.get(act(fresh, "open")).url == act(fresh, "amend")
    assert leading.get(act(old, "amend")).url == act(old, "open")


def test_a_frozen_contact_is_closed_to_a_coordinator_too(leading):
    contact = log()
    give_reason(leading, contact)
    freeze(contact)
    for response in (leading.get(act(contact, "open")), leading.post(act(contact, "amend"), sent(county="01"))):
        assert response.status_code == 410 and "month is frozen" in words(response)
    assert leading.get(f"{LIST}{NOWHERE}/amend/").status_code == 404
    assert leading.get(f"{LIST}{NOWHERE}/open/").status_code == 404


def test_a_handler_opens_nothing_by_a_reason(client):
    contact = log()
    for pk in (contact.pk, NOWHERE):
        assert client.post(f"{LIST}{pk}/open/", {"reason": "rattelse"}).status_code == 403
    assert not AuditEvent.objects.exists()


def test_the_session_does_not_say_which_contacts_were_opened_and_forgets_the_old_ones(leading, monkeypatch):
    contact, other, real = log(), log(), timezone.now
    give_reason(leading, contact)
    (digest,) = leading.session[pages.OPENED]
    assert len(digest) == 64 and not {str(contact.pk), contact.pk.hex} & set(
        re.findall(r"[\w-]+", str(dict(leading.session.items())))
    )
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(minutes=61))
    leading.get(act(other, "amend"))
    assert leading.session[pages.OPENED] == {}


# --- cases ------------------------------------------------------------------------------------------------------------


def test_a_referral_that_the_case_had_before_is_marked_where_it_is_shown(client, handler):
    case, _ = cases.open_case(today=today())
    first, second = (log(entry(SIGNPOSTED), by=handler, hours_ago=h, case=case) for h in (2, 1))
    assert "repeated, not counted again" not in words(client.get(act(first, "amend")))
    assert "repeated, not counted again" in words(client.get(act(second, "amend")))
    response = client.post(act(second, "amend"), sent(version=9, county="01"))
    assert rows(response)["Referrals"][0].endswith("(repeated, not counted again)")


# --- what it costs, and in whose words --------------------------------------------------------------------------------


def queries(client: Client, where: str) -> int:
    client.get(where)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(where).status_code == 200
    return len(captured)


@pytest.mark.parametrize("history", [10, 300])
def test_every_page_costs_six_queries_at_most_whatever_the_history(client, handler, leading, coordinator, history):
    for number in range(history):
        log(entry(SIGNPOSTED, **(OPEN if number % 2 else WHOLE)), by=coordinator if number % 3 else handler)
    for person in (handler, coordinator):
        for _ in range(history // 10):
            keep_draft(person)
    mine = Contact.objects.filter(logged_by=handler).first()
    others = log()
    give_reason(leading, others)
    cost = {
        (name, where): queries(browser, where)
        for name, browser, places in (
            ("handler", client, [LIST, "/", act(mine, "amend"), act(mine, "withdraw")]),
            ("coordinator", leading, [LIST, "/", f"{LIST}?day={today()}", act(others, "amend"), act(others, "open")]),
        )
        for where in places
    }
    assert max(cost.values()) <= 6, cost


def test_every_page_speaks_swedish(handler, coordinator):
    mine, others = log(by=handler), log()
    keep_draft(handler)
    swedish = {who: browser_of(who) for who in (handler, coordinator)}
    for browser in swedish.values():
        browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "sv"
    give_reason(swedish[coordinator], others)
    for who, where, said in (
        (handler, LIST, ["Dina kontakter", "Fortsätt", "Kasta", "Ändra"]),
        (handler, act(mine, "amend"), ["Spara ändringen"]),
        (handler, act(mine, "withdraw"), ["Dra tillbaka kontakten"]),
        (coordinator, LIST, ["Alla kontakter, dag för dag"]),
        (coordinator, act(others, "open"), ["Öppna någon annans kontakt", "Skäl att öppna kontakten"]),
    ):
        page = text(swedish[who].get(where))
        assert all(escape(word) in page for word in said), (where, said)
