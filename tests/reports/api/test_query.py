"""How the query of an address is read."""

import pytest

from reports.api.query import Query
from reports.api.refusals import Refused


def test_names_are_read_in_any_letter_case():
    query = Query([("OUTPUTFORMAT", "csv"), (" pageSize ", "5"), ("IncludeDiscontinued", "True")])
    assert query.text("outputFormat") == "csv" and query.number("pageSize", 20) == 5
    assert query.is_true("includeDiscontinued") and not query.is_true("defaultSelection")


def test_a_repeated_name_is_a_list_as_well_as_commas_are():
    query = Query([("outputFormatParams", "UseTexts"), ("outputformatparams", "IncludeTitle, ,SeparatorTab")])
    assert query.names("outputFormatParams") == ["UseTexts", "IncludeTitle", "SeparatorTab"]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a,b", ["a", "b"]),
        (" a , b ,", ["a", "b"]),
        ("[range(2026K1,2026K3)]", ["range(2026K1,2026K3)"]),
        ("[range(2026K1,2026K3)],2027K1", ["range(2026K1,2026K3)", "2027K1"]),
        ("range(2026K1,2026K3),top(2,1)", ["range(2026K1,2026K3)", "top(2,1)"]),
        ("[a]", ["a"]),
        ("", []),
    ],
)
def test_an_item_with_a_comma_stands_in_brackets_or_parentheses(text, items):
    assert dict(Query([("valuecodes[Tid]", text)]).keyed("valuecodes")) == {"tid": items}


@pytest.mark.parametrize("name", ["valuecodes", "valuecodes[]", "valuecodes[a", "valuecodes[a]b", "valuecodes[a][b]"])
def test_a_selection_without_a_variable_in_brackets_is_refused(name):
    with pytest.raises(Refused) as refused:
        list(Query([(name, "a")]).keyed("valuecodes"))
    assert refused.value.title == "Illegal selection expression"


def test_other_names_are_nobodys_business():
    assert list(Query([("valuecodesx[a]", "b"), ("outputvalues[a]", "single")]).keyed("valuecodes")) == []


@pytest.mark.parametrize("text", ["ten", "1.5", "1e3", "9999999999", "٣", "0x10"])
def test_what_is_no_whole_number_is_refused(text):
    with pytest.raises(Refused):
        Query([("pageSize", text)]).number("pageSize", 20)


def test_the_language_is_swedish_unless_another_is_asked_for():
    assert Query([]).language() == "sv" and Query([("lang", "")]).language() == "sv"
    assert Query([("LANG", "EN")]).language() == "en"
    with pytest.raises(Refused, match="Unsupported language"):
        Query([("lang", "no")]).language()
