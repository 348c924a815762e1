"""Changing the directory: what is kept, what is refused, and that nobody overwrites what they have not seen."""

from dataclasses import replace
from datetime import date, time
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from helpline import directory
from helpline.directory.entries import organisation_entry, service_entry, state
from helpline.listings import Hours, OrganisationEntry, Phone, Place, ServiceEntry, Wrong
from helpline.models import AuditEvent, Organisation, Service, ServiceUse, User
from helpline.models import Phone as PhoneRow
from tests import listed
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

HOURS = Hours("MO,TU", time(9), time(16), date(2026, 1, 1), date(2026, 12, 31), "in Swedish")
WHOLE = {
    "target": "polis",
    "dimension": "bada",
    "description": "What it is",
    "url": "https://example.se/",
    "alert": "Closed in July",
    "covers_exit": "ja",
    "is_shared": True,
    "is_confidential": True,
    "phones": (Phone("112"), Phone("0771-1", "2", "office")),
    "hours": (HOURS, Hours("SU", time(0), time(23, 59, 59))),
    "places": (Place(False, "House", "Street 1", "111 22", "Town"), Place(True)),
    "languages": ("sv", "uk"),
    "areas": ("0180", "18"),
}


@pytest.fixture
def by() -> User:
    return listed.coordinator()


def saved(entry: ServiceEntry, by: User, of: Organisation | None = None, **how) -> Service:
    """Saved as a service of an organisation, of any one where none is named."""
    home = of or Organisation.objects.first() or listed.organisation()
    return Service.objects.get(pk=directory.save_service(entry, of=home.pk, by=by, now=timezone.now(), **how))


def seen_of(service: Service) -> str:
    now = Service.objects.get(pk=service.pk)
    return state(service_entry(now), of=now.organisation_id)


def changed(service: Service, by: User, **said) -> Service:
    entry = service_entry(Service.objects.get(pk=service.pk))
    return saved(replace(entry, **said), by, service.organisation, seen=seen_of(service))


def test_a_service_says_what_was_said_of_it(by):
    entry = listed.entry_of("Name", **WHOLE)
    made = saved(entry, by)
    assert service_entry(made) == replace(entry, id=made.pk)
    assert made.assured_on is None and made.is_active


def test_a_change_keeps_the_key_and_the_count_of_use(by):
    service = listed.service("Name", "SE", **WHOLE)
    ServiceUse.objects.create(service=service, quarter=date(2026, 1, 1), n=7)
    changed(service, by, phones=(Phone("112"), Phone("020-1")), areas=("18",))
    assert [phone.number for phone in PhoneRow.objects.order_by("position")] == ["112", "020-1"]
    assert ServiceUse.objects.get(service=service.pk).n == 7 and service_entry(service).areas == ("18",)


def test_phones_change_places(by):
    service = listed.service(phones=(Phone("1"), Phone("2")))
    changed(service, by, phones=(Phone("2"), Phone("1")))
    assert [phone.number for phone in service_entry(service).phones] == ["2", "1"]


IMPOSSIBLE = {
    "name": {"name": ""},
    "kind": {"kind": "x"},
    "target": {"target": ""},
    "dimension": {"dimension": ""},
    "covers_exit": {"covers_exit": "maybe"},
    "phones": {"phones": (Phone(""),)},
    "phones, too many": {"phones": (Phone("1"),) * 41},
    "phones, backwards": {"phones": (Phone("\u202e54321-80"),)},
    "places, too many": {"places": tuple(Place(city=str(n)) for n in range(41))},
    "hours, too many": {"hours": (HOURS,) * 41},
    "name, unseen": {"name": "a\u00adb"},
    "name, in pieces": {"name": "O\u0308"},
    "url": {"url": "https://a.example@b.example"},
    "languages": {"languages": ("",)},
    "languages, no code": {"languages": ("Klingon",)},
    "areas": {"areas": ("9999",)},
    "target of a resource": {"kind": "resurs"},
    "hours, never": {"hours": (replace(HOURS, weekdays=""),)},
    "hours, no weekday": {"hours": (replace(HOURS, weekdays="MO,XX"),)},
    "hours, a day twice": {"hours": (replace(HOURS, weekdays="MO,MO"),)},
    "hours, closed before open": {"hours": (replace(HOURS, closes=time(8)),)},
    "hours, over before begun": {"hours": (replace(HOURS, valid_to=date(2025, 1, 1)),)},
}


@pytest.mark.parametrize("wrong", IMPOSSIBLE)
def test_what_breaks_a_rule_is_refused_and_nothing_is_changed(by, wrong):
    entry = listed.entry_of("Name", "SE")
    listed.organisation()
    acts = AuditEvent.objects.count()
    with pytest.raises(Wrong) as refused:
        saved(replace(entry, **IMPOSSIBLE[wrong]), by)
    assert wrong.startswith(refused.value.field)
    assert not Service.objects.exists() and AuditEvent.objects.count() == acts
    saved(entry, by)


def test_an_unknown_agreement_is_refused(by):
    with pytest.raises(Wrong):
        listed.organisation("Name", agreement="x")


@pytest.mark.parametrize("columns", [{"kind": "mottagare"}, {"kind": "resurs", "target": "polis"}, {"name": ""}])
def test_the_database_refuses_the_same(columns):
    organisation = listed.organisation()
    with pytest.raises(IntegrityError), transaction.atomic():
        Service.objects.create(organisation=organisation, **{"name": "x", "kind": "resurs"} | columns)


