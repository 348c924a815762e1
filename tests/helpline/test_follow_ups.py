"""What came of a referral is learnt later: from one's own list, or from the next contact of the case."""

import json
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpline import cases, contacts
from helpline.case_history import Overtaken
from helpline.contacts import Changed, NotChangeable
from helpline.entries import FollowUp, ReferralEntry, UnknownCode, read_entry
from helpline.form_case import found_case, same_case
from helpline.form_values import posted_of
from helpline.models import Case, Contact, DayMark, Earlier, Referral, User
from reports import freeze, live, rollups
from reports.models import StatReferral
from reports.periods import containing, parse
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 4, 12, tzinfo=timezone.get_default_timezone())
LAST_MONTH, YESTERDAY = date(2026, 2, 20), date(2026, 3, 3)
FEBRUARY, QUARTER = parse("2026-02"), parse("2026-Q1")
SCHOOL, CARE = ReferralEntry("skola", "hanvisning"), ReferralEntry("vard", "hanvisning")
NEW, LIST = "/contacts/new/", "/contacts/"


@pytest.fixture
def handler() -> User:
    return User.objects.create_user("handler", None, role="handler")


@pytest.fixture
def other() -> User:
    return User.objects.create_user("other", None, role="handler")


def log(
    *referrals: ReferralEntry, case: Case | None = None, day: date = YESTERDAY, said=(), by=None, key=None
) -> Contact:
    entry = read_entry(day, {"channel": ["telefon"], "result": ["relevant"]}, referrals)
    return contacts.log_contact(
        by=by, key=key or uuid4(), entry=entry, now=NOW, today=TODAY, case=case, follow_ups=said
    )


def new_case() -> Case:
    return cases.open_case(today=TODAY)[0]


def told(outcome: str, shown: str = "ej_uppf", target: str = "skola") -> FollowUp:
    return FollowUp(target, "hanvisning", shown, outcome)


def outcome_of(contact: Contact, target: str = "skola") -> str:
    return Referral.objects.get(contact=contact, target=target).outcome


def figures() -> dict[str, int]:
    """What the figures say came of referrals, once everything is counted; all stored counts must be a recount."""
    rollups.refresh(seconds=60)
    assert rollups.wrong_days() == rollups.wrong_months() == []
    cells = live._stored(QUARTER, set(), ("referral_outcome",))
    assert sum(cells.values()) == live.overview(QUARTER).referrals
    return {code: n for (_, code), n in cells.items()}


# --- the door ---------------------------------------------------------------------------------------------------------


def test_an_outcome_that_is_set_is_a_new_version_whose_day_is_counted_anew():
    contact = log(SCHOOL, CARE)
    assert figures() == {"ej_uppf": 2} and not DayMark.objects.exists()
    assert contacts.set_outcome(contact, version=1, target="skola", kind="hanvisning", outcome="startad")
    stored = Contact.objects.get()
    assert (stored.version, outcome_of(stored), outcome_of(stored, "vard")) == (2, "startad", "ej_uppf")
    assert json.loads(Earlier.objects.get(version=1).content)[2][0] == ["skola", "hanvisning", "ej_uppf", False]
    assert set(DayMark.objects.values_list("day", flat=True)) == {YESTERDAY}
    assert figures() == {"ej_uppf": 1, "startad": 1}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"version": 2}, Changed),
        ({"target": "polis"}, Changed),
        ({"outcome": "bra"}, UnknownCode),
        ({"outcome": ""}, UnknownCode),
    ],
)
def test_an_outcome_that_cannot_be_set_changes_nothing(change, error):
    contact = log(SCHOOL)
    with pytest.raises(error):
        contacts.set_outcome(
            contact, **{"version": 1, "target": "skola", "kind": "hanvisning", "outcome": "startad"} | change
        )
    assert (Contact.objects.get().version, outcome_of(contact), Earlier.objects.count()) == (1, "ej_uppf", 0)


