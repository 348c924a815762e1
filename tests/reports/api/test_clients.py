"""The requests of four clients, as they send them: pxwebpy (P), pxstatspy (S), R's pxweb (R), PxWeb2 in a browser (W).

Each test is named by what breaks in that client when the answer is another.
"""

import base64
import csv
import io

import pytest
from django.test import Client

from tests.reports.api.conftest import BASE, stored_cells
from tests.reports.reading import cells_of_jsonstat

TABLE = "/tables/caller_role_3-gender-pilot"
CODES = {"caller_role_3": ["*"], "gender": ["k", "m"], "ContentsCode": ["kontakter"], "Tid": ["2015P"]}


def body(**codes: list[str]) -> dict:
    return {"selection": [{"variableCode": name, "valueCodes": items} for name, items in codes.items()]}


# --- S: pxstatspy 1.0.1 ---------------------------------------------------------------------------------------------


def test_s_asks_config_with_a_language_and_needs_limits_above_zero(evaluator):
    config = evaluator.json("/config", {"lang": "en"})
    assert config["maxCallsPerTimeWindow"] > 0 and config["timeWindow"] > 0 and config["maxDataCells"] > 0


def test_s_lists_tables_with_booleans_of_python_and_needs_every_period(evaluator):
    query = {"includeDiscontinued": "False", "pageNumber": "1", "lang": "en"}
    for entry in evaluator.json("/tables", query)["tables"]:
        assert entry["firstPeriod"].ljust(8) and entry["lastPeriod"].ljust(8)
        assert isinstance(entry["variableNames"], list) and entry["updated"].endswith("Z")


def test_s_always_sends_default_selection_false_and_a_format_and_wants_the_whole_table(evaluator):
    query = {"outputFormat": "json-stat2", "defaultSelection": "False", "lang": "en"}
    metadata = evaluator.json(f"{TABLE}/metadata", query)
    assert metadata["size"] == [5, 5, 1, 1] and metadata == evaluator.json(f"{TABLE}/metadata", {"lang": "en"})


def test_s_joins_codes_by_comma_after_it_expanded_them_itself(evaluator):
    query = {f"valuecodes[{name}]": ",".join(items) for name, items in CODES.items()}
    dataset = evaluator.json(f"{TABLE}/data", query | {"outputFormat": "json-stat2", "lang": "en"})
    assert dataset["size"] == [5, 2, 1, 1] and any("ContentsCode" in name for name in dataset["id"])


def test_s_reads_csv_by_the_word_text_in_its_content_type(evaluator):
    query = {"outputFormat": "csv", "outputFormatParams": "UseCodes,SeparatorSemicolon", "lang": "en"}
    assert "text" in evaluator.get(f"{TABLE}/data", query)["Content-Type"]
    assert "json" in evaluator.get(f"{TABLE}/data", {"outputFormat": "json-stat2"})["Content-Type"]


def test_s_shows_the_detail_of_a_problem_only_by_its_exact_content_type(evaluator):
    response = evaluator.get(f"{TABLE}/data", {"valuecodes[nothing]": "*", "lang": "en"})
    assert response.headers["content-type"] == "application/problem+json" and response.json()["detail"]


# --- P: pxwebpy 0.6.0 -----------------------------------------------------------------------------------------------


def test_p_brings_only_the_credentials_of_an_address(evaluator):
    credentials = base64.b64encode(f"token:{evaluator.token}".encode()).decode()
    client = Client(headers={"Authorization": f"Basic {credentials}"})
    assert client.get(f"{BASE}/config").json()["apiVersion"] >= "2.0.0"
    page = client.get(f"{BASE}/tables", {"lang": "sv"}).json()["page"]
    whole = client.get(f"{BASE}/tables", {"lang": "sv", "pageSize": str(page["totalElements"])}).json()
    assert len(whole["tables"]) == page["totalElements"]


def test_p_posts_with_a_format_in_the_query_and_gets_as_many_values_as_combinations_of_labels(evaluator):
    query = {"lang": "en", "outputFormat": "json-stat2"}
    dataset = evaluator.post(f"{TABLE}/data", body(**CODES), query).json()
    labels = [list(dataset["dimension"][name]["category"]["label"].values()) for name in dataset["id"]]
    assert len(dataset["value"]) == 10 == len(labels[0]) * len(labels[1])
    assert {d["extension"]["show"] for d in dataset["dimension"].values()} == {"value"}
    assert all(isinstance(d["extension"]["codeLists"], list) for d in dataset["dimension"].values())


def test_p_takes_the_default_selection_by_a_get_without_one(evaluator):
    dataset = evaluator.json(f"{TABLE}/data", {"lang": "sv", "outputFormat": "json-stat2"})
    assert len(dataset["value"]) == 25


