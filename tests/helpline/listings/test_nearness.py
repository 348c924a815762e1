"""How near a service is to where a caller lives."""

import pytest

from helpline.listings.nearness import Nearness, nearness

STOCKHOLM, OREBRO, KUMLA = "0180", "1880", "1881"


@pytest.mark.parametrize(
    ("areas", "place", "is_shared", "near"),
    [
        ({OREBRO}, OREBRO, False, Nearness.MUNICIPALITY),
        ({OREBRO, KUMLA}, KUMLA, True, Nearness.SHARED),
        ({OREBRO, "18"}, OREBRO, False, Nearness.MUNICIPALITY),
        ({"18"}, OREBRO, False, Nearness.COUNTY),
        ({"18"}, "18", False, Nearness.COUNTY),
        ({OREBRO}, "18", False, Nearness.PART),
        ({"SE"}, OREBRO, False, Nearness.COUNTRY),
        ({"SE"}, "18", True, Nearness.COUNTRY),
        ({"SE"}, "SE", False, Nearness.COUNTRY),
        (set(), OREBRO, False, Nearness.UNKNOWN),
        ({KUMLA}, OREBRO, True, None),
        ({"01", STOCKHOLM}, "18", False, None),
        ({"18"}, "SE", False, None),
    ],
)
def test_a_place_is_served_by_what_names_it_or_what_it_lies_in(areas, place, is_shared, near):
    assert nearness(areas, place, is_shared=is_shared) is near


def test_the_nearest_comes_first():
    assert sorted(Nearness) == [
        *(Nearness.MUNICIPALITY, Nearness.SHARED, Nearness.COUNTY),
        *(Nearness.PART, Nearness.COUNTRY, Nearness.UNKNOWN),
    ]


def test_what_is_no_place_is_refused():
    with pytest.raises(KeyError):
        nearness({"SE"}, "9999", is_shared=False)
