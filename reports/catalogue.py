"""Owns what may be published: the declared variables and tables, refused when the code loads if one breaks a rule.

Pure. A new table is one entry in TABLES; nothing outside the catalogue is ever tabulated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType

from helpline.taxonomy import ASKED_WHEN, CODE_LISTS, NON_ANSWERS
from reports.counting import CALLS, CONTACTS, REFERRALS, U1, U3, U4

TOTAL, UNKNOWN = "_T", "_U"
PERIODS = ("month", "quarter", "half-year", "year", "pilot")  # finest first
MOST_VARIABLES = 2
CLOSED_LIST = 3  # a list with so few codes is coarse enough for a two-way table


class BrokenCatalogue(ValueError):
    """A table breaks a rule of disclosure control; the message names both."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of published tables: a code list, the finest period it is published for, and its base.

    `own_threshold`: its cells are counted out by first contacts themselves, so that they cannot be asked for them.
    """

    id: str
    finest: str
    base: str = U4
    own_threshold: bool = False

    @property
    def source(self) -> str:
        """The question that a group sums up; else the variable itself."""
        return CODE_LISTS[self.id].groups or self.id

    @property
    def of_referral(self) -> bool:
        return self.id.startswith("referral_")

    @property
    def is_asked_of_all(self) -> bool:
        """Whether every contact of the base has an answer or a non-answer: then its total is that of the base."""
        conditions = ASKED_WHEN.get(self.source, ())
        return not self.of_referral and self.id != "balance" and all(when.question == "result" for when in conditions)

    @property
    def is_coarse(self) -> bool:
        return CODE_LISTS[self.id].groups is not None or len(self.answers) <= CLOSED_LIST

    @property
    def answers(self) -> tuple[str, ...]:
        """The codes, without non-answers."""
        return tuple(code for code in CODE_LISTS[self.id].codes if code not in NON_ANSWERS)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of a published table, the total apart: answers, then `_U` where the list has non-answers."""
        return self.answers + ((UNKNOWN,) if len(CODE_LISTS[self.id].codes) > len(self.answers) else ())


@dataclass(frozen=True, slots=True)
class Table:
    """One published table: a base, up to two variables, and the period it is cut by."""

    base: str
    variables: tuple[Variable, ...]
    period: str

    @property
    def id(self) -> str:
        names = "-".join(variable.id for variable in self.variables) or ("traffic" if self.counts_calls else "total")
        return f"{'all-' if self.base == U3 else ''}{names}-{self.period.replace('-', '')}"

    @property
    def counts_calls(self) -> bool:
        """Whether it counts calls instead of contacts: then it shares nothing with any other table, and has no
        variable."""
        return self.base == U1

    @property
    def contents(self) -> tuple[str, ...]:
        """The contents codes: what became of the calls; else contacts, and the number of referrals where it is a table
        of referrals or the total."""
        if self.counts_calls:
            return tuple(CALLS)
        counts_referrals = self.base == U4 and (
            not self.variables or any(variable.of_referral for variable in self.variables)
        )
        return (CONTACTS, REFERRALS) if counts_referrals else (CONTACTS,)

    @property
    def size(self) -> int:
        """The number of cells that density counts: codes with `_U`, without `_T`."""
        return prod(len(variable.codes) for variable in self.variables)

    @property
    def weight(self) -> int:
        """How many contacts of its base a table needs for one that another needs: two where it crosses what was asked
        of some contacts only, of which there are fewer."""
        return 2 if len(self.variables) > 1 and not all(variable.is_asked_of_all for variable in self.variables) else 1

    @property
    def own_threshold(self) -> bool:
        return self.base == U3 or any(variable.own_threshold for variable in self.variables)


def _variables(finest: str, names: str, **rest: object) -> dict[str, Variable]:
    return {name: Variable(name, finest, **rest) for name in names.split()}  # type: ignore[arg-type]


VARIABLES: Mapping[str, Variable] = MappingProxyType(
    _variables("month", "result", base=U3)
    | _variables("quarter", "channel length", base=U3)
    | _variables("month", "caller_role_3 caller_adult environment_3 age_2 needs_2")
    | _variables("quarter", "first_contact case_step", own_threshold=True)
    | _variables(
        "quarter", "caller_role relation caller_gender concerns concerns_6 environment gang_overlap age gender"
    )
    | _variables("quarter", "needs balance motivation plan barriers actions urgency county_part county_region")
    | _variables("quarter", "referral_target referral_target_6 referral_type referral_outcome")
    | _variables("half-year", "sector awareness language_support")
    | _variables("year", "county language reports_made")
)

ONE_WAY = tuple(VARIABLES)
TWO_WAY = (
    *("caller_role_3-concerns_6", "caller_role_3-environment_3", "caller_role_3-age_2", "caller_role_3-needs_2"),
    *("caller_role_3-gender", "caller_role_3-referral_type", "environment_3-concerns_6", "environment_3-needs_2"),
    *("environment_3-age_2", "environment_3-gender", "concerns_6-age_2", "concerns_6-gender", "needs_2-gender"),
    *("environment_3-referral_target_6", "referral_target_6-referral_type"),
)


def _refuse_rule_breakers(table: Table) -> None:
    """The rules of order, period and rare categories (docs/anonymity.md)."""
    variables, name = table.variables, table.id
    if len(variables) > MOST_VARIABLES:
        raise BrokenCatalogue(f"{name}: a table has at most {MOST_VARIABLES} variables besides the period")
    if table.period not in PERIODS:
        raise BrokenCatalogue(f"{name}: '{table.period}' is none of the nested calendar periods")
    if table.counts_calls and variables:
        raise BrokenCatalogue(f"{name}: calls are known by period alone, nothing of what was said in them")
    for variable in variables:
        if PERIODS.index(table.period) < PERIODS.index(variable.finest):
            raise BrokenCatalogue(f"{name}: '{variable.id}' is published by {variable.finest} or longer")
        if variable.base != table.base:
            raise BrokenCatalogue(f"{name}: '{variable.id}' is known of {variable.base}, the table counts {table.base}")
    if len(variables) > 1:
        if len({variable.source for variable in variables}) < len(variables):
            raise BrokenCatalogue(f"{name}: a table does not cross a variable with itself")
        for variable in variables:
            if not variable.is_coarse:
                raise BrokenCatalogue(f"{name}: '{variable.id}' has single codes, a two-way table is made of groups")
    if any(variable.id == "county" and table.period not in ("year", "pilot") for variable in variables):
        raise BrokenCatalogue(f"{name}: counties are published by year, one-way")


def tables_of(names: Iterable[str] = (*ONE_WAY, *TWO_WAY)) -> Mapping[str, Table]:
    """The tables, each for its finest period and every longer one. Raises BrokenCatalogue."""
    wanted: list[tuple[str, tuple[Variable, ...], str]] = [(U1, (), "month"), (U3, (), "month"), (U4, (), "month")]
    for name in names:
        variables = tuple(VARIABLES[variable] for variable in name.split("-"))
        finest = max((variable.finest for variable in variables), key=PERIODS.index)
        wanted.append((variables[0].base, variables, finest))
    tables: dict[str, Table] = {}
    for base, variables, finest in wanted:
        for period in PERIODS[PERIODS.index(finest) :]:
            table = Table(base, variables, period)
            _refuse_rule_breakers(table)
            if table.id in tables:
                raise BrokenCatalogue(f"{table.id}: declared twice")
            tables[table.id] = table
    return MappingProxyType(tables)


TABLES = tables_of()
