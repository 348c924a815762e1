"""The true counts behind published cells, recounted by the oracle from the rows that were brought in."""

from collections.abc import Iterable, Sequence

from reports.periods import Period
from tests import oracle
from tests.attacks.crawl import Crawl, Key
from tests.oracle import Count, Row

CONTACTS = "kontakter"


def counts(crawl: Crawl, rows: Sequence[Row], periods: Iterable[Period]) -> dict[Key, Count]:
    """What each crawled cell that counts contacts holds."""
    within = {period.time_code: oracle.within(list(rows), period.start, period.end) for period in periods}
    wanted = {(key.family, key.time) for key in crawl.cells if not key.family.startswith("traffic")}
    cells = {(family, time): oracle.cells(within[time], f"{family}-year") for family, time in wanted if time in within}
    return {
        key: cells[key.family, key.time].get(key.codes, Count())
        for key in crawl.cells
        if (key.family, key.time) in cells
    }


def number(key: Key, count: Count) -> int:
    return count.contacts if key.contents == CONTACTS else count.referrals
