"""HSDS 3.0 there and back: nothing that the directory holds is lost, and everything that it does not hold is named."""

import copy
import json
import unicodedata
from datetime import date, time
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator, FormatChecker

from helpline.listings import MIDNIGHT, Fault, Hours, OrganisationEntry, Place, hsds, hsds_reading
from tests.helpline.listings.strategies import directories

DATA = Path(__file__).parents[2] / "data"
RECEIVERS = Path(hsds.__file__).parents[1] / "data" / "receivers.json"
SCHEMA = json.loads((DATA / "hsds-3.0-schema.json").read_text(encoding="utf-8"))
FOREIGN = json.loads((DATA / "hsds-organization-full.json").read_text(encoding="utf-8"))
ID = "ac148810-d857-441c-9679-408f346de14b"
SERVICE = {"id": ID, "name": "Linje", "status": "active"}
UNSEEN = ("\u00ad", "\u200d", "\u200e", "\u202e", "\u2028", "\u2029", "\u2066", "\ufeff", "\U000e0041")
DECEIVING = ("http://a@b\\@evil.example", "https://bank.example@evil.example/", "https://evil.example\\.bank.example")
PARTS = ("phones", "schedules", "service_at_locations")
ORGANIZATION = {"id": "d9d5e0f5-d3ce-4f73-9a2f-4dd0ecc6c610", "name": "En förening", "description": ""}