def test_p_expands_stars_by_the_labels_of_the_metadata(evaluator):
    labels = evaluator.json(f"{TABLE}/metadata")["dimension"]["gender"]["category"]["label"]
    everything = evaluator.post(f"{TABLE}/data", body(**(CODES | {"gender": list(labels)}))).json()
    stars = evaluator.post(f"{TABLE}/data", body(**(CODES | {"gender": ["*"]}))).json()
    assert everything == stars


# --- R: pxweb 0.19 --------------------------------------------------------------------------------------------------


def test_r_sends_output_values_and_code_lists_beside_the_body_of_a_post(evaluator):
    with_values = {"lang": "en", "outputFormat": "json-stat2", "outputvalues[gender]": "aggregated"}
    assert evaluator.post(f"{TABLE}/data", body(**CODES), with_values).status_code == 200
    refused = evaluator.post(f"{TABLE}/data", body(**CODES), with_values | {"codelist[gender]": "agg_gender"})
    assert refused.status_code == 400 and refused.json()["title"] == "Non-existent codelist"


def test_r_uses_top_and_bottom_and_the_version_in_the_path(evaluator):
    assert "v2" in BASE.split("/")
    latest = evaluator.post("/tables/all-total-month/data", body(ContentsCode=["*"], Tid=["top(2)"])).json()
    assert list(latest["dimension"]["Tid"]["category"]["index"]) == ["2016M09", "2016M10"]
    oldest = evaluator.post("/tables/all-total-month/data", body(ContentsCode=["*"], Tid=["bottom(1)"])).json()
    assert list(oldest["dimension"]["Tid"]["category"]["index"]) == ["2015M11"]


# --- W: PxWeb2 in a browser -----------------------------------------------------------------------------------------


def test_w_asks_for_every_table_at_once(evaluator):
    listing = evaluator.json("/tables", {"lang": "sv", "pageSize": "10000", "pageNumber": "1"})
    assert len(listing["tables"]) == listing["page"]["totalElements"] > 100
    assert all(entry["firstPeriod"][:4].isdigit() for entry in listing["tables"])


def test_w_compares_the_title_of_a_language_that_there_is_not(evaluator):
    assert evaluator.get("/tables", {"lang": "no"}).json()["title"] == "Unsupported language"


def test_w_starts_with_metadata_and_the_default_selection_and_posts_codes_with_a_placement(staff):
    browser = Client(enforce_csrf_checks=True, headers={"Accept": "application/json"})
    browser.force_login(staff["evaluator"])
    where = f"{BASE}/tables/caller_role-halfyear"
    metadata = browser.get(f"{where}/metadata", {"lang": "en", "defaultSelection": "true"}).json()
    default = browser.get(f"{where}/defaultselection", {"lang": "en"}).json()
    dataset = browser.post(
        f"{where}/data?lang=en&outputFormat=json-stat2",
        {"selection": default["selection"], "placement": default["placement"]},
        content_type="application/json",
        headers={"Origin": "http://testserver"},
    ).json()
    assert dataset["id"] == metadata["id"] == list(dataset["dimension"])
    assert dataset["extension"]["px"]["stub"] and dataset["extension"]["px"]["heading"]
    assert dataset["extension"]["noteMandatory"] == {"0": True}


@pytest.mark.parametrize("accept", ["application/json", "text/html", "image/png", "*/*", ""])
def test_w_accepts_json_also_when_it_downloads_csv_and_repeats_a_parameter(evaluator, accept):
    address = (
        f"{BASE}{TABLE}/data?lang=en&outputFormat=csv"
        "&outputFormatParams=SeparatorSemicolon&outputFormatParams=IncludeTitle&outputFormatParams=UseTexts"
    )
    response = evaluator.client.post(address, body(**CODES), "application/json", headers={"Accept": accept})
    assert response.status_code == 200 and response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'inline; filename="caller_role_3-gender-pilot.csv"'
    title, header, *rows = csv.reader(io.StringIO(response.content.decode(), newline=""), delimiter=";")
    assert title[0].startswith("Operationally relevant contacts by ") and header[0].startswith("caller")
    assert len(rows) == 10
    dataset = evaluator.post(f"{TABLE}/data", body(**CODES)).json()
    figures = [row[-1] for row in rows]
    assert figures == [".." if value is None else str(value) for value in dataset["value"]] and ".." in figures


def test_w_walks_the_values_in_the_order_of_the_keys_of_dimension(evaluator):
    for placement in ({"stub": ["Tid", "gender"]}, {"heading": ["gender", "caller_role_3"]}):
        asked = body(**(CODES | {"gender": ["*"]})) | {"placement": placement}
        dataset = evaluator.post(f"{TABLE}/data", asked).json()
        dataset["id"] = list(dataset["dimension"])
        assert cells_of_jsonstat(dataset) == stored_cells("caller_role_3-gender-pilot")
