"""The addresses of PxWebApi 2 over a pilot year that is really published: what is read equals what is stored."""

import json
from itertools import permutations

import pytest

from reports import release
from reports.models import PublishedCell, Release
from tests.reports.api.conftest import LAST_MONTH, NOW, admitted_tables, stored_cells
from tests.reports.reading import broken_rules, cells_of_csv, cells_of_jsonstat

TWO_WAY = "caller_role_3-gender-pilot"
ROUNDED = {".."} | set(range(5, 500, 5))


def everything(table_id: str) -> dict[str, str]:
    """A query for all codes of all dimensions."""
    names = [name for name in table_id.removeprefix("all-").split("-")[:-1] if name != "total"]
    return {f"valuecodes[{name}]": "*" for name in (*names, "ContentsCode", "Tid")}


# --- every table, in every format -------------------------------------------------------------------------------------


def test_every_table_is_read_in_every_format_exactly_as_it_is_stored(evaluator):
    for table_id in admitted_tables():
        stored = stored_cells(table_id)
        query = everything(table_id)
        dataset = evaluator.json(f"/tables/{table_id}/data", query)
        assert broken_rules(dataset, with_figures=True) == [], table_id
        read = cells_of_jsonstat(dataset)
        assert {place: value for place, value in read.items() if place in stored} == stored, table_id
        # What is read beyond the stored rows are periods for which the table was not admitted.
        assert {value for place, value in read.items() if place not in stored} <= {".."}, table_id
        assert set(read.values()) <= ROUNDED
        px_extension = dataset["extension"]["px"]
        csv = evaluator.get(f"/tables/{table_id}/data", query | {"outputFormat": "csv"}).content.decode()
        assert cells_of_csv(csv, px_extension["stub"], px_extension["heading"]) == read, table_id


def test_there_is_something_to_read_and_something_hidden(evaluator):
    values = PublishedCell.objects.values_list("value", flat=True)
    assert len(values) > 2500 and None in values and len(admitted_tables()) > 150


@pytest.mark.parametrize("language", ["sv", "en"])
def test_metadata_and_data_keep_the_rules_in_both_languages(evaluator, language):
    for table_id in ("total-month", "all-result-quarter", "referral_type-halfyear", "county-year", TWO_WAY):
        metadata = evaluator.json(f"/tables/{table_id}/metadata", {"lang": language})
        dataset = evaluator.json(f"/tables/{table_id}/data", everything(table_id) | {"lang": language})
        assert broken_rules(metadata, with_figures=False) == broken_rules(dataset, with_figures=True) == []
        without = {key: value for key, value in dataset.items() if key != "status"} | {"value": []}
        assert metadata == without and metadata["id"][-1] == "Tid"


def test_codes_and_figures_are_the_same_in_both_languages(evaluator):
    swedish, english = (evaluator.json(f"/tables/{TWO_WAY}/data", {"lang": lang}) for lang in ("sv", "en"))
    assert cells_of_jsonstat(swedish) == cells_of_jsonstat(english)
    assert swedish["label"] != english["label"] and swedish["extension"]["px"]["language"] == "sv"


def test_every_table_lists_all_codes_of_the_code_book_the_total_first(evaluator):
    for table_id in admitted_tables():
        for name, dimension in evaluator.json(f"/tables/{table_id}/metadata")["dimension"].items():
            if name not in ("ContentsCode", "Tid"):
                codes = list(dimension["category"]["index"])
                assert codes[0] == "_T" == dimension["extension"]["eliminationValueCode"] and "_T" not in codes[1:]
                assert "_U" not in codes[:-1]


def test_periods_have_no_gaps(evaluator):
    months = [f"2015M{n}" for n in (11, 12)] + [f"2016M{n:02}" for n in range(1, 11)]
    quarters = ["2015K4", "2016K1", "2016K2", "2016K3", "2016K4"]
    wanted = {"all-total-month": months, "all-total-quarter": quarters}
    for table_id, periods in wanted.items():
        assert list(evaluator.json(f"/tables/{table_id}/metadata")["dimension"]["Tid"]["category"]["index"]) == periods
    # Of relevant contacts some months had too few to be admitted; those between others are listed all the same.
    listed = list(evaluator.json("/tables/total-month/metadata")["dimension"]["Tid"]["category"]["index"])
    assert listed == months[months.index(listed[0]) : months.index(listed[-1]) + 1]


# --- elimination ------------------------------------------------------------------------------------------------------


def test_a_variable_left_out_is_read_at_its_published_total_in_every_table(evaluator):
    for table_id in admitted_tables():
        stored, query = stored_cells(table_id), everything(table_id)
        for left_out in [key for key in query if "Tid" not in key and "ContentsCode" not in key]:
            total = (left_out.removeprefix("valuecodes[").removesuffix("]"), "_T")
            dataset = evaluator.json(f"/tables/{table_id}/data", {k: v for k, v in query.items() if k != left_out})
            assert total[0] not in dataset["id"] + list(dataset["dimension"]) + dataset["extension"]["px"]["stub"]
            read = {place | {total}: value for place, value in cells_of_jsonstat(dataset).items()}
            assert {place: value for place, value in read.items() if place in stored} == {
                place: value for place, value in stored.items() if total in place
            }