def test_a_frozen_or_withdrawn_contact_keeps_its_outcomes():
    frozen, withdrawn = log(SCHOOL, day=LAST_MONTH), log(SCHOOL)
    freeze.freeze_month(FEBRUARY, today=TODAY)
    contacts.withdraw_contact(withdrawn, version=1)
    for contact, version in ((frozen, 1), (withdrawn, 2)):
        with pytest.raises(NotChangeable):
            contacts.set_outcome(contact, version=version, target="skola", kind="hanvisning", outcome="startad")
    assert figures() == {"ej_uppf": 1} and StatReferral.objects.get().referral_outcome == "ej_uppf"


# --- by the next contact of the case ----------------------------------------------------------------------------------


def test_the_next_contact_says_what_came_of_the_case_s_referrals_in_one_transaction():
    case = new_case()
    first = log(SCHOOL, CARE, case=case)
    log(SCHOOL, case=new_case())
    second = log(case=case, day=TODAY, said=[told("startad"), told("saknas", target="vard")])
    first.refresh_from_db()
    assert (first.version, outcome_of(first), outcome_of(first, "vard")) == (2, "startad", "saknas")
    assert Earlier.objects.count() == 1 and (second.case_step, second.version) == ("andra", 1)
    assert figures() == {"startad": 1, "saknas": 1, "ej_uppf": 1}


def test_what_is_sent_twice_says_it_once():
    case, key = new_case(), uuid4()
    first = log(SCHOOL, case=case)
    for _ in range(2):
        log(case=case, key=key, said=[told("startad")])
    first.refresh_from_db()
    assert (first.version, outcome_of(first), Contact.objects.count()) == (2, "startad", 2)
    log(case=case, key=key, said=[told("avvisad", shown="startad")])
    assert outcome_of(first) == "avvisad"


def test_what_somebody_else_said_meanwhile_is_not_overwritten_unseen_and_nothing_is_stored():
    case = new_case()
    first = log(SCHOOL, case=case)
    log(case=case, said=[told("startad")])
    with pytest.raises(Overtaken):
        log(case=case, said=[told("avvisad")])
    assert (outcome_of(first), Contact.objects.count()) == ("startad", 2)
    log(case=case, said=[told("startad")])
    assert Contact.objects.get(pk=first.pk).version == 2 and figures() == {"startad": 1}


def test_a_month_that_was_frozen_meanwhile_keeps_its_outcomes_and_says_so():
    case = new_case()
    first = log(SCHOOL, case=case, day=LAST_MONTH)
    shown = same_case(case, by=User(pk=1))
    assert [row.outcome for row in shown.earlier] == ["ej_uppf"] and not shown.has_closed
    freeze.freeze_month(FEBRUARY, today=TODAY)
    with pytest.raises(Overtaken):
        log(case=case, day=TODAY, said=[told("startad")])
    assert (outcome_of(first), Contact.objects.count(), figures()) == ("ej_uppf", 1, {"ej_uppf": 1})
    shown = same_case(case, by=User(pk=1))
    assert shown.earlier == () and shown.has_closed


def test_of_another_case_or_without_a_case_nothing_can_be_said():
    case = new_case()
    first = log(SCHOOL, case=new_case())
    with pytest.raises(Overtaken):
        log(case=case, said=[told("startad")])
    log(said=[told("startad")])
    assert outcome_of(first) == "ej_uppf"


# --- a referral that is repeated --------------------------------------------------------------------------------------


def test_what_came_of_a_repeated_referral_is_said_where_it_is_counted():
    case = new_case()
    first = log(SCHOOL, case=case)
    second = log(ReferralEntry("skola", "hanvisning", "startad"), case=case, day=TODAY)
    assert Referral.objects.get(contact=second).is_repeat
    assert outcome_of(first) == "startad" and figures() == {"startad": 1}


def test_one_that_says_nothing_leaves_the_outcome_that_is_known():
    case = new_case()
    first = log(ReferralEntry("skola", "hanvisning", "startad"), case=case)
    log(SCHOOL, case=case, day=TODAY)
    assert Contact.objects.get(pk=first.pk).version == 1 and figures() == {"startad": 1}