def test_a_name_is_taken_once(by):
    of = listed.organisation("Here")
    service = listed.service("Name", of=of)
    with pytest.raises(directory.NameTaken):
        listed.service("Name", of=of)
    with pytest.raises(directory.NameTaken):
        listed.organisation("Here")
    listed.service("Name")
    assert changed(service, by, alert="x").alert == "x"


def test_a_name_that_is_taken_in_the_same_moment_is_taken_too(by, monkeypatch):
    """Between looking and saving somebody else saves: the database says no."""
    of, looked = listed.organisation(), []
    listed.service("Name", of=of)

    def sees_nothing_at_first(rows) -> bool:
        looked.append(rows)
        return len(looked) > 1

    monkeypatch.setattr("django.db.models.query.QuerySet.exists", sees_nothing_at_first)
    with pytest.raises(directory.NameTaken):
        listed.service("Name", of=of)
    assert len(looked) == 2


def test_the_last_of_two_who_change_the_same_does_not_win_unseen(by):
    service = listed.service("Name", "SE", phones=(Phone("1"),))
    entry = service_entry(service)
    seen = seen_of(service)
    changed(service, by, phones=(Phone("2"),))
    with pytest.raises(directory.Overtaken):
        saved(replace(entry, alert="x"), by, service.organisation, seen=seen)
    assert service_entry(service).phones == (Phone("2"),)
    now = seen_of(service)
    saved(replace(entry, alert="x"), by, service.organisation, seen=now)
    assert service_entry(service).phones == (Phone("1"),)


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_of_one_state_at_once_exactly_one_wins(by):
    service = listed.service("Name", "SE", phones=(Phone("1"),))
    entry = service_entry(service)
    for number in ("2", "3", "4"):
        seen = seen_of(service)

        def change(alert: str, entry=entry, seen=seen, number=number) -> object:
            said = replace(entry, alert=alert, phones=(Phone(number),))
            return saved(said, by, service.organisation, seen=seen)

        outcomes = at_once(lambda: change("mine"), lambda: change("theirs"))
        assert {type(outcome) for outcome in outcomes} == {Service, directory.Overtaken}
        entry = service_entry(Service.objects.get())
        assert entry.phones == (Phone(number),)


@pytest.mark.django_db(transaction=True)
def test_two_services_of_one_name_at_once_are_one(by):
    entry, of = listed.entry_of("Name"), listed.organisation()
    outcomes = at_once(lambda: saved(entry, by, of), lambda: saved(entry, by, of))
    assert {type(outcome) for outcome in outcomes} == {Service, directory.NameTaken}
    assert Service.objects.count() == 1


def test_the_same_holds_for_organisations(by):
    made = listed.organisation("Name")
    seen = state(organisation_entry(made))
    how = {"by": by, "now": timezone.now()}
    directory.save_organisation(OrganisationEntry(made.pk, "Name", agreement="iop"), seen=seen, **how)
    with pytest.raises(directory.Overtaken):
        directory.save_organisation(OrganisationEntry(made.pk, "Name", agreement="avtal"), seen=seen, **how)
    assert Organisation.objects.get().agreement == "iop"


@pytest.mark.parametrize("field", sorted(WHOLE.keys() - {"target", "dimension"}))
def test_every_part_of_an_entry_is_part_of_its_state(field):
    entry = listed.entry_of("Name")
    assert state(replace(entry, **{field: WHOLE[field]})) != state(entry) != state(entry, of=uuid4())


def test_making_sure_notes_the_day_and_changes_nothing_else(by):
    service = listed.service("Name", "SE")
    before = state(service_entry(service))
    directory.verify_service(service.pk, by=by, today=date(2026, 3, 1), now=timezone.now())
    service.refresh_from_db()
    assert service.assured_on == date(2026, 3, 1) and state(service_entry(service)) == before


def test_a_change_does_not_make_sure_by_itself(by):
    service = listed.service(on=date(2026, 1, 1))
    assert changed(service, by, alert="x").assured_on == date(2026, 1, 1)


def test_services_are_closed_and_opened_again(by):
    of = listed.organisation()
    one, two, other = listed.service(of=of), listed.service(of=of), listed.service()
    how = {"by": by, "now": timezone.now()}
    directory.close_service(one.pk, **how)
    assert set(Service.objects.filter(is_active=True)) == {two, other}
    directory.close_organisation(of.pk, **how)
    assert set(Service.objects.filter(is_active=True)) == {other}
    directory.reopen_service(one.pk, **how)
    assert set(Service.objects.filter(is_active=True)) == {one, other}


def test_what_is_not_there_is_not_changed(by):
    how = {"by": by, "now": timezone.now()}
    entry, of = listed.entry_of("Name"), listed.organisation()
    acts = AuditEvent.objects.count()
    for act in (directory.close_service, directory.reopen_service, directory.close_organisation):
        with pytest.raises(directory.NotThere):
            act(uuid4(), **how)
    with pytest.raises(directory.NotThere):
        directory.verify_service(uuid4(), today=date(2026, 1, 1), **how)
    with pytest.raises(directory.NotThere):
        directory.save_service(replace(entry, id=uuid4()), of=of.pk, **how)
    with pytest.raises(directory.NotThere):
        directory.save_service(entry, of=uuid4(), **how)
    assert AuditEvent.objects.count() == acts


def test_every_change_is_written_down_without_what_it_says(by):
    service = listed.service("Secret name", alert="secret")
    before = AuditEvent.objects.count()
    changed(service, by, alert="x")
    directory.verify_service(service.pk, by=by, today=date(2026, 1, 1), now=timezone.now())
    lines = list(AuditEvent.objects.order_by("pk").values("actor", "act", "reason", "about"))[before:]
    assert lines == [{"actor": by.pk, "act": "directory.edit", "reason": "", "about": None}] * 2
