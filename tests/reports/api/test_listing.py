"""The list of tables: entries, search, pages."""

import json
import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from reports.models import Release
from tests.lifted import lifted
from tests.reports.api.conftest import TODAY, admitted_tables


def ids(listing) -> list[str]:
    return [entry["id"] for entry in listing["tables"]]


def test_the_list_has_every_published_table_once(evaluator):
    listing = evaluator.json("/tables", {"pageSize": 10_000})
    assert sorted(ids(listing)) == sorted(admitted_tables())
    assert listing["page"]["totalElements"] == len(admitted_tables()) and listing["page"]["totalPages"] == 1


def test_an_entry_says_what_clients_need_in_both_languages(evaluator):
    for language in ("sv", "en"):
        for entry in evaluator.json("/tables", {"pageSize": 10_000, "lang": language})["tables"][::7]:
            metadata = evaluator.json(f"/tables/{entry['id']}/metadata", {"lang": language})
            periods = list(metadata["dimension"]["Tid"]["category"]["index"])
            assert (entry["firstPeriod"], entry["lastPeriod"]) == (periods[0], periods[-1])
            assert re.fullmatch(r"\d{4}(M\d\d|K\d|H\d|P|)", entry["firstPeriod"])
            assert entry["variableNames"] == [metadata["dimension"][name]["label"] for name in metadata["id"]]
            assert entry["updated"] == "2017-01-20T00:00:00Z" == metadata["updated"]
            assert entry["label"] == metadata["label"] and entry["source"] == metadata["source"]
            assert entry["paths"][0][0]["id"] == entry["subjectCode"] == metadata["extension"]["px"]["subject-code"]
            assert entry["category"] in ("public", "internal", "private", "section") and entry["discontinued"] is False
            links = {(link["rel"], link["hreflang"]): link["href"] for link in entry["links"]}
            other = "en" if language == "sv" else "sv"
            assert set(links) == {("alternate", other)} | {(rel, language) for rel in ("self", "metadata", "data")}
            assert all(link.startswith("http://testserver/api/px/v2/tables/") for link in links.values())


def test_time_units_are_those_of_the_contract(evaluator):
    entries = evaluator.json("/tables", {"pageSize": 10_000})["tables"]
    units = {entry["id"].rsplit("-", 1)[1]: entry["timeUnit"] for entry in entries}
    known = {"month": "Monthly", "quarter": "Quarterly", "year": "Annual"}
    assert units == known | {"halfyear": "Other", "pilot": "Other"}


def test_subjects_tell_apart_what_is_counted(evaluator):
    subjects = {e["id"]: e["subjectCode"] for e in evaluator.json("/tables", {"pageSize": 10_000})["tables"]}
    assert subjects["all-total-month"] == "U3" and subjects["total-month"] == "U4"
    assert subjects["referral_type-pilot"] == "U6" and set(subjects.values()) == {"U3", "U4", "U6"}


# --- search -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "language", "some", "none"),
    [
        ("CALLER_ROLE_3-GENDER", "sv", "caller_role_3-gender-pilot", "gender-pilot"),
        ("kön kvartal", "sv", "gender-quarter", "gender-pilot"),
        ("gender quarter", "en", "gender-quarter", "gender-pilot"),
        ("kvinna", "sv", "gender-quarter", "total-month"),
        ("stödtelefonen hänvisning", "sv", "referral_type-pilot", "all-total-month"),
        ("november 2015", "en", "all-total-month", "all-total-quarter"),
        ("told handler", "en", None, "total-month"),
    ],
)
def test_a_search_finds_the_tables_in_which_every_word_occurs(evaluator, query, language, some, none):
    found = ids(evaluator.json("/tables", {"query": query, "lang": language, "pageSize": 500}))
    assert (some is None or some in found) and none not in found


def test_a_search_without_result_is_one_empty_page(evaluator):
    listing = evaluator.json("/tables", {"query": "nothing of that kind"})
    assert listing["tables"] == [] and listing["page"]["totalPages"] == 1 and listing["page"]["totalElements"] == 0


def test_past_days_counts_from_the_day_of_the_release(evaluator):
    days = (timezone.localdate() - TODAY).days
    assert evaluator.json("/tables", {"pastDays": days})["page"]["totalElements"] == len(admitted_tables())
    assert evaluator.json("/tables", {"pastDays": days - 1})["page"]["totalElements"] == 0
    assert evaluator.json("/tables", {"pastDays": 999_999_999})["page"]["totalElements"] == len(admitted_tables())
    with lifted():
        Release.objects.filter(kind="pilot").update(published_on=timezone.localdate() - timedelta(days=1))
    assert {i.rsplit("-")[-1] for i in ids(evaluator.json("/tables", {"pastDays": 1, "pageSize": 500}))} == {"pilot"}


# --- pages ------------------------------------------------------------------------------------------------------------


def test_the_pages_hold_every_table_once_in_the_same_order(evaluator):
    whole = ids(evaluator.json("/tables", {"pageSize": 10_000}))
    for size in (20, 50, len(whole) - 1, len(whole)):
        read: list[str] = []
        last = -(-len(whole) // size)
        for number in range(1, last + 1):
            listing = evaluator.json("/tables", {"pageSize": size, "pageNumber": number})
            read += ids(listing)
            page, rels = listing["page"], [link["rel"] for link in listing["page"]["links"]]
            assert (page["pageNumber"], page["pageSize"], page["totalElements"]) == (number, size, len(whole))
            assert page["totalPages"] == last
            assert rels == ["next"] * (number < last) + ["previous"] * (number > 1) + ["last"]
        assert read == whole


@pytest.mark.parametrize("size", ["0", "-1", ""])
def test_a_page_size_of_nothing_is_the_usual_one(evaluator, size):
    assert evaluator.json("/tables", {"pageSize": size})["page"]["pageSize"] == 20


def test_the_links_between_pages_keep_what_was_asked(evaluator):
    query = {"query": "gender", "lang": "en", "pageSize": 2, "includeDiscontinued": "True"}
    first = evaluator.json("/tables", query)
    (following,) = [link["href"] for link in first["page"]["links"] if link["rel"] == "next"]
    answer = evaluator.client.get(following.removeprefix("http://testserver"))
    second = json.loads(answer.content)
    assert second["page"] | {"links": 0} == first["page"] | {"links": 0, "pageNumber": 2}
    assert second["language"] == "en" and not set(ids(first)) & set(ids(second))


def test_no_date_is_later_than_its_release(evaluator):
    assert date.fromisoformat(evaluator.json("/tables")["tables"][0]["updated"][:10]) == TODAY