def test_what_is_said_of_the_earlier_one_goes_before_what_the_repetition_says():
    case = new_case()
    first = log(SCHOOL, case=case)
    log(ReferralEntry("skola", "hanvisning", "kontakt"), case=case, day=TODAY, said=[told("startad")])
    assert outcome_of(first) == "startad" and figures() == {"startad": 1}


def test_setting_or_amending_a_repeated_referral_reaches_the_counted_one():
    case = new_case()
    first, second = log(SCHOOL, case=case), log(SCHOOL, case=case, day=TODAY)
    assert contacts.set_outcome(second, version=1, target="skola", kind="hanvisning", outcome="vantar")
    assert (outcome_of(first), figures()) == ("vantar", {"vantar": 1})
    entry = read_entry(
        TODAY, {"channel": ["telefon"], "result": ["relevant"]}, [ReferralEntry("skola", "hanvisning", "startad")]
    )
    contacts.amend_contact(second, version=2, entry=entry, today=TODAY)
    assert (outcome_of(first), figures()) == ("startad", {"startad": 1})
    contacts.amend_contact(
        first, version=3, entry=read_entry(YESTERDAY, {"channel": ["telefon"], "result": ["relevant"]}), today=TODAY
    )
    assert figures() == {"startad": 1} and not Referral.objects.get().is_repeat


def test_a_repetition_of_what_is_frozen_is_stored_and_the_figures_stay():
    case = new_case()
    first = log(SCHOOL, case=case, day=LAST_MONTH)
    freeze.freeze_month(FEBRUARY, today=TODAY)
    second = log(ReferralEntry("skola", "hanvisning", "startad"), case=case, day=TODAY)
    assert (outcome_of(first), outcome_of(second), figures()) == ("ej_uppf", "startad", {"ej_uppf": 1})
    assert not contacts.set_outcome(second, version=1, target="skola", kind="hanvisning", outcome="vantar")
    assert (outcome_of(first), outcome_of(second), figures()) == ("ej_uppf", "vantar", {"ej_uppf": 1})


# --- many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_handlers_who_say_different_things_at_once_one_is_told_to_look_again():
    for _ in range(5):
        case = new_case()
        first = log(SCHOOL, case=case)
        done = at_once(
            lambda case=case: log(case=case, said=[told("startad")]),
            lambda case=case: log(case=case, said=[told("avvisad")]),
        )
        assert sorted(type(one).__name__ for one in done) == ["Contact", "Overtaken"]
        assert outcome_of(first) == ("startad" if isinstance(done[0], Contact) else "avvisad")
        assert Contact.objects.filter(case=case).count() == 2
    assert sum(figures().values()) == 5


@pytest.mark.django_db(transaction=True)
def test_a_follow_up_an_amendment_and_a_freeze_at_once_end_in_figures_that_add_up():
    for _ in range(5):
        Contact.objects.all().delete()
        case = new_case()
        first = log(SCHOOL, CARE, case=case, day=LAST_MONTH)
        amended = contacts.entry_of(first).with_outcomes({("vard", "hanvisning"): "kontakt"})
        done = at_once(
            lambda case=case: log(case=case, day=TODAY, said=[told("startad")]),
            lambda first=first, amended=amended: contacts.amend_contact(first, version=1, entry=amended, today=TODAY),
            lambda: freeze.freeze_month(FEBRUARY, today=TODAY),
        )
        errors = {type(one) for one in done if isinstance(one, Exception)}
        assert errors <= {Overtaken, Changed, NotChangeable}, done
        counted = figures()
        frozen = sorted(StatReferral.objects.values_list("referral_outcome", flat=True))
        assert sorted(Referral.objects.filter(is_repeat=False).values_list("outcome", flat=True)) == frozen
        assert counted == {code: frozen.count(code) for code in frozen}
        undo_freeze()


def undo_freeze() -> None:
    from helpline.models import DaySeal
    from reports.models import DayCount, MonthCount, StatRecord

    for model in (StatReferral, StatRecord, DayCount, MonthCount, DaySeal, DayMark):
        model.objects.all().delete()


# --- in the form ------------------------------------------------------------------------------------------------------


def browser_of(user: User, **headers: str) -> Client:
    client = Client(headers={"accept-language": "en"} | headers)
    client.force_login(user)
    return client


