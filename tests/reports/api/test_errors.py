"""Every refusal of the contract as a problem (RFC 9457): status, title, headers, and nothing of what was asked."""

import json

import pytest
from django.test import Client

from reports.api import errors
from reports.api.px import PxView

TABLE = "/tables/caller_role_3-gender-pilot"
DATA = f"{TABLE}/data"
GOOD = {"valuecodes[ContentsCode]": "kontakter", "valuecodes[Tid]": "2015P"}
GENDER = GOOD | {"valuecodes[gender]": "*"}

REFUSALS = [
    ("/tables/nothing", {}, 404, "Non-existent table"),
    ("/tables/nothing/metadata", {}, 404, "Non-existent table"),
    ("/tables/nothing/defaultselection", {}, 404, "Non-existent table"),
    ("/tables/nothing/data", {}, 404, "Non-existent table"),
    ("/tables", {"pageNumber": "99"}, 404, "Non-existent page"),
    ("/tables", {"pageNumber": "0"}, 404, "Non-existent page"),
    ("/tables", {"pageSize": "many"}, 400, "Illegal parameter"),
    ("/tables", {"pastDays": "0"}, 400, "Illegal parameter"),
    ("/tables", {"pastDays": "1.5"}, 400, "Illegal parameter"),
    ("/tables", {"lang": "no"}, 400, "Unsupported language"),
    (TABLE, {"lang": "sv-SE"}, 400, "Unsupported language"),
    (f"{TABLE}/metadata", {"lang": "de"}, 400, "Unsupported language"),
    (f"{TABLE}/metadata", {"savedQuery": "7"}, 404, "Saved query not found"),
    (f"{TABLE}/metadata", {"codelist[gender]": "vs_x"}, 400, "Non-existent codelist"),
    (f"{TABLE}/defaultselection", {"lang": "de"}, 400, "Unsupported language"),
    ("/codelists/vs_x", {}, 404, "Non-existent codelist"),
    ("/savedqueries/7", {}, 404, "Saved query not found"),
    ("/savedqueries/7/data", {}, 404, "Saved query not found"),
    ("/savedqueries", {}, 404, "Saved query not found"),
    ("/navigation/folders", {}, 404, "Non-existent address"),
    ("/", {}, 404, "Non-existent address"),
    (f"{TABLE}/data/more", {}, 404, "Non-existent address"),
    (DATA, {"lang": "de"}, 400, "Unsupported language"),
    (DATA, GOOD | {"valuecodes[age]": "*"}, 400, "Non-existent variable"),
    (DATA, GOOD | {"codelist[age]": "vs_x"}, 400, "Non-existent variable"),
    (DATA, GOOD | {"codelist[gender]": "vs_x"}, 400, "Non-existent codelist"),
    (DATA, GOOD | {"valuecodes[gender]": "x"}, 400, "Non-existent value"),
    (DATA, GOOD | {"valuecodes[gender]": "range(k,x)"}, 400, "Non-existent value"),
    (DATA, GOOD | {"valuecodes[gender]": "a*b"}, 400, "Illegal selection expression"),
    (DATA, GOOD | {"valuecodes[gender]": "top(0)"}, 400, "Illegal selection expression"),
    (DATA, GOOD | {"valuecodes": "k"}, 400, "Illegal selection expression"),
    (DATA, {"valuecodes[gender]": "*"}, 400, "Missing selection for mandantory variable"),
    (DATA, GENDER | {"stub": "age"}, 400, "Illegal placment"),
    (DATA, GENDER | {"stub": "gender", "heading": "gender"}, 400, "Illegal placment"),
    (DATA, {"outputFormat": "px"}, 400, "Unsupported output format"),
    (DATA, {"outputFormat": "csv", "outputFormatParams": "Fancy"}, 400, "Unsupported output format"),
    (DATA, {"outputFormatParams": "UseTexts"}, 400, "Unsupported output format"),
    (DATA, {"outputFormat": "json-stat2", "outputFormatParams": "SeparatorTab"}, 400, "Unsupported output format"),
]


