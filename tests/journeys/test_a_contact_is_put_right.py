"""Finding, amending, correcting and withdrawing in a real browser: for every eye and hand, and without a script."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from helpline import cases, contacts, drafts, policy
from helpline.entries import ReferralEntry, read_entry
from helpline.models import AuditEvent, Case, Contact, Demonstration, User
from tests import test_pages
from tests.test_pages import DESK, PHONE, Visit, faults, overflow, too_small_to_touch

pytestmark = pytest.mark.django_db(transaction=True)
visit = test_pages.visit
LIST = "/contacts/"
WHOLE = {
    "channel": ["telefon"],
    **{"result": ["relevant"], "length": ["15_29"], "caller_role": ["narstaende"], "concerns": ["hot", "natet"]},
    **{"county": ["14"], "age": ["vet_ej"], "needs": ["p_arbete"]},
}
OPEN = {"channel": ["telefon"], "result": ["relevant"]}
REFERRALS = [ReferralEntry("skola", "hanvisning"), ReferralEntry("social", "formedling", "kontakt", consent=True)]


def of_role(role: str) -> User:
    return User.objects.filter(role=role).first() or User.objects.create_user(role, None, role=role)


def log(by: User | None, case: Case | None = None, **answers: list[str]) -> Contact:
    today = timezone.localdate()
    entry = read_entry(today, answers or WHOLE, () if answers else REFERRALS)
    return contacts.log_contact(by=by, key=uuid4(), entry=entry, now=timezone.now(), today=today, case=case)


def a_day_of_work() -> None:
    """What every list shows: whole, open, silent, withdrawn, of a case, somebody else's, and a draft."""
    for role in (policy.HANDLER, policy.COORDINATOR):
        mine = of_role(role)
        log(mine)
        log(mine, **OPEN)
        log(mine, channel=["telefon"], result=["tyst"])
        contacts.withdraw_contact(log(mine), version=1)
        content = drafts.Content("", {"result": ("relevant",)})
        drafts.keep_draft(by=mine, key=uuid4(), content=content, case=None, now=timezone.now())
        drafts.keep_draft(by=mine, key=uuid4(), content=drafts.Content("", {}), case=None, now=timezone.now())
    log(None, **OPEN)


def own(role: str = policy.HANDLER) -> Contact:
    case, _ = cases.open_case(today=timezone.localdate())
    log(of_role(role), case=case)
    return log(of_role(role), case=case)


def at(contact: Contact, act: str) -> str:
    return f"{LIST}{contact.pk}/{act}/"


def conflict(seen: Visit) -> None:
    contact = own()
    page = seen.go(at(contact, "amend"))
    entry = read_entry(contact.day, WHOLE | {"county": ["01"]}, REFERRALS[:1])
    contacts.amend_contact(contact, version=1, entry=entry, today=contact.day)
    page.select_option("#county", "03")
    seen.press(".save button")


def changed_before_withdrawing(seen: Visit) -> None:
    contact = own()
    seen.go(at(contact, "withdraw"))
    contacts.amend_contact(contact, version=1, entry=read_entry(contact.day, OPEN), today=contact.day)
    seen.press("main button")


def refused(seen: Visit) -> None:
    page = seen.go(at(own(), "amend"))
    page.check("input[name=concerns][value=avboj]")
    seen.press(".save button")


def without_reason(seen: Visit) -> None:
    seen.go(at(log(None), "open"))
    seen.press("main button")


def opened(seen: Visit) -> None:
    seen.go(at(log(None), "amend")).check("#reason")
    seen.press("main button")


def too_late(seen: Visit) -> None:
    contact = own()
    Contact.objects.filter(pk=contact.pk).update(logged_at=timezone.now() - timedelta(days=2))
    seen.go(at(contact, "amend"))


