"""The directory as a whole: each figure counted again by hand."""

from datetime import date

import pytest
from django.utils import timezone

from helpline import directory
from helpline.directory.coverage import coverage
from helpline.models import Service
from tests import listed

pytestmark = pytest.mark.django_db
TODAY, FRESH, OLD = date(2026, 8, 15), date(2026, 8, 1), date(2026, 1, 1)


def cells(county: str) -> dict[str, tuple[int, int]]:
    row = next(row for row in coverage(TODAY).counties if row.code == county)
    return {target: (cell.n, cell.stale) for target, cell in row.cells.items()}


def test_a_county_has_what_serves_it_or_a_municipality_in_it_each_once():
    listed.service("A", "18", "1880", "1881", on=FRESH)
    listed.service("B", "1880", on=OLD)
    listed.service("C", "1880", "0180", target="polis")
    listed.service("D", "SE", on=FRESH)
    listed.service("E")
    assert cells("18") == {"social": (2, 1), "polis": (1, 1)}
    assert cells("01") == {"polis": (1, 1)}
    assert cells("SE") == {"social": (1, 0)}
    assert cells("12") == {}


def test_there_is_a_row_for_the_country_and_for_each_county():
    rows = coverage(TODAY).counties
    assert len(rows) == 22 and rows[0].code == "SE"


def test_a_county_tells_the_oldest_day_on_which_somebody_made_sure():
    listed.service("A", "18", on=FRESH)
    listed.service("B", "18", on=OLD)
    listed.service("C", "01", on=FRESH)
    listed.service("D", "01")
    told = {row.code: (row.oldest, row.n, row.stale) for row in coverage(TODAY).counties}
    assert told["18"] == (OLD, 2, 1) and told["01"] == (None, 2, 1) and told["12"] == (None, 0, 0)


def test_shares_agreements_and_lists():
    lapsed = listed.organisation("L", agreement="projekt", agreement_until=OLD)
    soon = listed.organisation("S", agreement="iop", agreement_until=date(2027, 2, 15))
    later = listed.organisation("T", agreement="iop", agreement_until=date(2027, 2, 16))
    listed.service("Old", "SE", of=lapsed, on=OLD)
    listed.service("Never", of=soon)
    listed.service("Fresh", of=later, on=FRESH)
    listed.service("Resource", of=later, on=FRESH, kind="resurs")
    closed = listed.service("Closed", of=lapsed)
    directory.close_service(closed.pk, by=listed.coordinator(), now=timezone.now())
    told = coverage(TODAY)
    assert [one.name for one in told.stale] == ["Never", "Old"]
    assert [one.name for one in told.lapsing] == ["Old", "Never"]
    assert dict(told.agreements) == {"projekt": 1, "iop": 2}
    assert (told.entries, told.fresh, told.receivers) == (4, 2, 3)


@pytest.mark.parametrize("many", [1, 60])
def test_it_costs_two_queries_whatever_the_size(many, django_assert_num_queries):
    for number in range(many):
        listed.service("", "SE" if number % 2 else "18")
    assert Service.objects.count() == many
    with django_assert_num_queries(2):
        coverage(TODAY)
