"""What a request selects of a table, and where it is placed."""

import pytest

from reports.api.query import Query
from reports.api.refusals import Refused
from reports.api.selection import Asked, default_codes, read_body, read_query, select
from reports.formats.layout import Layout
from reports.published_table import Dimension

TIME = Dimension("Tid", tuple(f"2016M{n:02}" for n in range(1, 13)) + ("2017M01", "2017M02"))
ONE, TWO = Dimension("ContentsCode", ("kontakter",)), Dimension("ContentsCode", ("kontakter", "hanvisningar"))
GENDER, AGE = Dimension("gender", ("_T", "k", "m")), Dimension("age_2", ("_T", "under18"))
ALL = {"ContentsCode": ["*"], "Tid": ["*"]}


def refusal(asked: Asked, *dimensions: Dimension, **rest: int) -> str:
    with pytest.raises(Refused) as refused:
        select(asked, dimensions, **rest)
    return refused.value.title


def test_codes_stand_in_table_order_and_once_whatever_the_order_of_the_items():
    asked = Asked(ALL | {"gender": ["m", "k", "K", "*"], "TIME": ["2017M02", "2016M01"], "Tid": ["top(1)"]})
    chosen = select(asked, (GENDER, ONE, TIME))
    assert chosen.codes == {
        "gender": ("_T", "k", "m"),
        "ContentsCode": ("kontakter",),
        "Tid": ("2016M01", "2017M02"),
    }
    assert list(chosen.codes) == ["gender", "ContentsCode", "Tid"]


def test_a_class_variable_may_be_left_out_but_neither_contents_nor_time():
    assert list(select(Asked(ALL), (GENDER, AGE, ONE, TIME)).codes) == ["ContentsCode", "Tid"]
    assert list(select(Asked(ALL | {"gender": []}), (GENDER, ONE, TIME)).codes) == ["ContentsCode", "Tid"]
    assert list(select(Asked(ALL | {"gender": ["x*"]}), (GENDER, ONE, TIME)).codes) == ["ContentsCode", "Tid"]
    for missing in ({"ContentsCode": ["*"]}, {"Tid": ["*"]}, ALL | {"Tid": []}, ALL | {"Tid": ["x*"]}):
        assert refusal(Asked(missing), GENDER, ONE, TIME) == "Missing selection for mandantory variable"


def test_a_variable_or_code_list_that_there_is_not_is_refused():
    assert refusal(Asked(ALL | {"age_2": ["*"]}), GENDER, ONE, TIME) == "Non-existent variable"
    assert refusal(Asked(ALL, with_codelist=["gender"]), GENDER, ONE, TIME) == "Non-existent codelist"
    assert refusal(Asked({}, with_codelist=["gender"]), GENDER, ONE, TIME) == "Non-existent codelist"
    assert refusal(Asked(ALL, with_codelist=["age_2"]), GENDER, ONE, TIME) == "Non-existent variable"


def test_the_budget_is_the_product_of_the_codes():
    everything = Asked(ALL | {"gender": ["*"], "age_2": ["*"]})
    cells = 3 * 2 * 2 * 14
    assert select(everything, (GENDER, AGE, TWO, TIME), most_cells=cells)
    assert refusal(everything, GENDER, AGE, TWO, TIME, most_cells=cells - 1) == "Too many cells selected"


# --- placement --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stub", "heading", "layout"),
    [
        ([], [], Layout(("gender",), ("ContentsCode", "Tid"))),
        (["Tid"], ["gender", "ContentsCode"], Layout(("Tid",), ("gender", "ContentsCode"))),
        (["TIME"], [], Layout(("Tid",), ("gender", "ContentsCode"))),
        ([], ["gender"], Layout(("ContentsCode", "Tid"), ("gender",))),
        (["Tid", "GENDER", "contentscode"], [], Layout(("Tid", "gender", "ContentsCode"), ())),
    ],
)
def test_one_given_half_leaves_the_rest_to_the_other(stub, heading, layout):
    asked = Asked(ALL | {"gender": ["*"]}, stub=stub, heading=heading)
    assert select(asked, (GENDER, ONE, TIME)).layout == layout