STATES: dict[str, tuple[str, Callable[[Visit], object]]] = {
    "own": (policy.HANDLER, lambda seen: seen.go(LIST)),
    "start of a handler": (policy.HANDLER, lambda seen: seen.go("/")),
    "start of a coordinator": (policy.COORDINATOR, lambda seen: seen.go("/")),
    "own of a coordinator": (policy.COORDINATOR, lambda seen: seen.go(LIST)),
    "day": (policy.COORDINATOR, lambda seen: seen.go(f"{LIST}?day={timezone.localdate()}")),
    "empty day": (policy.COORDINATOR, lambda seen: seen.go(f"{LIST}?day=2020-01-01")),
    "no day": (policy.COORDINATOR, lambda seen: seen.go(f"{LIST}?day=x")),
    "amend": (policy.HANDLER, lambda seen: seen.go(at(own(), "amend"))),
    "amend, refused": (policy.HANDLER, refused),
    "two versions": (policy.HANDLER, conflict),
    "withdraw": (policy.HANDLER, lambda seen: seen.go(at(own(), "withdraw"))),
    "withdraw, changed": (policy.HANDLER, changed_before_withdrawing),
    "too late": (policy.HANDLER, too_late),
    "reason": (policy.COORDINATOR, lambda seen: seen.go(at(log(None), "open"))),
    "reason, none": (policy.COORDINATOR, without_reason),
    "correct": (policy.COORDINATOR, opened),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("language", "size"), [("sv", DESK), ("en", PHONE)], ids=["sv-desk", "en-phone"])
def test_every_page_and_state_is_accessible_and_fits(visit, state, language, size):
    a_day_of_work()
    Demonstration.objects.create(seed=1, since=date(2025, 1, 1), contacts_a_month=1, planned=50, made=21)
    role, reach = STATES[state]
    seen = visit(role, size, language)
    reach(seen)
    page = seen.page
    assert page.locator("html").get_attribute("lang") == language
    assert faults(page) == []
    assert page.locator("h1").count() == 1
    for one in (size, PHONE, {"width": 320, "height": 640}):
        page.set_viewport_size(one)
        assert overflow(page) <= 0
    assert too_small_to_touch(page) == []


def test_a_slip_is_put_right_without_a_script(visit):
    contact = log(of_role(policy.HANDLER), **OPEN)
    seen = visit(policy.HANDLER, script=False)
    page = seen.go(LIST)
    assert page.locator(".line__mark--open").inner_text() == "öppen"
    seen.press(f"#amend-{contact.pk}")
    page.check("#caller_role")
    page.check("#concerns")
    seen.press(".save button")
    assert page.locator(".saved").inner_text() == "Ändringen är sparad."
    assert page.locator(".line__mark--open").count() == 0
    assert Contact.objects.get().concerns == {"dras_in"}


def test_of_two_windows_the_second_is_asked_which_answers_hold(visit):
    contact = log(of_role(policy.HANDLER))
    seen = visit(policy.HANDLER)
    page = seen.go(at(contact, "amend"))
    other = seen.context.new_page()
    other.goto(seen.address + at(contact, "amend"))
    for window, county in ((page, "01"), (other, "03")):
        window.select_option("#county", county)
        with window.expect_navigation():
            window.click(".save button")
    assert Contact.objects.get().county == "01"
    assert other.locator(".beside__differs").count() == 1
    with other.expect_navigation():
        other.click(".choose button")
    stored = Contact.objects.get()
    assert (stored.county, stored.version, stored.referrals.count()) == ("03", 3, 2)


def test_a_coordinator_finds_a_contact_by_day_gives_a_reason_and_withdraws_it(visit):
    contact = log(None)
    seen = visit(policy.COORDINATOR)
    page = seen.go(LIST)
    page.fill("#find-day", timezone.localdate().isoformat())
    seen.press(".find button")
    seen.press(f"#open-{contact.pk}")
    page.check("input[value=dubblett]")
    seen.press("main button")
    seen.press(".save a")
    seen.press("main button")
    assert page.url.endswith(f"?day={timezone.localdate()}")
    assert page.locator(".line__mark").inner_text() == "tillbakadragen" and Contact.objects.get().is_withdrawn
    assert list(AuditEvent.objects.order_by("pk").values_list("act", "reason")) == [
        ("contact.open", "dubblett"),
        ("contact.withdraw", "dubblett"),
    ]
