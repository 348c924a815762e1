"""What the gate is shown, what it leaves behind, and when it stops a release."""

import json
import time
from datetime import date

import pytest
from django.db import connection
from django.utils import translation

from helpline.taxonomy import CODE_LISTS, NON_ANSWERS
from reports import gating, release, schedule
from reports.catalogue import TABLES, VARIABLES
from reports.claims import at_the_gate
from reports.disclosure import gate
from reports.disclosure.patterns import U4_ALL, pattern_of
from reports.disclosure.protect import Parameters
from reports.disclosure.row_file import RowFile
from reports.disclosure.row_margins import margins
from reports.disclosure.tabulate import Record
from reports.forms import explain
from reports.models import GateRun, PreparedFile, PublishedFile, Release, StatRecord
from reports.periods import parse
from reports.release import CannotRelease, Rule
from tests.at_once import in_thread
from tests.reports.conftest import put

pytestmark = pytest.mark.django_db
TODAY = date(2017, 2, 1)


@pytest.fixture
def rule(tmp_path) -> Rule:
    return Rule(Parameters(), tmp_path / "keys", embedded=True)


@pytest.fixture
def frozen(road) -> None:
    """The pilot year, its months frozen; nothing is prepared."""
    put(road.frozen)


def as_before_the_gate(one: Release) -> None:
    said = json.loads(one.manifest) | {"gate": "not run"}
    one.manifest, one.sha256 = release.canonical(said), release.sha256(said)
    one.save()


def test_every_release_of_the_road_has_passed(prepared):
    assert {json.loads(one.manifest)["gate"] for one in Release.objects.all()} == {release.GATE_PASSED}


def test_the_manifest_counts_the_figures_that_are_left(prepared):
    for one in Release.objects.all():
        candidate, said = json.loads(one.candidate), json.loads(one.manifest)["tables"]
        for table, cells in candidate.items():
            assert said[table]["shown"] == sum(n is not None for cell in (cells or {}).values() for n in cell.values())


def test_a_run_tells_how_far_it_is_and_what_it_found(frozen, rule):
    release.prepare(parse("2016-Q1"), today=TODAY, rule=rule)
    run = GateRun.objects.get()
    assert (run.kind, run.start, run.edition) == ("quarter", date(2016, 1, 1), 1)
    assert run.done == run.of >= 2 and run.looked_at > 100 and run.standing == 0


def test_what_was_prepared_before_there_was_a_gate_is_not_published_and_prepared_anew(frozen, rule):
    one = release.prepare(parse("2016-02"), today=TODAY, rule=rule)
    as_before_the_gate(one)
    with pytest.raises(CannotRelease) as refused:
        release.publish(one, by=None, now=None)
    assert refused.value.reason == CannotRelease.NO_GATE
    assert [renewed.pk for renewed in schedule.renew_due(today=TODAY, rule=rule)] == [one.pk]
    one.refresh_from_db()
    assert json.loads(one.manifest)["gate"] == release.GATE_PASSED
    assert schedule.renew_due(today=TODAY, rule=rule) == []


def test_what_other_releases_give_away_is_said_in_the_manifest_and_is_not_tried_again(frozen, rule, monkeypatch):
    def stand(issues, counts, spans, step):
        found = gate.Audit()
        found.standing.append(U4_ALL)
        return found

    monkeypatch.setattr(gate, "audit", stand)
    one = release.prepare(parse("2016-02"), today=TODAY, rule=rule)
    assert json.loads(one.manifest)["gate"] == release.GATE_STANDING
    assert GateRun.objects.get().standing == 1
    assert schedule.renew_due(today=TODAY, rule=rule) == []


def test_a_withheld_number_is_hidden_in_every_table_and_the_row_says_how_many(frozen, rule, monkeypatch):
    def take_the_total(issues, counts, spans, step):
        found = gate.Audit()
        found.withheld.append(U4_ALL)
        return found

    monkeypatch.setattr(gate, "audit", take_the_total)
    one = release.prepare(parse("2016-Q1"), today=TODAY, rule=rule)
    candidate = json.loads(one.candidate)
    assert candidate["total-quarter"] is None and candidate["caller_role_3-quarter"] is None
    assert candidate["all-total-quarter"][""]["kontakter"] is not None
    assert GateRun.objects.get().withheld > 3


def test_records_that_are_gone_stop_it_with_a_sentence(prepared, rule, monkeypatch):
    StatRecord.objects.filter(month=date(2016, 5, 1)).delete()
    Release.objects.exclude(kind="month").delete()
    monkeypatch.setattr(release, "_key", lambda *_: b"k" * 32)
    with pytest.raises(CannotRelease) as refused:
        release.prepare(parse("2016-Q2"), today=TODAY, rule=rule)
    assert refused.value.reason == CannotRelease.RECORDS
    with translation.override("en"):
        assert explain(refused.value).startswith("2016-Q2 cannot be prepared: the frozen records are not those")


def test_releases_that_share_months_at_second_hand_are_looked_at_too(prepared):
    """The pilot shares months with 2015 and 2016, so a month of 2016 is looked at beside 2015."""
    said = gating._beside(parse("2016-02"), 1)
    assert min(one.start for one in said) == date(2015, 7, 1)
    Release.objects.filter(kind="pilot").delete()
    assert min(one.start for one in gating._beside(parse("2016-02"), 1)) == date(2016, 1, 1)


# --- a row file beside the tables ---


def year_with(**n: int) -> list[Record]:
    """Relevant contacts of one year by role of the caller."""
    return [
        Record(place, True, True, codes(result="relevant", caller_role=role, caller_role_3=GROUP[role]))
        for place, role in enumerate(role for role, times in n.items() for _ in range(times))
    ]


