"""Rows for the tests of row files: those of a made-up year, as the file is made of them and as somebody knew them."""

from collections import Counter
from datetime import date
from functools import cache

import numpy as np

from helpline import synthetic
from helpline.entries import ContactEntry
from helpline.taxonomy import CODE_LISTS
from reports.disclosure.microdata import Tally
from reports.disclosure.row_variables import MAINS, QUASIS, SOURCES, place_of

YEAR = 2025


@cache
def year_of(contacts_a_month: int) -> Counter[tuple[int, ...]]:
    """The relevant contacts of a made-up year, by place."""
    since, until = date(YEAR, 1, 1), date(YEAR + 1, 1, 1)
    made = synthetic.entries(seed=1, since=since, until=until, contacts_a_month=contacts_a_month)
    return Counter(_place(entry) for _key, entry in made if entry.code("result") == "relevant")


def _place(entry: ContactEntry) -> tuple[int, ...]:
    codes = []
    for name in SOURCES:
        of_list = CODE_LISTS[name]
        answer = of_list.group_of(entry.answers[of_list.groups]) if of_list.groups else entry.answers[name]
        codes.append(answer if of_list.multiple else next(iter(answer)))
    return place_of(entry.day.month, *codes)


def skewed(n: int, seed: int = 1) -> Tally:
    """n rows in which low codes are frequent and high ones rare, drawn independently: as scattered as can be."""
    rng = np.random.default_rng(seed)
    sizes = [len(quasi.levels[0].codes) for quasi in QUASIS] + [len(MAINS), 2]
    columns = [np.minimum(rng.exponential(size / 4, n).astype(np.int64), size - 1) for size in sizes]
    distinct, counts = np.unique(np.ravel_multi_index(columns, sizes), return_counts=True)
    return Tally(np.stack(np.unravel_index(distinct, sizes), axis=1), counts)
