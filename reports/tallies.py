"""Owns the counting of contacts where they lie: one-way counts by day in one statement, no contact held in memory.

With rollups and freeze, the only module of the reports that reads contacts. What is counted stands in
counting.COUNTED; counting.count_contacts and count_referrals say the same in Python, for rows in hand.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, QuerySet, When

from helpline.models import Contact, Referral
from helpline.taxonomy import CODE_LISTS
from reports import counting
from reports.counting import COUNTED, Cells

# One hash table for each variable, all of them in memory; and referrals by the index of their contacts, since a join by
# hashing reads every referral there ever was.
PLANS = "SET LOCAL work_mem = '64MB'; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
# Starting parallel workers takes longer than counting a day; for a month it pays.
OF_DAYS = f"{PLANS}; SET LOCAL max_parallel_workers_per_gather = 0"


@dataclass(frozen=True, slots=True)
class _Source:
    """The units that a group of variables counts, as SQL with one column `day` and one for each of the variables."""

    variables: Sequence[str]
    sql: str
    parameters: tuple[Any, ...]


def of_days(days: Collection[date], variables: Collection[str] = tuple(COUNTED)) -> dict[date, Cells]:
    """The counts of `variables` for each of `days`, of the contacts that are neither frozen nor withdrawn, at this
    moment. A referral that an earlier contact of the case has too is not counted."""
    cells = {day: Cells() for day in days}
    return _count(cells, variables, OF_DAYS, day__in=sorted(cells)) if cells and variables else cells


def of_month(month: date, until: date, variables: Collection[str] = tuple(COUNTED)) -> dict[date, Cells]:
    """The same for the days of [month, until), a month or less, that have contacts."""
    return _count({}, variables, PLANS, day__gte=month, day__lt=until)


def first_and_last_day() -> list[date]:
    """Between which two days the contacts lie that are not frozen; none without any."""
    days = Contact.objects.filter(is_frozen=False).order_by("day").values_list("day", flat=True)
    return [day for day in (days.first(), days.last()) if day]


@contextmanager
def one_moment() -> Iterator[None]:
    """All statements see the same contacts and none waits for a writer; inside a transaction of the caller, that one
    decides."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Django's own transactions on SQLite take the write lock, which handlers need.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


@contextmanager
def _planned(plans: str) -> Iterator[None]:
    """With plans of ours, for what only reads: it is rolled back, which lets the caller have its plans again;
    and what fails spoils no transaction of the caller."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(plans)
        yield
        transaction.set_rollback(True)


def _count(by_day: dict[date, Cells], variables: Collection[str], plans: str, **days: Any) -> dict[date, Cells]:
    sources = [_compiled(rows, names) for rows, names in _sources(variables, **days) if names]
    statement = _grouping_sets if connection.vendor == "postgresql" else _unions
    with _planned(plans), connection.cursor() as cursor:
        cursor.execute(statement(sources), [p for source in sources for p in source.parameters])
        for day, variable, code, n in cursor:
            # SQLite, asked past the ORM, gives a day as text.
            cells = by_day.setdefault(date.fromisoformat(day) if isinstance(day, str) else day, Cells())
            for one in _codes(variable, code):
                cells[variable, one] += n
    return by_day


def _codes(variable: str, code: Any) -> Collection[str]:
    """The codes of one answer as it lies in the database: a code, or the mask of a set of them."""
    code_list = CODE_LISTS.get(variable)
    return code_list.set_of(int(code)) if code_list and code_list.multiple else (code,)


def _sources(variables: Collection[str], **days: Any) -> Iterator[tuple[QuerySet[Any], list[str]]]:
    """Rows with the variables that they count: all contacts, the relevant ones, the referrals of those."""
    contacts = Contact.objects.changeable().filter(**days)
    relevant = contacts.filter(result=counting.RELEVANT)
    referrals = Referral.objects.counted().filter(contact__is_frozen=False)
    referrals = referrals.filter(**{f"contact__{lookup}": value for lookup, value in days.items()})
    of_bases = {
        (counting.CONTACTS, counting.U3): contacts,
        (counting.CONTACTS, counting.U4): relevant,
        (counting.REFERRALS, counting.U4): _named(referrals),
    }
    for base, rows in of_bases.items():
        yield rows, [v for v in variables if (COUNTED[v].unit, COUNTED[v].base) == base]


def _named(referrals: QuerySet[Referral]) -> QuerySet[Referral]:
    """With the day and the variables of referrals as columns; one that is not missing has no code of MISSING."""
    missing = Case(When(outcome=counting.NONE_LOCALLY, then=F("target")))
    parts = {f"referral_{part}": F(part) for part in ("target", "type", "outcome")}
    return referrals.annotate(day=F("contact__day"), **parts, **{counting.MISSING: missing})


def _compiled(rows: QuerySet[Any], variables: Sequence[str]) -> _Source:
    query = rows.order_by().values("day", *variables).query
    sql, parameters = query.get_compiler(connection=connection).as_sql()
    return _Source(variables, sql, parameters)


def _grouping_sets(sources: Sequence[_Source]) -> str:
    """PostgreSQL: each source is read once, whatever the number of its variables."""
    return " UNION ALL ".join(_grouped_at_once(source) for source in sources)


def _grouped_at_once(source: _Source) -> str:
    names = [connection.ops.quote_name(variable) for variable in source.variables]
    which = " ".join(f"WHEN GROUPING({q}) = 0 THEN '{v}'" for q, v in zip(names, source.variables, strict=True))
    code = ", ".join(f"{name}::text" for name in names)
    sets = ", ".join(f"(day, {name})" for name in names)
    return (
        f"SELECT day, CASE {which} END, COALESCE({code}), count(*) FROM ({source.sql}) AS source"  # noqa: S608
        f" GROUP BY GROUPING SETS ({sets}) HAVING COALESCE({code}) IS NOT NULL"
    )


def _unions(sources: Sequence[_Source]) -> str:
    """SQLite: each source is read once into memory, and grouped there once for each of its variables."""
    read = ", ".join(f"source{n} AS MATERIALIZED ({source.sql})" for n, source in enumerate(sources))
    groups = " UNION ALL ".join(
        f"SELECT day, '{v}', {connection.ops.quote_name(v)}, count(*) FROM source{n}"  # noqa: S608
        f" WHERE {connection.ops.quote_name(v)} IS NOT NULL GROUP BY day, {connection.ops.quote_name(v)}"
        for n, source in enumerate(sources)
        for v in source.variables
    )
    return f"WITH {read} {groups}"
