"""A closed year in the database: frozen records of made-up contacts, and its release."""

import secrets
from datetime import date
from functools import cache

from django.utils import timezone

from helpline import synthetic
from helpline.code_files import NOT_APPLICABLE
from helpline.entries import ContactEntry
from helpline.taxonomy import CODE_LISTS, QUESTIONS
from reports.disclosure.protect import Parameters
from reports.freeze import GROUPS
from reports.models import Release, StatRecord
from reports.release import GATE_PASSED, canonical

YEAR = 2016


def close(year: int = YEAR, *, contacts_a_month: int = 130, is_published: bool = True) -> None:
    StatRecord.objects.bulk_create([_record(entry) for entry in _entries(year, contacts_a_month)], batch_size=500)
    since, until = date(year, 1, 1), date(year + 1, 1, 1)
    manifest = canonical({"tables": {}, "gate": GATE_PASSED, "parameters": Parameters().as_dict()})
    texts = {"candidate": "{}", "manifest": manifest, "sha256": "0" * 64}
    days = {"prepared_on": until, "published_on": timezone.localdate() if is_published else None}
    Release.objects.create(kind="year", start=since, end=until, **texts, **days)


@cache
def _entries(year: int, contacts_a_month: int) -> tuple[ContactEntry, ...]:
    since, until = date(year, 1, 1), date(year + 1, 1, 1)
    made = synthetic.entries(seed=1, since=since, until=until, contacts_a_month=contacts_a_month)
    return tuple(entry for _key, entry in made)


def _record(entry: ContactEntry) -> StatRecord:
    codes = {name: _value(name, entry.answers[name]) for name in QUESTIONS}
    codes |= {name: _value(name, CODE_LISTS[name].group_of(entry.answers[of])) for name, of in GROUPS.items()}
    return StatRecord(
        key=secrets.randbits(62),
        month=entry.day.replace(day=1),
        balance=NOT_APPLICABLE,
        case_step="utan_nummer",
        **codes,
    )


def _value(name: str, codes: frozenset[str]) -> str | frozenset[str]:
    return codes if CODE_LISTS[name].multiple else next(iter(codes))