def test_a_total_is_not_the_sum_of_its_parts(evaluator):
    """The control of the test above: adding up the shown parts would give other figures."""
    sums, totals = [], []
    for table_id in admitted_tables():
        cells = stored_cells(table_id)
        for place, value in cells.items():
            (variable, *more) = [name for name, _ in place if name not in ("ContentsCode", "Tid")] or [""]
            if variable and not more and (variable, "_T") in place and value != "..":
                rest = place - {(variable, "_T")}
                sums.append(sum(v for p, v in cells.items() if rest < p and p != place and v != ".."))
                totals.append(value)
    assert len(totals) > 100 and sums != totals


def test_an_empty_list_of_codes_eliminates_as_well(evaluator):
    body = {
        "selection": [
            {"variableCode": "caller_role_3", "valueCodes": []},
            {"variableCode": "gender", "valueCodes": ["k", "m"]},
            {"variableCode": "ContentsCode", "valueCodes": ["kontakter"]},
            {"variableCode": "Tid", "valueCodes": ["2015P"]},
        ]
    }
    dataset = evaluator.post(f"/tables/{TWO_WAY}/data", body).json()
    assert dataset["id"] == ["gender", "ContentsCode", "Tid"] and dataset["size"] == [2, 1, 1]
    stored = stored_cells(TWO_WAY)
    at = {("caller_role_3", "_T"), ("ContentsCode", "kontakter"), ("Tid", "2015P")}
    assert list(cells_of_jsonstat(dataset).values()) == [stored[frozenset({("gender", g), *at})] for g in "km"]


# --- placement --------------------------------------------------------------------------------------------------------


def test_every_placement_shows_the_same_cells_in_its_own_order(evaluator):
    query = everything(TWO_WAY)
    expected = stored_cells(TWO_WAY)
    for order in permutations(["caller_role_3", "gender", "ContentsCode", "Tid"]):
        for cut in range(5):
            stub, heading = list(order[:cut]), list(order[cut:])
            placed = query | {"stub": ",".join(stub), "heading": ",".join(heading)}
            dataset = evaluator.json(f"/tables/{TWO_WAY}/data", placed)
            assert dataset["id"] == list(order) == list(dataset["dimension"])
            if stub and heading:
                assert (dataset["extension"]["px"]["stub"], dataset["extension"]["px"]["heading"]) == (stub, heading)
            assert cells_of_jsonstat(dataset) == expected
            px_extension = dataset["extension"]["px"]
            csv = evaluator.get(f"/tables/{TWO_WAY}/data", placed | {"outputFormat": "csv"}).content.decode()
            assert cells_of_csv(csv, px_extension["stub"], px_extension["heading"]) == expected


# --- default selection ------------------------------------------------------------------------------------------------


def test_the_default_selection_is_what_data_gives_without_a_selection_in_every_table(evaluator):
    for table_id in admitted_tables():
        default = evaluator.json(f"/tables/{table_id}/defaultselection")
        dataset = evaluator.json(f"/tables/{table_id}/data")
        read = {name: list(d["category"]["index"]) for name, d in dataset["dimension"].items()}
        assert read == {item["variableCode"]: item["valueCodes"] for item in default["selection"]}
        px_extension = dataset["extension"]["px"]
        assert default["placement"] == {"stub": px_extension["stub"], "heading": px_extension["heading"]}
        stored = stored_cells(table_id)
        assert all(stored.get(place, "..") == value for place, value in cells_of_jsonstat(dataset).items())


def test_every_way_to_select_nothing_gives_the_default_selection(evaluator):
    for table_id in ("total-month", "caller_role-halfyear", TWO_WAY):
        wanted = evaluator.get(f"/tables/{table_id}/data").content
        default = evaluator.json(f"/tables/{table_id}/defaultselection")
        for body in (default, {}, {"selection": []}, {"selection": None, "placement": None}, "", "null"):
            assert evaluator.post(f"/tables/{table_id}/data", body).content == wanted, body
        assert evaluator.get(f"/tables/{table_id}/data", {"defaultSelection": "False"}).content == wanted


def test_metadata_with_default_selection_has_no_more_than_it(evaluator):
    for table_id in ("total-month", "caller_role-halfyear", TWO_WAY):
        default = evaluator.json(f"/tables/{table_id}/defaultselection")
        metadata = evaluator.json(f"/tables/{table_id}/metadata", {"defaultSelection": "true"})
        assert broken_rules(metadata, with_figures=False) == []
        assert {n: list(d["category"]["index"]) for n, d in metadata["dimension"].items()} == {
            item["variableCode"]: item["valueCodes"] for item in default["selection"]
        }


# --- get and post, spelling, slashes ----------------------------------------------------------------------------------


