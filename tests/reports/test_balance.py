"""The balance of needs and referrals (R22) and the receivers that do not exist locally (R27): live, frozen, before."""

from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.template.loader import render_to_string
from django.utils import timezone

from helpline import cases, contacts
from helpline.entries import ReferralEntry, read_entry
from helpline.models import Case, Contact, User
from reports import freeze, live, rollups
from reports.catalogue import TABLES
from reports.models import DayCount, MonthCount, StatRecord
from reports.periods import containing, parse
from reports.views import counties
from tests.lifted import lifted

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 20)
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
FEBRUARY = parse("2026-02")
APRIL = date(2026, 4, 1)  # the quarter of DAY is over
DAY = date(2026, 2, 5)
migration = import_module("reports.migrations.0010_balance")


def log(
    *targets: str, needs: str = "s_familj p_arbete", outcome: str = "ej_uppf", case: Case | None = None, day: date = DAY
) -> Contact:
    call = {"channel": ["telefon"], "result": ["relevant"], "concerns": ["vill_ut"], "needs": needs.split()}
    referrals = [ReferralEntry(target, "hanvisning", outcome) for target in targets]
    entry = read_entry(day, call, referrals)
    return contacts.log_contact(by=None, key=uuid4(), entry=entry, now=NOW, today=max(TODAY, day), case=case)


def frozen() -> list[str]:
    """The balance of every record, after the freeze."""
    freeze.freeze_month(FEBRUARY, today=TODAY)
    return sorted(StatRecord.objects.values_list("balance", flat=True))


def missing(today: date = APRIL) -> dict[str, int]:
    return {row.code: row.n for row in live.missing_receivers(today).rows}


def add_up() -> None:
    rollups.refresh(seconds=60)
    assert rollups.wrong_days() == rollups.wrong_months() == []


def test_a_balance_is_known_of_contacts_with_needs_of_both_kinds():
    log("civil", "bostad")
    log("civil")
    log()
    log("civil", needs="s_familj")
    assert frozen() == ["bada", "ej_till", "en", "ingen"]


def test_a_repeated_referral_says_where_the_person_was_referred_though_it_is_not_counted_again():
    case, _ = cases.open_case(today=TODAY)
    log("civil", case=case)
    log("civil", "bostad", case=case)
    assert live.overview(parse("2026-Q1")).referrals == 2
    assert frozen() == ["bada", "en"]


def test_a_call_that_was_not_relevant_has_no_balance():
    entry = read_entry(DAY, {"channel": ["telefon"], "result": ["info"], "needs": ["s_familj", "p_arbete"]}, [])
    contacts.log_contact(by=None, key=uuid4(), entry=entry, now=NOW, today=TODAY)
    assert frozen() == ["ej_till"]


def test_no_live_count_holds_it_since_needs_and_referrals_define_it_together():
    log("civil", "bostad")
    add_up()
    assert "balance" not in {breakdown.variable for breakdown in live.overview(parse("2026-Q1")).breakdowns}
    assert not DayCount.objects.filter(variable="balance").exists()


def test_it_is_published_one_way_from_the_quarter_up():
    ids = {table for table in TABLES if "balance" in table}
    assert ids == {"balance-quarter", "balance-halfyear", "balance-year", "balance-pilot"}


# --- frozen before the variable existed -------------------------------------------------------------------------------


def as_before_the_migration() -> None:
    StatRecord.objects.update(balance="ej_fragat")
    DayCount.objects.filter(variable="referral_missing").delete()
    MonthCount.objects.filter(variable="referral_missing").delete()


def migrate() -> None:
    with connection.schema_editor() as editor:
        for step in (migration.fill_records, migration.fill_sealed_counts, migration.mark_days):
            step(apps, editor)


@pytest.mark.django_db(transaction=True)
def test_records_frozen_before_get_what_can_be_known_and_no_information_where_it_cannot():
    case, _ = cases.open_case(today=TODAY)
    log("civil", "bostad")
    log("civil")
    first = log("civil", "polis", case=case)
    later = log("civil", "bostad", case=case)
    log(needs="s_familj", case=case)
    assert later.referrals.get(target="civil").is_repeat and not first.referrals.filter(is_repeat=True).exists()
    freeze.freeze_month(FEBRUARY, today=TODAY)
    with lifted():
        as_before_the_migration()
        migrate()
    by_step = sorted(StatRecord.objects.values_list("case_step", "balance"))
    assert by_step == [
        ("andra", "ej_fragat"),  # its record shows housing only: the repeated one may or may not have been there
        ("forsta", "bada"),
        ("tredje_plus", "ej_till"),
        ("utan_nummer", "bada"),
        ("utan_nummer", "en"),
    ]