def faults_of_schema(document: Any) -> list[str]:
    """Also of fields that the specification does not know, which the schema as such would let pass."""
    closed = copy.deepcopy(SCHEMA)
    for definition in closed["$defs"].values():
        definition["additionalProperties"] = False
    validator = Draft202012Validator(closed, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def read(document: Any, target: str = "linje") -> Any:
    return hsds_reading.read(json.dumps(document).encode(), target=target)


def with_service(**fields: Any) -> dict[str, Any]:
    return ORGANIZATION | {"services": [SERVICE | fields]}


def refusals(document: Any, target: str = "linje") -> list[tuple[str, Fault]]:
    reading = read(document, target)
    assert bool(reading.findings) == (not reading.organisations)
    return [(finding.path, finding.fault) for finding in reading.findings]


# --- there and back --------------------------------------------------------------------------------------------------


def test_the_start_set_comes_back_as_it_was_and_nothing_of_it_is_left_out() -> None:
    content = RECEIVERS.read_bytes()
    reading = hsds_reading.read(content)
    assert (reading.findings, reading.left_out) == ((), ())
    assert hsds.write(reading.organisations) == content
    assert faults_of_schema(json.loads(content)) == []


@settings(max_examples=40)
@given(directories())
def test_whatever_the_directory_holds_comes_back_and_is_valid(directory: tuple[OrganisationEntry, ...]) -> None:
    content = hsds.write(directory)
    reading = hsds_reading.read(content)
    assert (reading.organisations, reading.findings, reading.left_out) == (directory, (), ())
    assert faults_of_schema(json.loads(content)) == []


def test_what_a_foreign_organization_says_and_the_directory_holds_survives_a_second_journey() -> None:
    first = read(FOREIGN)
    again = hsds_reading.read(hsds.write(first.organisations))
    assert first.findings == again.findings == again.left_out == ()
    assert again.organisations == first.organisations
    service = first.organisations[0].services[0]
    assert (service.name, str(service.id), service.target, service.is_active) == (
        *("Community Counselling", ID),
        *("linje", True),
    )
    assert (service.assured_on, service.languages, service.phones[0].extension) == (date(2005, 1, 1), ("ur",), "100")
    assert service.places == (Place(False, "MyCity Civic Center", "1-30 Main Street", "ABC 1234", "MyCity"),)
    assert service.alert.startswith("Following COVID-19")
    assert faults_of_schema(json.loads(hsds.write(first.organisations))) == []


def values(value: Any, path: str) -> list[tuple[str, str]]:
    """A plain second count: path and text of each value."""
    if isinstance(value, dict):
        return [pair for name, each in value.items() for pair in values(each, f"{path}.{name}")]
    if isinstance(value, list):
        return [pair for each in value for pair in values(each, f"{path}[]")]
    return [(path, " ".join(str(value).split()))]


def test_every_value_of_a_foreign_file_either_comes_back_or_its_path_is_named() -> None:
    reading = read(FOREIGN)
    document = json.loads(hsds.write(reading.organisations))
    kept, named = values(document[0], "organizations[]"), dict(reading.left_out)
    for pair in values(FOREIGN, "organizations[]"):
        if pair in kept:
            kept.remove(pair)
        else:
            named[pair[0]] -= 1
    assert set(named.values()) == {0}
    assert named.keys() >= {
        "organizations[].services[].fees_description",
        "organizations[].contacts[].name",
        "organizations[].services[].schedules[].byweekno",
        "organizations[].services[].attributes[].taxonomy_term.taxonomy",
        "organizations[].services[].service_areas[].extent",
    }


def test_what_is_left_out_is_named_by_path_and_number_and_never_by_its_value() -> None:
    reading = read([with_service(fees_description="Kalle", contacts=[{"id": ID, "name": "Kalle"}] * 2)])
    assert reading.left_out == (
        ("organizations[].services[].contacts[].id", 2),
        ("organizations[].services[].contacts[].name", 2),
        ("organizations[].services[].fees_description", 1),
    )
    assert "Kalle" not in repr(reading.left_out)
    assert read([with_service(**{"Kalle 070": 1})]).left_out == (("organizations[].services[].…", 1),)


def test_what_lies_deep_is_one_short_path() -> None:
    deep: dict[str, Any] = {"a": ["one", "two"]}
    for _ in range(300):
        deep = {"a_name_that_is_thirty_letters": deep}
    ((path, times),) = read([ORGANIZATION | deep]).left_out
    assert times == 2 and len(path) <= hsds_reading.LONGEST_PATH + 4 and path.endswith("…")


def test_the_cost_of_a_deep_file_grows_with_its_length_and_not_with_its_depth() -> None:
    def cost(depth: int) -> float:
        inside = b'{"a":' * depth + b"[" + b"1," * 40_000 + b"1]" + b"}" * depth
        content = json.dumps(ORGANIZATION).encode()[:-1] + b', "x": ' + inside + b"}"
        begins = process_time()
        reading = hsds_reading.read(content)
        assert [times for _, times in reading.left_out] == [40_001]
        return process_time() - begins

    assert min(cost(800) for _ in range(2)) < 4 * max(cost(1) for _ in range(2))


def test_a_field_that_stands_twice_is_named_unless_it_is_no_name_of_a_field() -> None:
    def hint(name: str) -> str:
        ((finding),) = hsds_reading.read(f'[{{"{name}": 1, "{name}": 2}}]'.encode()).findings
        return str(finding.hint)

    assert (hint("phones"), hint("Kalle 070")) == ("phones", "…")


def test_a_letter_and_its_mark_are_the_same_name_as_the_letter_with_it_and_nothing_is_said_to_be_left_out() -> None:
    """As files from a Mac may write it."""
    apart = unicodedata.normalize("NFD", "Räddningsmissionen på Öland")
    reading = read(with_service(name=apart, alert=apart))
    service = reading.organisations[0].services[0]
    assert service.name == service.alert == "Räddningsmissionen på Öland" != apart and not reading.left_out


@pytest.mark.parametrize(
    "address",
    ["http://a.se", "HTTPS://a.se:8000/@b", "https://räksmörgås.se?x=@", "https://a.se/b\\c", "https://a.se#@"],
)
def test_an_address_may_have_anything_behind_the_name_of_its_server(address: str) -> None:
    assert read(ORGANIZATION | {"website": address}).organisations[0].url == address


# --- the schema finds what is broken ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), "1"),
        (("services", 0, "status"), "open"),
        (("services", 0, "phones", 0, "number"), None),
        (("services", 0, "attributes", 0, "taxonomy_term", "name"), 7),
        (("services", 0, "made_up"), "x"),
        (("services", 0, "service_areas", 0, "extent"), 1880),
    ],
)
def test_a_broken_export_is_found_by_the_schema(path: tuple[str | int, ...], value: object) -> None:
    document = json.loads(RECEIVERS.read_bytes())
    assert faults_of_schema(document) == []
    *way, last = path
    place = document[0]
    for step in way:
        place = place[step]
    place[last] = value
    assert len(faults_of_schema(document)) == 1


# --- the forms that a document may have ------------------------------------------------------------------------------


def test_a_service_with_its_organization_inside_is_read_alone_in_a_list_or_on_a_page_of_an_interface() -> None:
    service = SERVICE | {"organization": ORGANIZATION}
    forms = [service, [service], {"contents": [service], "total_items": 1}, {"services": [service]}]
    assert len({read(form).organisations for form in forms}) == 1
    assert not any(read(form).left_out for form in forms)
    organization = with_service()
    assert {read(form).organisations for form in (organization, [organization])} == {read(service).organisations}