@pytest.fixture
def plain(handler) -> Client:
    return browser_of(handler)


@pytest.fixture
def script(handler) -> Client:
    return browser_of(handler, accept="application/json")


def logged_now(*referrals: ReferralEntry, case: Case | None = None, by: User | None = None) -> Contact:
    today, now = timezone.localdate(), timezone.now()
    entry = read_entry(today, {"channel": ["telefon"], "result": ["relevant"]}, referrals)
    return contacts.log_contact(by=by, key=uuid4(), entry=entry, now=now, today=today, case=case)


def answers(**more: str) -> dict[str, str]:
    today = timezone.localdate().isoformat()
    return {"key": str(uuid4()), "day": today, "channel": "telefon", "result": "relevant"} | more


EARLIER = {"earlier-skola-hanvisning": "startad", "earlier-skola-hanvisning-shown": "ej_uppf"}


def test_the_form_shows_target_type_and_outcome_of_the_case_s_referrals_and_no_more(script, plain, handler, other):
    case, number = cases.open_case(today=timezone.localdate())
    first = logged_now(SCHOOL, case=case, by=other)
    said = script.post("/contacts/case/", {"number": number}).json()
    assert said["earlier"] == [
        {"name": "earlier-skola-hanvisning", "label": "School, pupil health – Signposting", "outcome": "ej_uppf"}
    ]
    assert not said["has_closed"] and set(said) == {"ticket", "spoken", "said", "earlier", "has_closed"}
    page = plain.post(NEW, answers(case_number=number, find_case="1"))
    shown = page.content.decode()
    assert page.status_code == 200 and Contact.objects.count() == 1
    assert 'name="earlier-skola-hanvisning-shown" value="ej_uppf"' in shown and not page.context["form"].errors
    row = Referral.objects.get()
    for secret in (str(first.pk), str(row.pk), str(case.pk), number):
        assert secret not in shown and secret not in json.dumps(said)


@pytest.mark.parametrize("browser", ["script", "plain"])
def test_a_form_that_says_what_came_of_them_saves_both(browser, request, handler, other):
    case, number = cases.open_case(today=timezone.localdate())
    first = logged_now(SCHOOL, case=case, by=other)
    client = request.getfixturevalue(browser)
    response = client.post(NEW, answers(case=cases.ticket(case, by=handler), **EARLIER))
    assert response.status_code == (201 if browser == "script" else 302)
    assert outcome_of(first) == "startad" and Contact.objects.filter(case=case).count() == 2


def test_a_form_that_was_overtaken_says_so_and_shows_what_stands_now(script, plain, handler):
    case, _ = cases.open_case(today=timezone.localdate())
    first = logged_now(SCHOOL, case=case)
    contacts.set_outcome(first, version=1, target="skola", kind="hanvisning", outcome="vantar")
    sent = answers(case=cases.ticket(case, by=handler), **EARLIER)
    refused = script.post(NEW, sent)
    assert refused.status_code == 422 and refused.json()["errors"][0]["place"] == "earlier"
    assert refused.json()["case"]["earlier"][0]["outcome"] == "vantar"
    page = plain.post(NEW, sent).content.decode()
    assert "was changed meanwhile" in page and 'hanvisning-shown" value="vantar"' in page
    assert '<option value="startad" selected>' in page  # what one chose stands, to be saved knowingly
    assert Contact.objects.count() == 1
    assert plain.post(NEW, sent | {"earlier-skola-hanvisning-shown": "vantar"}).status_code == 302
    assert outcome_of(first) == "startad"


@pytest.mark.parametrize("text", ["Anna", "skola", "<b>"])
def test_what_is_no_outcome_is_refused_and_never_repeated(plain, handler, text):
    case, _ = cases.open_case(today=timezone.localdate())
    logged_now(SCHOOL, case=case)
    page = plain.post(NEW, answers(case=cases.ticket(case, by=handler), **EARLIER | {"earlier-skola-hanvisning": text}))
    assert page.status_code == 200 and Contact.objects.count() == 1
    assert f'value="{text}" selected' not in page.content.decode() and "Anna" not in page.content.decode()