@pytest.mark.parametrize(
    ("stub", "heading"),
    [
        (["gender"], ["Tid"]),  # contents nowhere
        (["gender", "Tid"], ["Tid", "ContentsCode"]),  # time twice
        (["gender", "gender"], []),
        (["age_2"], []),  # not selected
        (["nothing"], []),
    ],
)
def test_a_placement_that_is_not_of_the_selected_variables_is_refused(stub, heading):
    asked = Asked(ALL | {"gender": ["*"]}, stub=stub, heading=heading)
    assert refusal(asked, GENDER, AGE, ONE, TIME) == "Illegal placment"


def test_without_class_variables_the_contents_stand_in_the_rows():
    assert select(Asked(ALL), (GENDER, ONE, TIME)).layout == Layout(("ContentsCode",), ("Tid",))


def test_a_default_selection_can_be_placed_too():
    assert select(Asked(stub=["Tid"]), (GENDER, ONE, TIME)).layout == Layout(("Tid",), ("gender", "ContentsCode"))


# --- default selection ------------------------------------------------------------------------------------------------


def test_the_default_selection_is_that_of_the_reference_server():
    latest = {"Tid": TIME.codes[-13:]}
    last = {"Tid": ("2017M02",)}
    assert default_codes((TWO, TIME)) == {"ContentsCode": TWO.codes} | latest
    assert default_codes((GENDER, ONE, TIME)) == {"gender": GENDER.codes, "ContentsCode": ONE.codes} | latest
    assert default_codes((GENDER, TWO, TIME)) == {"gender": GENDER.codes, "ContentsCode": TWO.codes} | last
    assert default_codes((GENDER, AGE, TWO, TIME)) == {
        **{"gender": GENDER.codes, "age_2": AGE.codes, "ContentsCode": ("kontakter",)},
        **last,
    }


# --- from the request -------------------------------------------------------------------------------------------------


def test_a_query_is_read_as_it_is_written():
    pairs = [("valueCodes[Gender]", "k,m"), ("valuecodes[GENDER]", "_T"), ("codelist[age]", "x"), ("codelist[b]", "")]
    asked = read_query(Query([*pairs, ("stub", "a,b"), ("heading", "c")]))
    assert asked == Asked({"gender": ["k", "m", "_T"]}, ["age"], ["a", "b"], ["c"])


def test_a_body_is_read_with_the_code_lists_of_its_query():
    body = {
        "selection": [
            {"variableCode": "gender", "valueCodes": ["k"], "codelist": None},
            {"variableCode": "gender", "valueCodes": ["m"]},
            {"variableCode": "age", "valueCodes": ["*"], "codelist": "vs_age"},
        ],
        "placement": {"stub": ["gender"], "heading": ["age"]},
    }
    asked = read_body(body, Query([("codelist[gender]", "agg_x"), ("valuecodes[gender]", "ignored")]))
    assert asked == Asked({"gender": ["k", "m"], "age": ["*"]}, ["gender", "age"], ["gender"], ["age"])


@pytest.mark.parametrize(
    "body",
    [
        *([], "text", 7, True, {"selection": {}}, {"selection": ["gender"]}, {"placement": []}),
        *({"selection": [{"variableCode": 1}]}, {"selection": [{"variableCode": "a", "valueCodes": "k"}]}),
        *({"selection": [{"variableCode": "a", "valueCodes": [1]}]}, {"placement": {"stub": "a"}}),
        {"selection": [{"variableCode": "a", "codelist": {}}]},
    ],
)
def test_a_body_of_another_shape_is_refused(body):
    with pytest.raises(Refused) as refused:
        read_body(body, Query([]))
    assert refused.value.title == "Illegal body"
