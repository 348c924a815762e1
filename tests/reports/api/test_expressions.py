"""Every form of expression, on a class variable and on time."""

import pytest

from reports.api.expressions import expand
from reports.api.refusals import Refused

CODES = ("_T", "anhorig", "yrkes", "van_10", "Van_11", "_U")
TIME = ("2015K4", "2016K1", "2016K2", "2016K3", "2016K4")


@pytest.mark.parametrize(
    ("item", "codes"),
    [
        ("anhorig", ["anhorig"]),
        ("ANHORIG", ["anhorig"]),
        (" _t ", ["_T"]),
        ("*", list(CODES)),
        ("**", list(CODES)),
        ("van*", ["van_10", "Van_11"]),
        ("*1", ["Van_11"]),
        ("*N_1*", ["van_10", "Van_11"]),
        ("*nothing*", []),
        ("??", ["_T", "_U"]),
        ("VAN_1?", ["van_10", "Van_11"]),
        ("?", []),
        ("top(2)", ["_T", "anhorig"]),
        ("TOP( 2 , 1 )", ["anhorig", "yrkes"]),
        ("top(99)", list(CODES)),
        ("top(1,99)", []),
        ("bottom(2)", ["Van_11", "_U"]),
        ("Bottom(2,1)", ["van_10", "Van_11"]),
        ("bottom(99,5)", ["_T"]),
        ("bottom(3,99)", []),
        ("range(anhorig,van_10)", ["anhorig", "yrkes", "van_10"]),
        ("RANGE(VAN_10, ANHORIG)", ["anhorig", "yrkes", "van_10"]),
        ("from(van_11)", ["Van_11", "_U"]),
        ("to(anhorig)", ["_T", "anhorig"]),
    ],
)
def test_an_expression_selects_in_table_order(item, codes):
    assert expand(item, CODES, is_time=False) == codes


@pytest.mark.parametrize(
    ("item", "codes"),
    [
        ("top(1)", ["2016K4"]),
        ("top(2)", ["2016K3", "2016K4"]),
        ("top(2,1)", ["2016K2", "2016K3"]),
        ("top(99)", list(TIME)),
        ("bottom(2)", ["2015K4", "2016K1"]),
        ("bottom(2,1)", ["2016K1", "2016K2"]),
        ("from(2016k3)", ["2016K3", "2016K4"]),
        ("to(2016K1)", ["2015K4", "2016K1"]),
        ("range(2016K2,2016K1)", ["2016K1", "2016K2"]),
        ("2016*", ["2016K1", "2016K2", "2016K3", "2016K4"]),
        ("201?K4", ["2015K4", "2016K4"]),
    ],
)
def test_on_time_the_top_is_the_latest_and_stands_in_ascending_order(item, codes):
    assert expand(item, TIME, is_time=True) == codes


@pytest.mark.parametrize(
    "item",
    [
        *("a*b", "***", "*a*b*", "a**", "*?", "?*", "top()", "top(0)", "top(-1)", "top(a)", "top(1,2,3)", "top(1,)"),
        *("bottom(1.5)", "range(_T)", "range(_T,_U,_T)", "from()", "to(_T,_U)", "sum(_T)", "top 1)", "(", "a[b]"),
        *("top(٣)", "top(9999999999)"),
    ],
)
def test_what_is_no_form_is_refused(item):
    with pytest.raises(Refused) as refused:
        expand(item, CODES, is_time=False)
    assert refused.value.title == "Illegal selection expression" and refused.value.status == 400


@pytest.mark.parametrize("item", ["nobody", "", "2016K5", "from(nobody)", "to(nobody)", "range(_T,nobody)", "top"])
def test_a_code_that_the_variable_lacks_is_refused_and_not_repeated(item):
    with pytest.raises(Refused) as refused:
        expand(item, CODES, is_time=False)
    assert refused.value.title == "Non-existent value" and "nobody" not in refused.value.detail


def test_a_code_is_tried_before_an_expression():
    assert expand("top(1)", ("a", "top(1)"), is_time=False) == ["top(1)"]
