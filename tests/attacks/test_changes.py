"""T5: what is logged, changed or withdrawn moves nothing that is published. T12: a release is what its records and its
key make of it, and nothing else."""

import json
from collections.abc import Sequence
from datetime import date
from functools import partial
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from helpline import contacts
from helpline.entries import ContactEntry, ReferralEntry
from helpline.models import Contact
from reports import freeze, published, release
from reports.disclosure import protect, tabulate
from reports.disclosure.protect import HIDDEN, Parameters
from reports.models import Release
from reports.periods import containing
from tests.attacks import crawl, worlds
from tests.attacks.conftest import Stage, token_client
from tests.attacks.crawl import API, Crawl
from tests.attacks.scope import WORLDS, Scope, tell
from tests.attacks.traces import DRAWN, PAGES
from tests.attacks.worlds import YEAR
from tests.rows import put

pytestmark = pytest.mark.django_db

ANSWERS = {
    **dict(channel="telefon", result="relevant", length="15_29", caller_role="ideell", relation="slakt"),
    **dict(caller_gender="a", caller_adult="vuxen", first_contact="ja", concerns="resa", environment="islamistisk"),
    **dict(gang_overlap="ja", age="u15", gender="a", county="23", barriers="sprak", actions="akut", urgency="akut"),
    **dict(reports_made="oa_linje", awareness="tryck", language="ti", language_support="tolk"),
}
OPEN_DAY, CLOSED_DAY = date(YEAR + 1, 1, 14), date(YEAR, 5, 14)


def entry(day: date, **changed: str) -> ContactEntry:
    answers = {question: frozenset({code}) for question, code in (ANSWERS | changed).items()}
    return ContactEntry(day, answers, (ReferralEntry("social", "hanvisning"),))


def log(day: date) -> Contact:
    return contacts.log_contact(by=None, key=uuid4(), entry=entry(day), now=timezone.now(), today=timezone.localdate())


def seen(client, browser, tables: Sequence[str]) -> dict[str, tuple[object, bytes]]:
    """Bytes and headers of the lists, and of tables whole; bytes of pages, but for what is drawn."""
    found = Crawl()
    for address in (f"{API}?pageSize=1000", "/api/px/v2/config", "/api/v1/files/"):
        crawl.fetch(client, found, address)
    for page in (*PAGES, *(f"/statistics/{table}/" for table in tables)):
        found.answers[page] = {}, DRAWN.sub(b"", crawl.answer(browser, page).content)
    for table in tables:
        crawl.fetch(client, found, f"{API}/{table}/metadata")
        names = json.loads(found.answers[f"{API}/{table}/metadata"][1])["id"]
        crawl.fetch(client, found, f"{API}/{table}/data?" + "&".join(f"valueCodes[{name}]=*" for name in names))
    return found.answers


@pytest.fixture
def put_stage(stages) -> Stage:
    """One world, published, its last month followed by an open one."""
    stage = stages[WORLDS["short"][0]]
    put(stage.kept)
    return stage