@pytest.mark.django_db(transaction=True)
def test_sealed_counts_of_before_become_what_they_would_have_been():
    case, _ = cases.open_case(today=TODAY)
    log("civil", "bostad", outcome="saknas", case=case)
    log("civil", outcome="saknas", case=case)
    freeze.freeze_month(FEBRUARY, today=TODAY)
    log("civil", outcome="saknas")
    log("vard", day=TODAY)
    add_up()
    cells = list(DayCount.objects.order_by("day", "variable", "code", "is_sealed").values_list())
    before = [row[1:] for row in cells]
    months = sorted(row[1:] for row in MonthCount.objects.values_list())
    with lifted():
        as_before_the_migration()
        assert rollups.wrong_days() == [DAY]
        migrate()
    add_up()
    after = DayCount.objects.order_by("day", "variable", "code", "is_sealed").values_list()
    assert [row[1:] for row in after] == before
    assert sorted(row[1:] for row in MonthCount.objects.values_list()) == months


# --- no receiver locally ---------------------------------------------------------------------------------------------


def test_receivers_that_do_not_exist_locally_are_shown_from_five_upward_in_steps_of_five_most_first():
    for _ in range(4):
        log("vard", "bostad", outcome="saknas")
    assert missing() == {}
    for _ in range(6):
        log("bostad", outcome="saknas")
    log("vard", outcome="saknas")
    log("vard", outcome="avvisad")
    assert list(missing().items()) == [("bostad", 10), ("vard", 5)]
    add_up()
    assert list(missing().items()) == [("bostad", 10), ("vard", 5)]
    freeze.freeze_month(FEBRUARY, today=TODAY)
    add_up()
    assert list(missing().items()) == [("bostad", 10), ("vard", 5)]


def test_they_are_counted_over_the_four_quarters_that_are_over_so_that_the_newest_contact_moves_nothing():
    for _ in range(5):
        log("vard", outcome="saknas", day=date(2025, 1, 1))
        log("polis", outcome="saknas", day=date(2025, 12, 31))
        log("bostad", outcome="saknas")
    found = live.missing_receivers(TODAY)
    assert (found.months.start, found.months.end) == (date(2025, 1, 1), date(2026, 1, 1))
    assert missing(TODAY) == {"vard": 5, "polis": 5} and missing() == {"polis": 5, "bostad": 5}


def test_a_day_that_cannot_be_counted_is_said_to_be_missing(monkeypatch):
    """And no kind of receiver is then said to have few."""
    for _ in range(5):
        log("vard", outcome="saknas")
    log("polis", outcome="saknas", day=DAY + timedelta(days=1))
    count = live.of_days

    def fail(days, variables):
        if DAY + timedelta(days=1) in days:
            raise ValueError
        return count(days, variables)

    monkeypatch.setattr(live, "of_days", fail)
    found = live.missing_receivers(APRIL)
    assert (found.missing_days, [(row.code, row.n) for row in found.rows]) == (1, [("vard", 5)])
    said = render_to_string("reports/_missing.html", {"missing": counties._missing(found)})
    monkeypatch.undo()
    whole = render_to_string("reports/_missing.html", {"missing": counties._missing(live.missing_receivers(APRIL))})
    assert 'role="alert"' in said and 'role="alert"' not in whole
    assert said.count("<p>") == 2 and whole.count("<p>") == 2 and said.count("5") < whole.count("5")


def test_a_repeated_referral_without_receiver_is_counted_once():
    case, _ = cases.open_case(today=TODAY)
    for _ in range(5):
        log("vard", outcome="saknas", case=case)
    assert missing() == {}


def test_an_amended_outcome_moves_the_count():
    made = [log("vard", outcome="saknas") for _ in range(5)]
    assert missing() == {"vard": 5}
    add_up()
    entry = contacts.entry_of(made[0])
    reached = read_entry(DAY, {q: sorted(c) for q, c in entry.answers.items()}, [ReferralEntry("vard", "hanvisning")])
    contacts.amend_contact(made[0], version=1, entry=reached, today=TODAY)
    assert missing() == {}
    add_up()
    assert missing() == {}


def test_the_page_of_counties_says_at_least_how_many_of_which_receiver(client, settings):
    client.force_login(User.objects.create_user("leading", None, role="coordinator"))
    over = containing("quarter", timezone.localdate()).start - timedelta(days=1)
    for _ in range(7):
        log("vard", outcome="saknas", day=over)
    log("polis", outcome="saknas", day=over)

    def page() -> str:
        return client.get("/directory/counties/", headers={"accept-language": "en"}).content.decode()

    panel = page()[page().index('<section class="missing"') :]
    panel = panel[: panel.index("</section>")]
    assert "<td>5</td>" in panel and "Psychiatry, health care" in panel and "Police" not in panel
    assert "Every other kind of receiver: fewer than 5." in panel
    settings.REPORTS_LIVE_BREAKDOWNS = False
    assert "No receiver locally" not in page()
