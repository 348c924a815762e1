"""T9: no answer tells a clock, a day of a contact or an order; T2: every format and page says the same."""

from html.parser import HTMLParser

import pytest
from django.utils import timezone

from tests.attacks.conftest import Stage
from tests.attacks.crawl import Key
from tests.attacks.scope import Scope, tell
from tests.attacks.traces import DRAWN, PAGES, traces
from tests.rows import put

pytestmark = pytest.mark.django_db


def test_no_answer_tells_a_time_or_an_order(request, stage: Stage):
    days = {timezone.localdate().isoformat()}  # of the release
    found = {
        address: one for address, (headers, body) in stage.crawl.answers.items() if (one := traces(headers, body, days))
    }
    tell(request, "T9", stage.world.name, answers=len(stage.crawl.answers), findings=len(found))
    assert len(stage.crawl.answers) > 100
    assert not found, list(found.items())[:5]


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("X-Served-Day", b""),
        ("Last-Modified", b""),
        ("ETag", b'{"logged": "2019-03-04"}'),
        ("ETag", b'{"at": "09:41"}'),
        ("ETag", b'{"id": 17}'),
        ("ETag", b"6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        ("ETag", b'{"at": 1556668800}'),
    ],
)
def test_an_answer_that_tells_one_is_found(header, body):
    assert traces({header: "x"}, body, days=())


class Sheets(HTMLParser):
    """The texts of the cells of each table of figures on a page, by what it counts: rows of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.of, self.inside = "", False

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "table":
            self.of = given.get("data-contents", "")
            self.rows.setdefault(self.of, [])
        elif tag == "tr" and self.of:
            self.rows[self.of].append([])
        elif tag == "td" and self.of:
            self.rows[self.of][-1].append("")
        if tag in ("td", "th", "tr"):
            self.inside = tag == "td" and bool(self.of)

    def handle_endtag(self, tag):
        if tag == "td":
            self.inside = False
        elif tag == "table":
            self.of = ""

    def handle_data(self, data):
        if self.inside:
            self.rows[self.of][-1][-1] += data.strip()


def test_pages_and_files_show_the_same_cells(request, stage: Stage, attacks: Scope, browser_of_evaluator):
    put(stage.kept)
    tables = [table for table in stage.crawl.tables if not table.startswith("traffic")]
    days = {timezone.localdate().isoformat()}
    compared, unequal, found = 0, list(stage.crawl.unequal), list[str]()
    for where in PAGES:
        found += traces({}, DRAWN.sub(b"", browser_of_evaluator.get(where).content), days)
    for table in tables[:: max(1, len(tables) // attacks["pages of tables"])]:
        page = browser_of_evaluator.get(f"/statistics/{table}/")
        assert page.status_code == 200
        found += traces({}, DRAWN.sub(b"", page.content), days)
        sheets = Sheets()
        sheets.feed(page.content.decode())
        for contents, rows in sheets.rows.items():
            if contents:
                shown, known = [row for row in rows if row], on_page(stage, table, contents)
                compared += sum(len(row) for row in known)
                cut = [row[: len(of)] for row, of in zip(shown, known, strict=True)]
                if cut != known:
                    unequal.append(f"{table}: {contents}")
    tell(request, "T2", stage.world.name, cells_on_pages=compared, unequal=len(unequal))
    assert compared > 100 and not unequal, unequal[:5]
    assert not found, found[:5]


def on_page(stage: Stage, table: str, contents: str) -> list[list[str]]:
    """The cells of a table as a page lays them out: by period; a code in each row and up to four periods side by side;
    or two variables, the last period."""
    family = table.rpartition("-")[0]
    kinds = {p.time_code: p.kind.replace("-", "") for p in stage.world.periods}
    known = [key for key in stage.crawl.cells if key.family == family and kinds[key.time] == table.rpartition("-")[2]]
    times = list(dict.fromkeys(key.time for key in known))
    axes = list(stage.crawl.variables[family].values())

    def cell(codes: tuple[str, ...], of: str, time: str) -> str:
        value = stage.crawl.cells[Key(family, codes, of, time)]
        return ".." if value is None else f"{value:,}"

    if not axes:
        names = list(dict.fromkeys(key.contents for key in known))
        return [[cell((), name, time) for name in names] for time in times[-12:]]
    if len(axes) == 1:
        return [[cell((code,), contents, time) for time in times[-4:]] for code in axes[0]]
    return [[cell((one, other), contents, times[-1]) for other in axes[1]] for one in axes[0]]