def some_tables(stage: Stage, attacks: Scope) -> list[str]:
    tables = stage.crawl.tables
    return tables[:: max(1, len(tables) // attacks["tables before and after"])]


@pytest.mark.parametrize("day", [OPEN_DAY, CLOSED_DAY], ids=["open month", "closed month"])
def test_a_contact_moves_nothing_before_the_next_freeze_and_nothing_earlier_after_it(
    request, put_stage, attacks, day, tmp_path, browser_of_evaluator
):
    tables = some_tables(put_stage, attacks)
    watch = partial(seen, token_client("watcher"), browser_of_evaluator, tables)
    before, changed = watch(), []
    contact = log(day)
    changed.append(different(before, watch()))
    entry_now = entry(day, county="25", environment="gang")
    contact = contacts.amend_contact(contact, version=contact.version, entry=entry_now, today=timezone.localdate())
    changed.append(different(before, watch()))
    contacts.withdraw_contact(contact, version=contact.version)
    changed.append(different(before, watch()))
    log(day)
    january = containing("month", OPEN_DAY)
    freeze.freeze_month(january, today=timezone.localdate())
    worlds.publish([january], tmp_path / "keys")
    after = watch()
    earlier = {address: figures_until(body, YEAR) for address, (_, body) in before.items() if "/data?" in address}
    kept = {address: figures_until(after[address][1], YEAR) for address in earlier}
    moved = [address for address in earlier if earlier[address] != kept[address]]
    where = f"{day:%Y-%m}"
    tell(
        request,
        "T5",
        where,
        answers=len(before),
        changed_before_freeze=sum(map(len, changed)),
        changed_after=len(moved),
    )
    assert changed == [[], [], []] and not moved and len(earlier) >= 10


def different(before: dict, after: dict) -> list[str]:
    return [address for address in before if before[address] != after.get(address)]


def figures_until(body: bytes, year: int) -> dict[tuple[str, ...], int | None]:
    cells = crawl.cells_of_jsonstat(json.loads(body))
    return {place: value for place, value in cells.items() if int(place[-1][:4]) <= year}


def test_answers_computed_live_would_move(put_stage, monkeypatch, browser_of_evaluator):
    """The freeze switched off: each question counts the records and the contacts of this moment."""
    stored = published._stored

    def live(found, times):
        values = dict(stored(found, times))
        for edition in found.editions:
            period, table = edition.period, found.table
            fresh = Contact.objects.filter(day__gte=period.start, day__lt=period.end, is_frozen=False)
            records = [*release.records_of(period), *(record_of(contact) for contact in fresh)]
            for codes, cell in tabulate.tabulate(table, records).cells.items():
                for contents, value in protect.published(cell, table, b"key" * 11, Parameters()).items():
                    values[period.time_code, "|".join(codes), contents] = None if value is HIDDEN else value
        return values

    monkeypatch.setattr(published, "_stored", live)
    client = token_client("watcher")
    tables = [table for table in put_stage.crawl.tables if table.endswith("-year") and "-" not in table[:-5]][::4]
    before = seen(client, browser_of_evaluator, tables)
    log(CLOSED_DAY)
    assert different(before, seen(client, browser_of_evaluator, tables))


def record_of(contact: Contact) -> tabulate.Record:
    row = freeze._copy_contact(contact, contact.pk.int % 2**62, containing("month", contact.day))
    codes = {name: getattr(row, name) for name in release.VARIABLES if not name.startswith("referral_")}
    return tabulate.Record(
        key=row.key,
        is_relevant=row.result == "relevant",
        is_first=row.first_contact == "ja",
        codes={name: frozenset({code}) if isinstance(code, str) else code for name, code in codes.items()},
    )


# --- the same records and key -----------------------------------------------------------------------------------------


def test_a_release_made_again_is_the_same_and_one_with_another_key_is_not(request, stages, tmp_path):
    stage = stages[WORLDS["short"][0]]
    year = stage.world.periods[-1]
    first, again = prepared(stage, stage.keys), prepared(stage, stage.keys)
    other = prepared(stage, tmp_path / "other keys")
    differs, expected, n = compared(stage, json.loads(first), json.loads(other))
    share, due = differs / n, expected / n
    tell(request, "T12", year.code, cells=n, same_key_equal=int(first == again), other_key_differs=share, expected=due)
    assert first == again
    assert abs(share - due) < 0.12


def prepared(stage: Stage, keys) -> str:
    with transaction.atomic():
        put([row for row in stage.kept if not isinstance(row, worlds.Release | worlds.PublishedCell)])
        rule = release.Rule(Parameters(), keys, embedded=True)
        release.prepare(stage.world.periods[-1], today=timezone.localdate(), rule=rule)
        candidate = Release.objects.get().candidate
        transaction.set_rollback(True)
    return candidate


def compared(stage: Stage, one: dict, other: dict) -> tuple[int, float, int]:
    """Of the distinct figures that both show: how many differ, how many should by chance, and how many there are.

    A count that is r above a multiple of five is rounded up with the chance r/5: two keys differ in 2 r/5 (1 - r/5).
    """
    year = stage.world.periods[-1].time_code
    found: dict[object, tuple[int, int, int]] = {}
    for key, count in stage.counts.items():
        if key.time != year or key.contents != "kontakter":
            continue
        a, b = ((of[f"{key.family}-year"] or {}).get("|".join(key.codes), {}).get("kontakter") for of in (one, other))
        if a and b:
            found[count, a, b] = count.contacts, a, b
    expected = sum(2 * (n % 5) / 5 * (1 - n % 5 / 5) for n, _, _ in found.values())
    return sum(a != b for _, a, b in found.values()), expected, len(found)