def test_get_and_post_of_the_same_selection_give_the_same_bytes(evaluator):
    codes = {"gender": ["k", "_T"], "caller_role_3": ["*"], "ContentsCode": ["kontakter"], "Tid": ["top(1)"]}
    body = {"selection": [{"variableCode": name, "valueCodes": items} for name, items in codes.items()]}
    query = {f"valuecodes[{name}]": ",".join(items) for name, items in codes.items()}
    where = f"/tables/{TWO_WAY}/data"
    assert evaluator.get(where, query).content == evaluator.post(where, body).content
    assert evaluator.post(where, body, {"outputFormat": "csv"}).content.startswith(b'"caller_role_3"')


def test_names_and_codes_are_read_in_any_letter_case_and_answered_in_their_own(evaluator):
    where = f"/tables/{TWO_WAY}/data"
    query = {"valuecodes[gender]": "k,_u", "valuecodes[ContentsCode]": "kontakter", "valuecodes[Tid]": "2015P"}
    shouted = {"VALUECODES[GENDER]": "K,_U", "valueCodes[contentscode]": "KONTAKTER", "ValueCodes[TIME]": "2015p"}
    wanted = evaluator.get(where, query | {"outputFormat": "csv", "outputFormatParams": "UseTexts", "lang": "en"})
    other = evaluator.get(
        where.upper().replace("TABLES", "tables").replace("DATA", "data"),
        shouted | {"OUTPUTFORMAT": "CSV", "outputformatparams": "usetexts", "LANG": "EN"},
    )
    assert wanted.status_code == 200 and wanted.content == other.content and wanted["ETag"] == other["ETag"]


@pytest.mark.parametrize("where", ["/config", "/tables", "/tables/{}", "/tables/{}/metadata", "/tables/{}/data"])
def test_each_address_answers_with_and_without_a_slash(evaluator, where):
    address = where.format(TWO_WAY)
    with_slash, without = evaluator.get(f"{address}/"), evaluator.get(address)
    assert (with_slash.status_code, without.status_code) == (200, 200)
    assert with_slash.content == without.content


def test_a_post_with_a_slash_is_answered_and_not_redirected(evaluator):
    assert evaluator.post(f"/tables/{TWO_WAY}/data/", {}).status_code == 200
    assert evaluator.get(f"/tables/{TWO_WAY}/defaultselection/").status_code == 200


# --- config, one table ------------------------------------------------------------------------------------------------


def test_config_says_what_is_true(evaluator):
    config = evaluator.json("/config")
    assert config["apiVersion"] >= "2.0.0" and config["defaultLanguage"] == "sv"
    assert [language["id"] for language in config["languages"]] == ["sv", "en"]
    assert config["dataFormats"] == ["json-stat2", "csv"] and config["defaultDataFormat"] == "json-stat2"
    limits = (config["maxDataCells"], config["maxCallsPerTimeWindow"], config["timeWindow"])
    assert limits == (100_000, 30, 10) and config["license"].startswith("http://testserver/")
    for name in config["dataFormats"]:
        answer = evaluator.get(f"/tables/{TWO_WAY}/data", {"outputFormat": name})
        assert answer.status_code == 200 and f'filename="{TWO_WAY}.' in answer["Content-Disposition"]


def test_a_table_says_what_the_list_says_of_it_and_its_language(evaluator):
    listed = {entry["id"]: entry for entry in evaluator.json("/tables", {"pageSize": 10_000})["tables"]}
    for table_id in ("total-month", TWO_WAY):
        assert evaluator.json(f"/tables/{table_id}") == listed[table_id] | {"language": "sv"}


def test_the_links_lead_where_they_say(evaluator):
    for link in evaluator.json(f"/tables/{TWO_WAY}", {"lang": "en"})["links"]:
        answer = evaluator.client.get(link["href"].removeprefix("http://testserver"))
        assert answer.status_code == 200 and answer["Content-Language"] == link["hreflang"]


# --- what is not out yet ----------------------------------------------------------------------------------------------


def test_what_is_prepared_is_read_only_when_it_is_published_and_then_the_etag_is_another(evaluator):
    before = evaluator.get("/tables/all-total-month/data")
    assert before.json()["dimension"]["Tid"]["category"]["index"].get("2016M11") is None
    prepared = Release.objects.get(kind="month", start=LAST_MONTH.start)
    release.publish(prepared, by=None, now=NOW)
    after = evaluator.get("/tables/all-total-month/data")
    assert list(after.json()["dimension"]["Tid"]["category"]["index"])[-1] == "2016M11"
    assert before["ETag"] != after["ETag"]


def test_the_order_of_keys_is_that_of_the_writer(evaluator):
    keys = list(json.loads(evaluator.get(f"/tables/{TWO_WAY}/data").content))
    assert keys[:3] == ["version", "class", "label"] and keys[-2:] == ["value", "status"] and keys != sorted(keys)


def test_a_table_is_found_by_its_id_in_any_letter_case(evaluator):
    assert evaluator.get("/tables/TOTAL-Month").json()["id"] == "total-month"
