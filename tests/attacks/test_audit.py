"""T1: by all that is published together, no figure below five is known to be anything but below five."""

from collections.abc import Mapping

import pytest

from reports import release
from reports.catalogue import TABLES
from reports.disclosure import protect, tabulate
from reports.disclosure.protect import HIDDEN, Parameters
from reports.models import StatRecord
from tests.attacks import audit, crossed, row_files, worlds
from tests.attacks.bounds import Audit
from tests.attacks.conftest import Stage
from tests.attacks.crawl import Key
from tests.attacks.lattice import CONTACTS
from tests.attacks.scope import BY_HAND, WORLDS, Scope, tell
from tests.rows import put


def audited(stage: Stage, published: Mapping[Key, int | None], *, triples: bool = False, enough: bool = False) -> Audit:
    """Of every lattice; with `enough`, until one has a finding."""
    found, world = Audit(), stage.world
    margins = row_files.margins(stage.files, stage.crawl.variables)
    for one in crossed.lattices(stage.crawl.variables, triples=triples):
        audit.audit(found, one, world.months, world.periods, published, world.rows, margins)
        if enough and found.findings:
            break
    return found


def test_nothing_hidden_is_found_by_all_figures_together(request, stage: Stage, attacks: Scope):
    assert len(attack(request, stage, attacks).small) > 500


def test_nor_by_figures_and_the_rows_of_a_file(request, stage_with_file: Stage, attacks: Scope):
    assert row_files.margins(stage_with_file.files, stage_with_file.crawl.variables)
    assert attack(request, stage_with_file, attacks).small


def attack(request: pytest.FixtureRequest, stage: Stage, attacks: Scope) -> Audit:
    found = audited(stage, stage.crawl.cells, triples=attacks.name == "all")
    shares = found.shares()
    figures = {f"share_{what}": share for what, share in shares.items()}
    tell(request, "T1", stage.world.name, small=len(found.small), big=len(found.big), **figures)
    tell(request, "T1", stage.world.name, unsound=len(found.unsound), programs=found.programs, seconds=found.seconds)
    assert not found.unsound and not found.impossible
    assert not found.findings, [*found.findings.values()][:5]
    assert not found.big_exact, [*found.big_exact][:5]
    return found


def test_a_table_is_there_only_where_its_total_is_shown(stage: Stage):
    """Which tables are admitted follows from the published total: where that is hidden, they would tell it."""
    cells = stage.crawl.cells
    shown = {(key.family, key.time) for key, value in cells.items() if value is not None and key.family != "traffic"}
    totals = {
        (family, Key("all-total" if family.startswith("all-") else "total", (), CONTACTS, t)) for family, t in shown
    }
    assert shown and [(family, total) for family, total in totals if cells.get(total) is None] == []


def test_who_takes_the_symbol_for_less_than_five_hits_no_more(request, drawn_stage: Stage):
    """Not by hand: one caller fills hidden cells of five and more there, the belief is wrong, and hits are luck."""
    found, world, cells = audit.Gamble(), drawn_stage.world, drawn_stage.crawl.cells
    for one in crossed.lattices(drawn_stage.crawl.variables, triples=False):
        audit.gamble(found, one, world.months, world.periods, cells, world.rows)
    share = found.right / max(found.small, 1)
    tell(request, "T1", world.name, gambler_right=share, gambler_wrong=found.wrong, contradicted=found.impossible)
    assert share <= 0.01


# --- the gate switched off ------------------------------------------------------------------------------------------

UNGATED = WORLDS["short"][0]


@pytest.mark.django_db
def test_without_the_gate_figures_below_five_are_found(stages, tmp_path):
    """The same records, protected by every rule but the gate."""
    stage = stages[UNGATED]
    put([row for row in stage.kept if not isinstance(row, worlds.Release | worlds.PublishedCell)])
    assert StatRecord.objects.exists()
    published = ungated(stage, b"a key of 32 bytes, for this test.")
    found = audited(stage, published, enough=True)
    assert found.findings and not found.unsound


def ungated(stage: Stage, key: bytes) -> dict[Key, int | None]:
    """What the rules without the gate publish."""
    rule, published = Parameters(), {}
    for period in stage.world.periods:
        records = list(release.records_of(period))
        tables = [table for table in TABLES.values() if table.period == period.kind and not table.counts_calls]
        done = {table: tabulate.tabulate(table, records) for table in tables}
        totals = {t.base: protect.published(done[t].cells[()], t, key, rule) for t in tables if not t.variables}
        for table in tables:
            cells = protect.protect(done[table], totals[table.base]["kontakter"], key, rule) or {}
            for codes, values in cells.items():
                for contents, value in values.items():
                    at = Key(table.id.rpartition("-")[0], codes, contents, period.time_code)
                    published[at] = None if value is HIDDEN else value
    return published


@pytest.mark.django_db
def test_the_data_made_by_hand_hold_what_a_secret_is_lost_by_first(stages):
    stage = stages[BY_HAND]
    months = [row["day"][5:7] for row in stage.world.relevant]
    assert months.count("04") == 1  # a month of one contact
    regions = [row["county"] for row in stage.world.relevant]
    assert regions.count("23") == 1 and "24" not in regions  # a region of one, and an empty one
    five = [row for row in stage.world.relevant if row["concerns"] == "hot"]
    assert len(five) == 5 and {row["first_contact"] for row in five} == {"nej"}
    in_april = {row["gender"] for row in stage.world.relevant if row["day"][5:7] == "04"}
    assert in_april == {"m"}  # all of a month have one code