def test_two_services_of_one_organization_are_put_together() -> None:
    other = SERVICE | {"id": "00000000-0000-4000-8000-000000000001", "name": "Annan linje"}
    reading = read([each | {"organization": ORGANIZATION} for each in (SERVICE, other)])
    assert [len(organisation.services) for organisation in reading.organisations] == [2]


# --- hours, areas, places --------------------------------------------------------------------------------------------

WEEKLY = {"id": ID, "freq": "WEEKLY", "byday": "FR,MO", "opens_at": "09:00", "closes_at": "15:00:00"}


def hours_of(**fields: Any) -> tuple[Hours, ...]:
    reading = read(with_service(schedules=[WEEKLY | fields]))
    assert reading.findings == ()
    return tuple(reading.organisations[0].services[0].hours)


def test_hours_of_every_week_are_read_in_the_order_of_the_week() -> None:
    assert hours_of() == (Hours("MO,FR", time(9), time(15)),)
    assert hours_of(opens_at="09:00+01:00", closes_at="24:00", timezone=1) == (Hours("MO,FR", time(9), MIDNIGHT),)
    assert hours_of(closes_at="00:00") == (Hours("MO,FR", time(9), MIDNIGHT),)
    assert hours_of(dtstart="2020-01-01")[0].valid_from == date(2020, 1, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"interval": 2},
        {"freq": "MONTHLY", "byday": "1SA"},
        {"byday": "1SA"},
        {"byweekno": "41"},
        {"bymonthday": "1"},
        {"count": 3},
        {"until": "2020-11-07"},
        {"timezone": 3},
        {"opens_at": "09:00Z"},
        {"closes_at": "15:00-05:00"},
        {"closes_at": "06:00"},
        {"byday": None},
        {"opens_at": None},
        {"valid_from": "2026-02-01", "valid_to": "2026-01-01"},
    ],
)
def test_hours_that_would_be_wrong_are_left_out_whole_and_named(fields: dict[str, Any]) -> None:
    assert hours_of(**fields) == ()
    named = dict(read(with_service(schedules=[WEEKLY | fields])).left_out)
    assert "organizations[].services[].schedules[].closes_at" in named


def test_an_area_is_taken_by_code_or_by_name_and_a_shape_on_a_map_is_left_out() -> None:
    areas = [
        {"id": ID, "extent": "1880", "extent_type": "text"},
        {"id": ID, "name": "Skåne län"},
        {"id": ID, "name": "Norden", "extent": "{}", "extent_type": "geojson"},
    ]
    reading = read(with_service(service_areas=areas))
    assert reading.organisations[0].services[0].areas == ("12", "1880")
    assert ("organizations[].services[].service_areas[].extent_type", 1) in reading.left_out


# --- targets ---------------------------------------------------------------------------------------------------------


def term(taxonomy: object, code: object) -> dict[str, Any]:
    return {"id": ID, "taxonomy_term": {"id": ID, "name": "x", "description": "x", "taxonomy": taxonomy, "code": code}}


def test_a_service_without_a_target_of_ours_is_refused_unless_one_is_chosen() -> None:
    foreign = with_service(attributes=[term("AIRS", "RF-1000")])
    assert refusals(foreign, target="") == [("$.services[0]", Fault.NEEDS_TARGET)]
    service = read(foreign, target="civil").organisations[0].services[0]
    assert (service.target, service.dimension) == ("civil", "social")