def test_a_closed_month_is_said_and_its_referrals_are_not_offered(plain, handler):
    case, number = cases.open_case(today=timezone.localdate())
    logged_now(SCHOOL, case=case)
    Contact.objects.update(is_frozen=True)
    page = plain.post(NEW, answers(case_number=number, find_case="1")).content.decode()
    assert "keep the outcome they have" in page and 'name="earlier-skola-hanvisning"' not in page
    fresh = plain.get(NEW).content.decode()
    assert '<fieldset class="earlier" id="earlier" tabindex="-1" hidden>' in fresh


def test_looking_a_case_up_costs_two_queries_however_long_it_is(handler):
    case, number = cases.open_case(today=timezone.localdate())
    for _ in range(5):
        logged_now(SCHOOL, CARE, case=case)
    with CaptureQueriesContext(connection) as asked:
        found = found_case(number, by=handler, today=timezone.localdate())
    assert len(found.earlier) == 2 and len(asked) == 2


def test_a_form_that_outlived_its_session_keeps_what_was_said(handler):
    from helpline.form_values import kept_fields

    case, _ = cases.open_case(today=timezone.localdate())
    sent = posted_of([*answers(case=cases.ticket(case, by=handler), **EARLIER).items()])
    assert ("earlier-skola-hanvisning", "startad") in kept_fields(sent)
    sent["earlier-skola-hanvisning"] = "Anna"
    assert not [field for field in kept_fields(sent) if "earlier" in field[0]]


# --- from one's own list ----------------------------------------------------------------------------------------------


def choose(client: Client, contact: Contact, outcome: str = "startad", version: int = 1, referral="skola:hanvisning"):
    sent = {"version": version, "referral": referral, "outcome": outcome}
    return client.post(f"{LIST}{contact.pk}/outcome/", sent, follow=True)


def test_the_list_asks_what_came_of_each_referral_that_nobody_followed_up(plain, handler):
    contact = logged_now(SCHOOL, ReferralEntry("vard", "hanvisning", "startad"), by=handler)
    page = plain.get(LIST).content.decode()
    assert "School, pupil health – Signposting: what came of it?" in page and "Psychiatry" not in page
    said = choose(plain, contact)
    assert said.redirect_chain == [(LIST, 302)] and "What came of the referral is saved." in said.content.decode()
    assert outcome_of(contact) == "startad" and "what came of it?" not in plain.get(LIST).content.decode()


def test_a_choice_made_from_an_old_list_changes_nothing_and_says_so(plain, handler):
    contact = logged_now(SCHOOL, by=handler)
    contacts.set_outcome(contact, version=1, target="skola", kind="hanvisning", outcome="vantar")
    assert "was changed meanwhile" in choose(plain, contact).content.decode()
    assert "choose what came of the referral" in choose(plain, contact, "x", 2).content.decode()
    assert "was changed meanwhile" in choose(plain, contact, version=2, referral="x").content.decode()
    assert outcome_of(contact) == "vantar"


def test_only_who_logged_a_contact_chooses_and_only_in_time(plain, handler, other, settings):
    contact = logged_now(SCHOOL, by=handler)
    assert choose(browser_of(other), contact).status_code == 404
    Contact.objects.update(logged_at=timezone.now() - timedelta(hours=settings.HELPLINE_AMEND_HOURS, minutes=1))
    assert choose(plain, contact).status_code == 410
    assert plain.get(f"{LIST}{contact.pk}/outcome/").status_code == 405
    assert outcome_of(contact) == "ej_uppf"


def test_who_repeats_a_referral_of_a_closed_month_is_told_that_the_figures_stay(plain, handler):
    case, _ = cases.open_case(today=timezone.localdate())
    first = logged_now(SCHOOL, case=case)
    Contact.objects.filter(pk=first.pk).update(is_frozen=True)
    second = logged_now(SCHOOL, case=case, by=handler)
    assert "the figures keep the outcome" in choose(plain, second).content.decode()
    assert containing("month", timezone.localdate()) and outcome_of(first) == "ej_uppf"
