"""Tables made by hand, for the writers: small enough to know every cell."""

from datetime import date

import pytest

from reports.catalogue import TABLES
from reports.disclosure.protect import HIDDEN
from reports.periods import parse
from reports.published_table import Dimension, PublishedTable

QUARTERS = {period.time_code: period for period in map(parse, ("2026-Q1", "2026-Q2", "2026-Q3"))}
CONTENTS, TIME = Dimension("ContentsCode", ("kontakter",)), Dimension("Tid", tuple(QUARTERS))


def made(table: str, dimensions: tuple[Dimension, ...], values: list) -> PublishedTable:
    return PublishedTable(TABLES[table], dimensions, tuple(values), QUARTERS, date(2026, 10, 20), "digest")


@pytest.fixture
def roles() -> PublishedTable:
    """Five codes by three quarters, two cells of them hidden."""
    codes = Dimension("caller_role_3", ("_T", "anhorig", "yrkes", "ovriga", "_U"))
    values = [410, 365, 440, 255, 230, 285, 120, HIDDEN, 110, 35, HIDDEN, 45, 5, 10, 15]
    return made("caller_role_3-quarter", (codes, CONTENTS, TIME), values)


@pytest.fixture
def crossed() -> PublishedTable:
    """Two variables and one quarter: 2 by 3 cells, the number of each telling its place."""
    dimensions = (Dimension("caller_role_3", ("_T", "yrkes")), Dimension("gender", ("_T", "k", "m")), CONTENTS)
    return made("caller_role_3-gender-quarter", (*dimensions, Dimension("Tid", ("2026K2",))), [5, 10, 15, 20, 25, 30])


@pytest.fixture
def total() -> PublishedTable:
    """No class variable, two contents."""
    contents = Dimension("ContentsCode", ("kontakter", "hanvisningar"))
    return made("total-quarter", (contents, TIME), [50, 55, 60, HIDDEN, 5, 10])