GROUP = {"narstaende": "anhorig", "yrkes": "yrkes", "sjalv": "ovriga"}


def codes(**given: str) -> dict[str, frozenset[str]]:
    unanswered = {name: frozenset({"ej_till"}) for name in VARIABLES if not name.startswith("referral_")}
    unanswered |= {name: frozenset({"ej_fragat"}) for name, v in VARIABLES.items() if v.is_asked_of_all}
    unanswered |= {"channel": frozenset({"telefon"}), "case_step": frozenset({"utan_nummer"})}
    unanswered |= {"first_contact": frozenset({"ja"})}
    return unanswered | {name: frozenset({code}) for name, code in given.items()}


def gives_away(records: list[Record], total: int, of_file: dict[str, int]) -> bool:
    year, file = parse("2016"), RowFile(("caller_role_3",), {(code,): n for code, n in of_file.items()})
    figures = {"total-year": {"": {"kontakter": total, "hanvisningar": None}}}
    manifest = release.canonical({"parameters": Parameters().as_dict()})
    Release.objects.create(
        kind="year",
        start=year.start,
        end=year.end,
        candidate=release.canonical(figures),
        manifest=manifest,
        prepared_on=TODAY,
    )
    january = lambda month: records if month.number == 1 else []  # noqa: E731
    return gating.gives_away(year, file, 5, Parameters(), january)


def test_a_file_beside_a_total_that_leaves_hardly_anybody_else_gives_them_away(db):
    """25 are 29 at most, and 26 rows are those of relatives: others are 3 at most."""
    assert gives_away(year_with(narstaende=26, yrkes=1), 25, {"anhorig": 26})


def test_a_file_that_leaves_room_gives_nobody_away(db):
    assert not gives_away(year_with(narstaende=24, yrkes=1), 25, {"anhorig": 24})


def test_a_file_that_is_prepared_counts_for_later_releases_and_not_beside_itself(db):
    made = {"content": "caller_role_3\n" + "anhorig\n" * 26, "manifest": '{"utility": {"suppressed": 5}}'}
    PreparedFile.objects.create(year=2016, percent=100, prepared_on=TODAY, **made)
    assert len(gating._beside(parse("2016-H1"), 1)) == 1
    assert gating._beside(parse("2016"), 0) == []


def test_a_file_of_single_codes_says_of_their_groups_what_one_of_groups_says(db):
    fine = margins(("caller_role",), [(("narstaende",), 12), (("sjalv",), 9), (("allman",), 7)], 5)[""]
    coarse = margins(("caller_role_3",), [(("anhorig",), 12), (("ovriga",), 16)], 5)[""]
    assert coarse.keys() <= fine.keys() and all(fine[pattern] == coarse[pattern] for pattern in coarse)


def test_what_a_row_says_of_a_concern_beside_the_main_one_is_open_only_where_there_is_more(db):
    first, *_, last = [code for code in CODE_LISTS["concerns_6"].codes if code not in NON_ANSWERS]
    rows = [((first, "nej"), 10), ((first, "ja"), 20), ((last, "nej"), 30)]
    said = margins(("concern_main", "concern_more"), rows, 5)[""]
    table = TABLES["concerns_6-year"]
    assert said[pattern_of(table, (first,), "kontakter")] == (30, 37)
    assert said[pattern_of(table, (last,), "kontakter")] == (30, 57)
    assert said[U4_ALL] == (60, 67)


def test_nobody_else_is_at_the_gate_meanwhile(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one batch worker")
    order: list[str] = []

    def second() -> None:
        with at_the_gate():
            order.append("second")

    with at_the_gate():
        other = in_thread(second)
        time.sleep(0.6)
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def test_whoever_finds_that_something_passed_meanwhile_looks_again(frozen, rule, monkeypatch):
    """As on SQLite, where two may be at the gate."""
    withhold, shown = gating.withhold, []

    def late(period, edition, *rest):
        shown.append([one.start for one in gating._beside(period, edition)])
        if len(shown) == 1:
            Release.objects.create(kind="month", start=date(2016, 2, 1), **february)
        return withhold(period, edition, *rest)

    one = release.prepare(parse("2016-02"), today=TODAY, rule=rule)
    february = {name: getattr(one, name) for name in ("end", "candidate", "manifest", "sha256", "prepared_on")}
    one.delete()
    monkeypatch.setattr(gating, "withhold", late)
    quarter = release.prepare(parse("2016-Q1"), today=TODAY, rule=rule)
    assert shown == [[], [date(2016, 2, 1)]] and Release.objects.filter(pk=quarter.pk).exists()


def test_a_total_that_is_withheld_takes_the_tables_with_it_that_would_tell_it_again():
    some = {"a": {"kontakter": 10}, "b": {"kontakter": None}}
    figures = {
        "total-month": {"": {"kontakter": None, "hanvisningar": 15}},
        "age_2-month": dict(some),
        "all-total-month": {"": {"kontakter": 40}},
        "all-result-month": dict(some),
        "traffic-month": {"": {"anrop": 50}},
    }
    assert gating._drop_without_total(figures) == 2
    assert [name for name, cells in figures.items() if cells is None] == ["total-month", "age_2-month"]


def test_a_file_that_is_out_counts_for_later_releases(db, monkeypatch):
    text = "caller_role_3\n" + "anhorig\n" * 26
    manifest = release.canonical({"utility": {"suppressed": 5}})
    PublishedFile.objects.create(year=2016, content=text, manifest=manifest, published_on=TODAY)
    (of_file,) = gating._beside(parse("2016"), 2)
    assert of_file.known[pattern_of(TABLES["caller_role_3-year"], ("anhorig",), "kontakter")] == (26, 33)
    assert gating._beside(parse("2017"), 1) == []
