"""Where the dimensions of a table stand, and its values in that order."""

from itertools import permutations, product

from reports.formats.layout import Layout, usual_layout, values_in


def test_class_variables_stand_in_the_rows_contents_and_time_in_the_columns():
    assert usual_layout(["a", "b", "ContentsCode", "Tid"]) == Layout(("a", "b"), ("ContentsCode", "Tid"))


def test_without_class_variables_there_are_still_rows_and_columns():
    assert usual_layout(["ContentsCode", "Tid"]) == Layout(("ContentsCode",), ("Tid",))


def test_the_values_follow_the_layout_whatever_it_is(crossed, roles):
    for table in (crossed, roles):
        ids = [dimension.id for dimension in table.dimensions]
        codes = {dimension.id: dimension.codes for dimension in table.dimensions}
        for order in permutations(ids):
            layout = Layout(order[:2], order[2:])
            places = [dict(zip(order, place, strict=True)) for place in product(*(codes[name] for name in order))]
            assert values_in(table, layout) == [table.value(**place) for place in places]


def test_the_usual_layout_changes_no_order(roles):
    assert values_in(roles, usual_layout([d.id for d in roles.dimensions])) == list(roles.values)
