from collections import Counter

import pytest

from helpline.listings import areas
from helpline.listings.areas import COUNTIES, COUNTRY, MUNICIPALITIES
from helpline.models import directory
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS


def test_there_are_21_counties_and_290_municipalities() -> None:
    assert (len(COUNTIES), len(MUNICIPALITIES)) == (21, 290)


def test_the_number_of_municipalities_of_each_county_is_that_of_statistics_sweden() -> None:
    counts = Counter(code[:2] for code in MUNICIPALITIES)
    assert "".join(f"{county}:{counts[county]} " for county in COUNTIES).strip() == (
        "01:26 03:8 04:9 05:13 06:13 07:8 08:12 09:1 10:5 12:33 13:6 14:49 17:16 18:12 19:10 20:15 21:10 22:7 23:8"
        " 24:15 25:14"
    )


def test_a_municipality_begins_with_its_county() -> None:
    assert all(len(code) == 4 and code.isdigit() and areas.county_of(code) in COUNTIES for code in MUNICIPALITIES)


def test_codes_stand_in_order_and_names_are_unique_also_those_that_differ_in_a_ring() -> None:
    assert list(MUNICIPALITIES) == sorted(MUNICIPALITIES)
    assert len(set(MUNICIPALITIES.values())) == 290
    assert (MUNICIPALITIES["0305"], MUNICIPALITIES["0643"]) == ("Håbo", "Habo")
    assert len(set(COUNTIES.values())) == 21


@pytest.mark.parametrize(
    ("code", "name"),
    [("0330", "Knivsta"), ("0331", "Heby"), ("0139", "Upplands-Bro"), ("0140", "Nykvarn"), ("0980", "Gotland")],
)
def test_municipalities_that_are_young_or_changed_county_stand_where_they_are_now(code: str, name: str) -> None:
    assert MUNICIPALITIES[code] == name


@pytest.mark.parametrize("gone", ["0139 ", "1917", "0000", "02", "99", "", "se", "UTL"])
def test_what_is_no_area_is_none_and_has_neither_name_nor_county(gone: str) -> None:
    assert not areas.is_area(gone)
    with pytest.raises(KeyError):
        areas.name(gone, "sv")
    with pytest.raises(KeyError):
        areas.county_of(gone)


def test_counties_are_those_of_the_code_list_and_are_called_the_same() -> None:
    codes = CODE_LISTS["county"].codes.values()
    listed = {code.code: (code.sv, code.en) for code in codes if code.code not in (*NON_ANSWERS, "UTL")}
    assert {code: (areas.name(code, "sv"), areas.name(code, "en")) for code in COUNTIES} == listed


def test_an_area_is_named_in_the_readers_language() -> None:
    assert [areas.name(code, "sv") for code in ("1880", "18", COUNTRY)] == ["Örebro", "Örebro län", "Hela landet"]
    assert [areas.name(code, "en") for code in ("1880", "18", COUNTRY)] == ["Örebro", "Örebro County", "Whole country"]


def test_the_county_of_a_county_is_itself_and_the_country_has_none() -> None:
    assert [areas.county_of(code) for code in ("1880", "18", COUNTRY)] == ["18", "18", ""]
    assert all(areas.is_area(code) for code in ("1880", "18", COUNTRY))


def test_the_database_means_the_same_country() -> None:
    assert directory.COUNTRY == COUNTRY


def test_an_area_is_found_by_its_name_and_every_name_leads_back() -> None:
    assert [areas.code_of(name) for name in ("örebro", "ÖREBRO LÄN", "Örebro County", "hela landet", "Oslo", "")] == [
        *("1880", "18", "18", COUNTRY),
        *("", ""),
    ]
    everything = [*COUNTIES, *MUNICIPALITIES, COUNTRY]
    assert all(areas.code_of(areas.name(code, language)) == code for code in everything for language in ("sv", "en"))