def test_a_target_of_its_own_goes_before_the_chosen_one_and_a_resource_has_none() -> None:
    own = read(with_service(attributes=[term("referral_target", "polis")]))
    assert own.organisations[0].services[0].target == "polis"
    resource = read(with_service(attributes=[term("service_kind", "resurs")]))
    assert resource.organisations[0].services[0].target == ""
    both = with_service(attributes=[term("service_kind", "resurs"), term("referral_target", "polis")])
    assert refusals(both) == [("$.services[0]", Fault.HAS_TARGET)]


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "path", "fault"),
    [
        (ORGANIZATION | {"name": " "}, "$.name", Fault.MISSING),
        ([ORGANIZATION, {"id": ID}], "$[1].name", Fault.MISSING),
        (ORGANIZATION | {"id": "7"}, "$.id", Fault.NOT_AN_ID),
        (ORGANIZATION | {"id": 7}, "$.id", Fault.WRONG_TYPE),
        (ORGANIZATION | {"website": "javascript:alert(1)"}, "$.website", Fault.NOT_A_URL),
        (ORGANIZATION | {"name": "x" * 201}, "$.name", Fault.TOO_LONG),
        (ORGANIZATION | {"name": "a\x00b"}, "$.name", Fault.NOT_TEXT),
        (ORGANIZATION | {"name": "a\ud800b"}, "$.name", Fault.NOT_TEXT),
        *((ORGANIZATION | {"name": f"a{mark}b"}, "$.name", Fault.INVISIBLE) for mark in UNSEEN),
        (
            with_service(phones=[{"id": ID, "number": "\u202e54321-80"}]),
            "$.services[0].phones[0].number",
            Fault.INVISIBLE,
        ),
        *((ORGANIZATION | {"website": address}, "$.website", Fault.NOT_A_URL) for address in DECEIVING),
        *((with_service(**{name: [{}] * 41}), f"$.services[0].{name}", Fault.TOO_MANY_PARTS) for name in PARTS),
        (with_service(attributes=[{}] * 601), "$.services[0].attributes", Fault.TOO_MANY_PARTS),
        (ORGANIZATION | {"services": {}}, "$.services", Fault.WRONG_TYPE),
        (ORGANIZATION | {"services": ["x"]}, "$.services[0]", Fault.WRONG_TYPE),
        (["x"], "$[0]", Fault.WRONG_TYPE),
        (SERVICE, "$.organization", Fault.MISSING),
        (with_service(status=None), "$.services[0].status", Fault.MISSING),
        (with_service(status="open"), "$.services[0].status", Fault.NOT_A_CODE),
        (with_service(assured_date="16/11/2015"), "$.services[0].assured_date", Fault.NOT_A_DAY),
        (with_service(phones=[{"id": ID}]), "$.services[0].phones[0].number", Fault.MISSING),
        (
            with_service(service_areas=[{"id": ID, "extent": "9999", "extent_type": "text"}]),
            "$.services[0].service_areas[0].extent",
            Fault.NOT_AN_AREA,
        ),
        (
            with_service(attributes=[term("referral_target", "okand")]),
            "$.services[0].attributes[0].taxonomy_term.code",
            Fault.NOT_A_CODE,
        ),
        (
            with_service(attributes=[term("dimension", "social")] * 2),
            "$.services[0].attributes[1].taxonomy_term.taxonomy",
            Fault.SINGLE,
        ),
        (with_service(schedules=[WEEKLY | {"byday": "MÅ"}]), "$.services[0].schedules[0].byday", Fault.NOT_HOURS),
        (
            with_service(schedules=[WEEKLY | {"opens_at": "kl 9"}]),
            "$.services[0].schedules[0].opens_at",
            Fault.NOT_HOURS,
        ),
        (
            with_service(languages=[{"id": ID, "code": "svenska"}]),
            "$.services[0].languages[0].code",
            Fault.NOT_A_LANGUAGE,
        ),
        (with_service(attributes=[term(["x"], 7), 7]), "$.services[0].attributes[1]", Fault.WRONG_TYPE),
    ],
)
def test_a_refusal_names_its_place(document: Any, path: str, fault: Fault) -> None:
    assert refusals(document) == [(path, fault)]


def test_the_same_service_twice_and_an_organization_that_contradicts_itself_are_refused() -> None:
    assert refusals([with_service(), with_service()]) == [("$[1].services[0]", Fault.REPEATED)]
    other = SERVICE | {"id": "00000000-0000-4000-8000-000000000001", "name": "Annan"}
    pair = [
        SERVICE | {"organization": ORGANIZATION},
        other | {"organization": ORGANIZATION | {"name": "En annan förening"}},
    ]
    assert refusals(pair) == [("$[1]", Fault.CONTRADICTS)]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"{", Fault.NOT_READABLE),
        (b"[NaN]", Fault.NOT_READABLE),
        (b'["\xff"]', Fault.NOT_READABLE),
        (b"[" * 100_000, Fault.NOT_READABLE),
        (b'[{"id": ' + b"[" * 900 + b"]" * 900 + b"}]", Fault.MISSING),
        (b"[]", Fault.NO_DIRECTORY),
        (b"{}", Fault.NO_DIRECTORY),
        (b'{"type": "FeatureCollection"}', Fault.NO_DIRECTORY),
        (b'[{"id": "1", "name": "x", "name": "y"}]', Fault.FIELD_TWICE),
        (b" " * (20 * 2**20 + 1), Fault.TOO_LARGE),
        (b"[" + b"{}," * 5_000 + b"{}]", Fault.TOO_MANY),
    ],
)
def test_a_file_that_is_no_directory_is_refused_as_a_whole(content: bytes, fault: Fault) -> None:
    assert fault in {finding.fault for finding in hsds_reading.read(content).findings}


def test_all_refusals_come_in_one_report() -> None:
    assert len(refusals([{"id": 1}, with_service(status="open", url="ftp://x")])) == 4
