"""The least and greatest values that fit what a reader is told."""

import numpy as np
import pytest

from reports.disclosure.patterns import U4_ALL, Pattern, Relation
from reports.disclosure.program import NO_LIMIT, Contradiction, Number, Program, Span, Sum, Sums, Told

YES, NO = (Pattern("U4", (("answer", code),)) for code in ("yes", "no"))
SPLIT = Relation(((1, U4_ALL), (-1, YES), (-1, NO)), is_equal=True)
COUNTS = {U4_ALL: [10, 12], YES: [9, 8], NO: [1, 4]}
ALL, FIRST = Span(0, 2), Span(0, 1)


def program(*told: Told, cuts=(0, 2), relations=(SPLIT,), asked=()) -> Program:
    return Program(COUNTS, cuts, relations, told, asked)


def interval(one: Program, about: Sum) -> tuple[float, float]:
    sums = Sums([about], one)
    ends = [one.lowest(sign * sums.costs(np.array([True]), len(one.truth))) for sign in (1, -1)]
    return tuple(round(float(sums.at(end)[0]), 6) for end in ends)


def shown(pattern: Pattern, value: int, span: Span = ALL) -> Told:
    return Told(Sum(pattern, span), max(value - 4, 5), value + 4, Number(value, pattern))


def test_what_nobody_tells_of_can_be_nothing_or_far_more_than_there_is():
    least, most = interval(program(), Sum(NO, ALL))
    assert least == 0 and most > 100


def test_a_whole_and_one_part_leave_the_other_what_is_between_them():
    assert interval(program(shown(U4_ALL, 25), shown(YES, 15)), Sum(NO, ALL)) == (2, 18)


def test_the_months_of_the_whole_bound_a_part_of_the_longer_span():
    told = [shown(U4_ALL, 10, FIRST), shown(U4_ALL, 10, Span(1, 2))]
    assert interval(program(*told), Sum(YES, ALL)) == (0, 28)


def test_a_proof_names_the_numbers_without_which_the_end_would_lie_further_out():
    whole, part, other = shown(U4_ALL, 25), shown(YES, 15), Told(Sum(NO, ALL), 0, NO_LIMIT)
    one = program(whole, part, other)
    assert interval(one, Sum(NO, ALL))[1] == 18
    assert set(one.proof()) == {whole, part}
    one.forget(part)
    assert interval(one, Sum(NO, ALL)) == (0, 29)


def test_a_usual_relation_counts_only_where_the_records_keep_it():
    usual = Relation(((1, YES), (-1, NO)), is_equal=True, is_usual=True)
    kept = Program({YES: [3], NO: [3], U4_ALL: [6]}, (0, 1), [SPLIT, usual], [shown(YES, 5, FIRST)], ())
    assert interval(kept, Sum(NO, FIRST)) == (5, 9)
    broken = Program({YES: [6], NO: [3], U4_ALL: [9]}, (0, 1), [SPLIT, usual], [shown(YES, 5, FIRST)], ())
    assert interval(broken, Sum(NO, FIRST))[0] == 0


def test_what_contradicts_itself_is_refused():
    with pytest.raises(Contradiction):
        program(shown(U4_ALL, 10), shown(YES, 40)).lowest(np.zeros(4))


def test_a_cap_ends_with_its_block():
    one = program(shown(U4_ALL, 25), asked=[Sum(NO, ALL)])
    with one.capped([Sum(NO, ALL)], 4):
        assert interval(one, Sum(NO, ALL)) == (0, 4)
    assert interval(one, Sum(NO, ALL)) == (0, 29)


def test_a_span_that_lies_across_the_blocks_is_no_sum():
    with pytest.raises(KeyError):
        program().factors(Sum(YES, FIRST))
    assert set(program().factors(Sum(U4_ALL, FIRST)).values()) == {1.0}
