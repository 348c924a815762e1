"""Whatever is asked: never a fault of our own, and never a number that is not a published cell."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reports.api.conftest import stored_cells
from tests.reports.reading import broken_rules, cells_of_csv, cells_of_jsonstat

OWN = {
    "total-month": {},
    "all-result-quarter": {"result": ["relevant", "_t", "_U", "*", "top(2)"]},
    "caller_role_3-gender-pilot": {"caller_role_3": ["*", "yrkes", "_T"], "GENDER": ["k", "range(m,_T)", "?"]},
    "referral_type-year": {"referral_type": ["_T", "*", "bottom(1,1)"]},
    "concerns-quarter": {},  # of the catalogue, and not published
}
VARIABLES = ("ContentsCode", "Tid", "time", "result", "caller_role_3", "GENDER", "referral_type", "concerns", "x")
CODES = ("_T", "_U", "*", "kontakter", "hanvisningar", "relevant", "k", "m", "anhorig", "2015P", "2016", "2016M04")
FORMS = ("top(2)", "bottom(1,1)", "from(2016K1)", "to(2016M04)", "range(m,_T)", "20*", "*1", "??", "top(0)", "a*b")

items = st.lists(st.one_of(st.sampled_from(CODES + FORMS), st.text(max_size=5)), max_size=3)
unlikely = st.dictionaries(st.sampled_from(VARIABLES), items, max_size=4)


def likely(table_id: str) -> Any:
    """Selections of a table that can be answered."""
    time = st.sampled_from([["*"], ["top(2)"], ["bottom(1)", "top(1)"], ["20*"]])
    contents = st.sampled_from([["*"], ["kontakter"], ["KONTAKTER"]])
    own = {name: st.lists(st.sampled_from(of_name), max_size=2) for name, of_name in OWN[table_id].items()}
    return st.fixed_dictionaries({"ContentsCode": contents, "time": time}, optional=own)


asked = st.sampled_from(list(OWN)).flatmap(lambda t: st.tuples(st.just(t), st.one_of(likely(t), likely(t), unlikely)))
placements = st.one_of(
    st.just(([], [])),
    st.permutations(["caller_role_3", "gender", "ContentsCode", "Tid"]).map(lambda order: (order[:2], order[2:])),
    st.sampled_from([(["Tid"], []), ([], ["ContentsCode"]), (["x"], []), (["Tid"], ["time"])]),
)
outputs = st.sampled_from(["json-stat2", "JSON-stat2", "", "csv", "px"])
parameters = st.sampled_from([[], [], [], ["UseTexts", "SeparatorTab"], ["IncludeTitle"], ["x"]])
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=6), st.sampled_from(VARIABLES + CODES)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["selection", "placement", "variableCode", "valueCodes", "codelist", "stub"]), inner
        ),
    ),
    max_leaves=12,
)
often = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
CELLS: dict[str, dict[Any, Any]] = {}


def is_told_the_truth(response: Any, table_id: str) -> bool:
    """Whether an answer is a problem, or holds nothing but published cells; True if it has figures."""
    assert response.status_code in (200, 400, 404), response.content
    if response.status_code != 200:
        assert response["Content-Type"] == "application/problem+json" and set(response.json()) > {"title", "detail"}
        return False
    if response["Content-Type"].startswith("text/csv"):
        return True
    dataset = json.loads(response.content)
    assert broken_rules(dataset, with_figures=True) == []
    stored = CELLS.setdefault(table_id, stored_cells(table_id))
    left_out = {name for name in table_id.removeprefix("all-").split("-")[:-1] if name not in (*dataset["id"], "total")}
    totals = {(name, "_T") for name in left_out}
    for place, value in cells_of_jsonstat(dataset).items():
        assert stored.get(place | totals, "..") == value
    return True


@given(asked, placements, outputs, parameters)
@often
def test_any_query_gives_published_cells_or_a_problem(evaluator, selection, placement, output, names):
    table_id, codes = selection
    query = {f"valuecodes[{name}]": ",".join(of_name) for name, of_name in codes.items()}
    query |= {"stub": ",".join(placement[0]), "heading": placement[1]}
    query |= {"outputFormat": output, "outputFormatParams": names}
    is_told_the_truth(evaluator.get(f"/tables/{table_id}/data", query), table_id)


@given(asked)
@often
def test_any_selection_in_a_body_gives_published_cells_or_a_problem(evaluator, selection):
    table_id, codes = selection
    body = {"selection": [{"variableCode": name, "valueCodes": of_name} for name, of_name in codes.items()]}
    told = is_told_the_truth(evaluator.post(f"/tables/{table_id}/data", body), table_id)
    if told:
        csv = evaluator.post(f"/tables/{table_id}/data", body, {"outputFormat": "csv"}).content.decode()
        dataset = evaluator.post(f"/tables/{table_id}/data", body).json()
        px = dataset["extension"]["px"]
        assert cells_of_csv(csv, px["stub"], px["heading"]) == cells_of_jsonstat(dataset)


@given(st.sampled_from(list(OWN)), anything)
@often
def test_any_json_body_gives_published_cells_or_a_problem(evaluator, table_id, body):
    is_told_the_truth(evaluator.post(f"/tables/{table_id}/data", json.dumps(body)), table_id)


text = st.text(st.characters(codec="utf-8"), max_size=12)
pairs = st.lists(st.tuples(text, text), max_size=3)


@given(pairs, text)
@settings(often, max_examples=60)
def test_any_query_and_any_address_below_the_base_are_answered(evaluator, query, path):
    for where in ("/tables/total-month/metadata", f"/{quote(path)}", f"/tables/{quote(path)}/data"):
        assert evaluator.get(where, query).status_code in (200, 400, 404)


def test_the_oracle_sees_a_number_that_is_not_published(evaluator):
    """The control: a figure of five more is caught."""
    response = evaluator.get("/tables/total-month/data")
    dataset = response.json()
    dataset["value"][0] += 5
    response._container = [json.dumps(dataset).encode()]
    try:
        is_told_the_truth(response, "total-month")
    except AssertionError:
        return
    raise AssertionError("a number that is no published cell went unseen")