def problem_of(response, status: int, title: str) -> dict:
    """The problem, after what holds of every one."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert list(problem) == ["type", "title", "status", "detail"]
    assert (problem["title"], problem["status"]) == (title, status)
    assert problem["detail"].endswith((".", "}.")) and len(problem["detail"]) > 20
    assert response["Cache-Control"] == "no-store" and not response.has_header("ETag")
    return problem


@pytest.mark.parametrize(("where", "query", "status", "title"), REFUSALS)
def test_each_refusal_is_a_problem_with_its_title(evaluator, where, query, status, title):
    assert problem_of(evaluator.get(where, query), status, title)["type"] == "Parameter error"


def test_what_a_get_refuses_a_post_refuses_as_well(evaluator):
    for where, query, status, title in REFUSALS:
        if where == DATA and "valuecodes" not in query:
            chosen = {key[11:-1]: value for key, value in query.items() if key.startswith("valuecodes[")}
            selection = [{"variableCode": key, "valueCodes": [value]} for key, value in chosen.items()]
            placement = {key: query[key].split(",") for key in ("stub", "heading") if key in query}
            rest = {k: v for k, v in query.items() if k.startswith(("lang", "output", "codelist"))}
            body = {"selection": selection, "placement": placement}
            problem_of(evaluator.post(DATA, body, rest), status, title)


def test_a_code_list_in_the_body_is_refused(evaluator):
    body = {"selection": [{"variableCode": "gender", "codelist": "agg_x", "valueCodes": ["*"]}]}
    problem_of(evaluator.post(DATA, body), 400, "Non-existent codelist")


def test_too_many_cells_are_refused(evaluator, monkeypatch):
    monkeypatch.setattr("reports.api.selection.select.__kwdefaults__", {"most_cells": 24})
    problem_of(evaluator.get(DATA), 400, "Too many cells selected")


@pytest.mark.parametrize("body", [b"{", b"nothing", b'{"selection": NaN', b"\xff\xfe", b"[" * 100_000, b'"\\ud800'])
def test_a_body_that_is_no_json_is_a_problem(evaluator, body):
    problem_of(evaluator.post(DATA, body), 400, "Illegal body")


def test_a_body_beyond_any_selection_is_a_problem(evaluator):
    problem = problem_of(evaluator.post(DATA, b" " * 300_000), 413, "Request Entity Too Large")
    assert problem["type"] == "about:blank"


def test_a_body_is_read_whatever_its_content_type_says(evaluator):
    body = json.dumps({"selection": [{"variableCode": "ContentsCode", "valueCodes": ["x"]}]})
    for content_type in ("application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"):
        response = evaluator.client.post(f"/api/px/v2{DATA}", body, content_type=content_type)
        problem_of(response, 400, "Non-existent value")


def test_too_many_fields_are_a_problem(evaluator):
    problem_of(evaluator.get(DATA, [("a", "b")] * 600), 400, "Bad Request")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_a_problem_that_names_the_right_ones(evaluator, method):
    for where, allowed in ((DATA, {"GET", "POST", "HEAD"}), ("/tables", {"GET", "HEAD"})):
        response = evaluator._call(method, where, ())
        problem_of(response, 405, "Method Not Allowed")
        assert set(response["Allow"].split(", ")) == allowed
    problem_of(evaluator.post("/tables", {}), 405, "Method Not Allowed")


def test_a_table_that_is_not_published_is_answered_as_one_that_does_not_exist(evaluator):
    """concerns-quarter stands in the catalogue, but was admitted for no quarter of so small a year."""
    for rest in ("", "/metadata", "/defaultselection", "/data"):
        known, unknown = (evaluator.get(f"/tables/{table}{rest}") for table in ("concerns-quarter", "concerns-week"))
        assert known.content == unknown.content and known.status_code == 404
        assert dict(known.headers) == dict(unknown.headers)


def test_no_problem_repeats_what_was_asked(evaluator):
    mark = "<b>mark"
    texts = {"lang": mark, "outputFormat": mark, "outputFormatParams": mark, "stub": mark, "pageSize": mark}
    texts |= {"pastDays": mark, "pageNumber": mark, "savedQuery": mark, "valuecodes[gender]": mark}
    texts |= {f"valuecodes[{mark}]": "*", f"codelist[{mark}]": mark, "codelist[gender]": mark, f"valuecodes{mark}": "*"}
    answers = [
        evaluator.get(where, GENDER | {name: text})
        for name, text in texts.items()
        for where in (DATA, "/tables", f"{TABLE}/metadata")
    ]
    answers += [evaluator.get(f"/{mark}"), evaluator.get(f"/tables/{mark}"), evaluator.get(f"/codelists/{mark}")]
    bodies = [mark, {mark: mark}, {"selection": mark}, {"selection": [{"variableCode": mark}]}]
    bodies += [{"selection": [{"variableCode": "gender", "valueCodes": [mark]}]}, {"placement": {"stub": [mark]}}]
    answers += [evaluator.post(DATA, body) for body in bodies]
    assert sum(answer.status_code >= 400 for answer in answers) > 20
    for answer in answers:
        assert answer.status_code in (200, 400, 404) and b"mark" not in answer.content, answer.content


def test_a_search_comes_back_only_in_a_link_and_there_encoded(evaluator):
    answer = evaluator.get("/tables", {"query": '<b>"länk"'})
    assert answer.json()["tables"] == [] and b"<b>" not in answer.content and b"%3Cb%3E" in answer.content


def test_a_fault_of_our_own_is_not_dressed_up_as_the_callers(evaluator, monkeypatch):
    def broken(self, request, **rest):
        raise ZeroDivisionError

    monkeypatch.setattr("reports.api.px.Config.get", broken)
    evaluator.client.raise_request_exception = False
    assert evaluator.get("/config").status_code == 500
    assert errors.answer_to(ZeroDivisionError(), {}) is None


def test_a_visitor_gets_a_problem_at_every_address_and_no_page_to_log_in(year):
    for where in ("/config", "/tables", TABLE, DATA, f"{TABLE}/metadata", "/codelists/x", "/savedqueries", "/nowhere"):
        response = Client().get(f"/api/px/v2{where}")
        assert problem_of(response, 401, "Unauthorized")["type"] == "about:blank"
        assert response["WWW-Authenticate"].startswith("Basic")


def test_every_address_is_under_this_roof():
    """The control: a view that did not answer with problems would be none of ours."""
    from reports.api.urls import urlpatterns

    assert all(issubclass(pattern.callback.cls, PxView) for pattern in urlpatterns) and len(urlpatterns) > 12
