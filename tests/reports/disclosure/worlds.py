"""Owns made-up years without a database: their records by month, their true counts, and the releases of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from random import Random

from helpline import synthetic, taxonomy
from helpline.code_files import NOT_APPLICABLE
from helpline.entries import ContactEntry
from helpline.taxonomy import CODE_LISTS
from reports import counting
from reports.catalogue import ONE_WAY, TABLES, TWO_WAY, VARIABLES, Table
from reports.disclosure import gate
from reports.disclosure.gate import Cell, Issue
from reports.disclosure.patterns import Pattern, pattern_of
from reports.disclosure.program import Span
from reports.disclosure.protect import HIDDEN, Parameters, protect, published
from reports.disclosure.search import Audit
from reports.disclosure.tabulate import KEY_BITS, Record, tabulate

RULE = Parameters()
MONTHS = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}
STEPS = ("forsta", "andra", "tredje_plus", "utan_nummer")
AXES = [tuple(VARIABLES[name] for name in names.split("-")) for names in (*ONE_WAY, *TWO_WAY)]
ONCE = [Table(base, (), "year") for base in ("U3", "U4")] + [Table(axes[0].base, axes, "year") for axes in AXES]


def records_by_month(seed: int, contacts_a_month: int, months: int = 12) -> list[list[Record]]:
    """The frozen records of the demonstration's contacts, with steps of cases drawn apart."""
    chance = Random(seed)  # noqa: S311 (no secret)
    found: list[list[Record]] = [[] for _ in range(months)]
    until = date(2026, 1, 1) if months == 12 else date(2025, months + 1, 1)
    made = synthetic.entries(seed=seed, since=date(2025, 1, 1), until=until, contacts_a_month=contacts_a_month)
    for _, entry in made:
        found[entry.day.month - 1].append(_record(entry, chance))
    return found


def _record(entry: ContactEntry, chance: Random) -> Record:
    codes = taxonomy.complete(entry.answers)
    is_relevant = codes["result"] == {taxonomy.RELEVANT}
    targets = [referral.target for referral in entry.referrals]
    balance = counting.balance(codes["needs"], targets) if is_relevant else NOT_APPLICABLE
    groups = {name for name, v in VARIABLES.items() if CODE_LISTS[name].groups and not v.of_referral}
    codes |= {name: CODE_LISTS[name].group_of(codes[VARIABLES[name].source]) for name in groups}
    codes |= {"case_step": frozenset({chance.choice(STEPS)}), "balance": frozenset({balance})}
    referrals = [
        {
            "referral_target": referral.target,
            "referral_target_6": next(iter(CODE_LISTS["referral_target_6"].group_of(frozenset({referral.target})))),
            "referral_type": referral.type,
            "referral_outcome": referral.outcome,
        }
        for referral in entry.referrals
    ]
    is_first = "ja" in codes["first_contact"]
    return Record(chance.getrandbits(KEY_BITS), is_relevant, is_first, codes, tuple(referrals) if is_relevant else ())


def counts_of(months: Sequence[Sequence[Record]]) -> dict[Pattern, list[int]]:
    """The true numbers of every pattern of the catalogue, by month."""
    counts: dict[Pattern, list[int]] = {}
    for table in ONCE:
        cells = [tabulate(table, records).cells for records in months]
        for codes in cells[0]:
            for contents in table.contents:
                of = [
                    cell[codes].n_referrals if contents == "hanvisningar" else cell[codes].contacts.n for cell in cells
                ]
                counts[pattern_of(table, codes, contents)] = of
    return counts


def issue(months: Sequence[Sequence[Record]], kind: str, span: Span, key: bytes) -> Issue:
    """What a release of these months says before the gate."""
    records = [record for of_month in months[span.start : span.end] for record in of_month]
    tables = [table for table in TABLES.values() if table.period == kind and not table.counts_calls]
    totals = {
        t.base: published(tabulate(t, records).cells[()], t, key, RULE)["kontakter"] for t in tables if not t.variables
    }
    cells: dict[Pattern, list[Cell]] = {}
    axes = set()
    for table in tables:
        values = protect(tabulate(table, records), totals[table.base], key, RULE)
        for codes, of_cell in (values or {}).items():
            axes.add(table.variables)
            for contents, value in of_cell.items():
                threshold = RULE.k_own if table.own_threshold else RULE.k
                cell = Cell(None if value is HIDDEN else value, threshold, table.own_threshold)
                cells.setdefault(pattern_of(table, codes, contents), []).append(cell)
    return Issue(span, cells, frozenset(axes - {()}), RULE.k, RULE.base, k_first=RULE.k_first)


def spans_of(months: int) -> list[tuple[str, Span]]:
    """Every calendar period, in the order in which releases are made."""
    spans = [(k, Span(n, n + length)) for k, length in MONTHS.items() for n in range(0, months, length)]
    whole = [(kind, span) for kind, span in spans if span.end <= months]
    return sorted(whole, key=lambda one: (one[1].end, list(MONTHS).index(one[0])))


def released(months: Sequence[Sequence[Record]], counts: dict[Pattern, list[int]], *, gated: bool) -> list[Issue]:
    """The releases of every period, one after the other."""
    issues: list[Issue] = []
    for kind, span in spans_of(len(months)):
        candidate = replace(issue(months, kind, span, b"k" * 32), is_candidate=True)
        within = [one for one in issues if span.start <= one.span.start and one.span.end <= span.end]
        if gated and candidate.cells:
            found = gate.audit([*within, candidate], counts, [one for _, one in spans_of(len(months))])
            assert not found.standing
            candidate = without(candidate, found)
        issues.append(replace(candidate, is_candidate=False))
    return issues


def without(candidate: Issue, found: Audit) -> Issue:
    """The candidate, its withheld numbers hidden."""
    gone = set(found.withheld)
    hidden = {p: [replace(c, shown=None, is_own=False) for c in cs] for p, cs in candidate.cells.items() if p in gone}
    return replace(candidate, cells=dict(candidate.cells) | hidden)
