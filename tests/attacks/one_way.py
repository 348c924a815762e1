"""What an attacker knows of one-way tables: all of them together, bound by their totals and by the questionnaire."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from tests import oracle
from tests.attacks.lattice import (
    CONTACTS,
    MANY,
    REFERRALS,
    TOTAL,
    UNKNOWN,
    Codes,
    Lattice,
    Sum,
    is_relevant,
    of,
    plus,
    referrals_of,
    state,
)
from tests.oracle import Row

SEVERAL = {*oracle.SEVERAL, "concerns_6", "needs_2"}
ALONE = {"barriers": "inget", "actions": "ingen", "reports_made": "ej_akt"}  # a code that stands beside no other
# Put to some relevant contacts only: how many were not asked must stay unknown too.
OF_SOME = {"sector", "age", "age_2", "gender", "needs", "needs_2", "motivation", "plan", "balance"}
FAMILIES = {  # the question in single codes, then its groups
    "concerns": ("concerns_6",),
    "caller_role": ("caller_role_3",),
    "environment": ("environment_3",),
    "age": ("age_2",),
    "county": ("county_region", "county_part"),
    "referral_target": ("referral_target_6",),
}


class OneWay:
    """Every variable for itself, all of them bound by their totals, and by which question is asked when."""

    def __init__(self, codes: Codes) -> None:
        self.lattice, self.codes = Lattice("one-way"), codes
        self.totals: dict[str, Sum] = {}  # whom a question was put to
        self.parts: dict[tuple[str, str], Sum] = {}
        results = self._listed("all-result") or ("relevant", "other")
        whole = self.lattice.new(len(results))
        place = dict(zip(results, whole, strict=True))
        self.all = of(*whole)
        self.relevant = of(place["relevant"])
        known = self._listed("all-result")
        self.lattice.placers.append(lambda row: [place[row["result"] if known else _coarse(row)]])
        self.lattice.cells["all-total", (), CONTACTS] = self.all
        self.lattice.cells["total", (), CONTACTS] = self.relevant
        if known:
            self._cells("all-result", self.all, {code: of(place[code]) for code in results})
        for name in ("channel", "length"):
            if self._listed(f"all-{name}"):
                self._one_answer(f"all-{name}", self.all, lambda row: True)
        self._of_relevant()

    def _listed(self, family: str) -> tuple[str, ...]:
        variables = self.codes.get(family, {})
        return tuple(code for code in next(iter(variables.values()), ()) if code != TOTAL)

    def _of_relevant(self) -> None:
        names = [name for name in self.codes if "-" not in name and name not in ("total", "all-total", "traffic")]
        groups = {group for of_question in FAMILIES.values() for group in of_question}
        for name in sorted(names, key=lambda name: name in groups):
            if name.startswith("referral_") or name in ("needs_2", "balance"):
                continue
            source = next((s for s, of_source in FAMILIES.items() if name in of_source and self._has(s)), None)
            if name in SEVERAL:
                self._several(name, source)
            elif source or (name == "county_part" and self._has("county_region")):
                self._grouped(name, source or "county_region")
            else:
                self._one_answer(name, self.relevant, is_relevant)
        self._needs_by_dimension()
        self._referrals()
        self._asked_when()

    def _has(self, name: str) -> bool:
        return (name, TOTAL) in self.parts

    def _cells(self, family: str, total: Sum, of_code: Mapping[str, Sum]) -> None:
        name = family.removeprefix("all-")
        self.parts[name, TOTAL] = total
        self.lattice.cells[family, (TOTAL,), CONTACTS] = total
        if name in OF_SOME:
            self._rest(family, TOTAL, self.relevant)
        for code, of_cell in of_code.items():
            self.parts[name, code] = of_cell
            self.lattice.cells[family, (code,), CONTACTS] = of_cell

    def _one_answer(self, family: str, base: Sum, belongs: Callable[[Row], bool]) -> None:
        """A code, or the question was not put."""
        name, codes = family.removeprefix("all-"), self._listed(family)
        unknowns = self.lattice.new(len(codes) + 1)
        place = dict(zip((*codes, ""), unknowns, strict=True))
        self.lattice.placers.append(lambda row: [place[state(name, row)]] if belongs(row) else [])
        self.lattice.equal(of(*unknowns), base)
        self._cells(family, of(*unknowns[:-1]), {code: of(place[code]) for code in codes})

    def _grouped(self, name: str, source: str) -> None:
        of_code: dict[str, Sum] = {code: {} for code in self._listed(name)}
        for code in self._listed(source):
            coarse = code if code == UNKNOWN else _group(name, code)
            of_code[coarse] = plus(of_code[coarse], self.parts[source, code])
        self._cells(name, self.parts[source, TOTAL], of_code)

    def _several(self, name: str, source: str | None) -> None:
        """No answer, a code that stands alone, or options of which each may stand beside others."""
        codes = self._listed(name)
        alone = [code for code in codes if code in (UNKNOWN, ALONE.get(name))]
        options = [code for code in codes if code not in alone]
        unknowns = self.lattice.new(len(codes) + 2)
        place = dict(zip((*codes, "some", ""), unknowns, strict=True))

        def placer(row: Row) -> list[int]:
            if not is_relevant(row):
                return []
            found = oracle.places(name, row) - {TOTAL}
            some = ["some"] if found - set(alone) else []
            return [place[code] for code in (*found, *some)] or [place[""]]

        self.lattice.placers.append(placer)
        partition = [place[code] for code in (*alone, "some", "")]
        self.lattice.equal(of(*partition), self.relevant)
        self.lattice.covers(of(place["some"]), [of(place[code]) for code in options])
        total = of(*partition[:-1])
        self._cells(name, total, {code: of(place[code]) for code in codes})
        self._rests(name, total, options)
        if source:
            self._groups_of_several(name, source, options)

    def _rests(self, family: str, total: Sum, options: Iterable[str]) -> None:
        for code in options:
            self._rest(family, code, total)

    def _rest(self, family: str, code: str, whole: Sum) -> None:
        minus = {unknown: -times for unknown, times in self.parts[family, code].items()}
        self.lattice.rests[family, (code,), CONTACTS] = plus(whole, minus)

    def _groups_of_several(self, name: str, source: str, options: Sequence[str]) -> None:
        self.lattice.equal(self.parts[name, UNKNOWN], self.parts[source, UNKNOWN])
        self.lattice.equal(self.parts[name, TOTAL], self.parts[source, TOTAL])
        for group in options:
            members = [code for code in self._listed(source) if code != UNKNOWN and _group(name, code) == group]
            self.lattice.covers(self.parts[name, group], [self.parts[source, code] for code in members])

    def _needs_by_dimension(self) -> None:
        """Of both kinds of need, of one, of the other: the first is whom the balance of referrals is told of."""
        if not self._listed("needs_2"):
            return
        unknowns = self.lattice.new(5)
        place = dict(zip((("social",), ("praktisk",), ("praktisk", "social"), (UNKNOWN,), ()), unknowns, strict=True))

        def placer(row: Row) -> list[int]:
            found = tuple(sorted(oracle.places("needs_2", row) - {TOTAL}))
            return [place[found]] if is_relevant(row) else []

        self.lattice.placers.append(placer)
        self.lattice.equal(of(*unknowns), self.relevant)
        social, practical, both, unknown, _ = unknowns
        kinds = {"social": of(social, both), "praktisk": of(practical, both), UNKNOWN: of(unknown)}
        self._cells("needs_2", of(*unknowns[:-1]), kinds)
        self._rests("needs_2", of(*unknowns[:-1]), ("social", "praktisk"))
        if self._has("needs"):
            self._groups_of_several("needs_2", "needs", ("social", "praktisk"))
        if self._listed("balance"):
            self._one_answer("balance", self.relevant, is_relevant)
            self.lattice.equal(self.parts["balance", TOTAL], of(both))

    def _asked_when(self) -> None:
        """As the form asks: the same answers make the same contacts."""
        roles, relations = self.parts.get(("caller_role", "yrkes")), self.parts.get(("relation", "ingen"))
        if self._has("sector") and roles:
            self.lattice.equal(self.parts["sector", TOTAL], roles)
        for name in ("age", "age_2", "gender"):
            if self._has(name) and relations:
                self.lattice.equal(plus(self.parts[name, TOTAL], relations), self.relevant)
        ways = [name for name in ("needs", "needs_2", "motivation", "plan") if self._has(name)]
        for name in ways[1:]:
            self.lattice.equal(self.parts[ways[0], TOTAL], self.parts[name, TOTAL])
        if ways and self._has("concerns"):
            wanted = ("vill_ut", "aterfall", "dras_in", "aktiv")
            self.lattice.covers(self.parts[ways[0], TOTAL], [self.parts["concerns", code] for code in wanted])
        for (name, code), total in self.parts.items():
            is_other = name in OF_SOME or name in ("result", "channel", "length") or name.startswith("referral_")
            if code == TOTAL and not is_other:
                self.lattice.equal(total, self.relevant)

    def _referrals(self) -> None:
        lattice = self.lattice
        names = [name for name in self.codes if name in ("referral_target", "referral_type", "referral_outcome")]
        if "referral_target_6" in self.codes and "referral_target" not in names:
            names.append("referral_target_6")
        (referring, referrals) = lattice.new(2)
        lattice.placers.append(
            lambda row: (
                [referring, *([referrals] * len(referrals_of(row)))] if is_relevant(row) and referrals_of(row) else []
            )
        )
        lattice.rule(0, MANY, (1, self.relevant), (-1, of(referring)))
        lattice.rule(0, MANY, (1, of(referrals)), (-1, of(referring)))
        lattice.cells["total", (), REFERRALS] = of(referrals)
        for name in names:
            self._of_referrals(name, of(referring), of(referrals))
        if {"referral_target", "referral_target_6"} <= set(self.codes):
            self._referral_groups(of(referring), of(referrals))

    def _of_referrals(self, name: str, referring: Sum, referrals: Sum) -> None:
        codes, lattice = self._listed(name), self.lattice
        contacts, numbers = lattice.new(len(codes)), lattice.new(len(codes))
        place = {code: (contacts[n], numbers[n]) for n, code in enumerate(codes)}

        def placer(row: Row) -> list[int]:
            if not is_relevant(row):
                return []
            found = [next(iter(oracle.referral_places(name, one) - {TOTAL})) for one in referrals_of(row)]
            return [place[code][0] for code in set(found)] + [place[code][1] for code in found]

        lattice.placers.append(placer)
        lattice.covers(referring, [of(place[code][0]) for code in codes])
        lattice.equal(of(*numbers), referrals)
        for code in codes:
            lattice.rule(0, MANY, (1, of(place[code][1])), (-1, of(place[code][0])))
        self._cells(name, referring, {code: of(place[code][0]) for code in codes})
        self._rest(name, TOTAL, self.relevant)
        self._rests(name, referring, codes)
        lattice.cells[name, (TOTAL,), REFERRALS] = referrals
        for code in codes:
            lattice.cells[name, (code,), REFERRALS] = of(place[code][1])

    def _referral_groups(self, referring: Sum, referrals: Sum) -> None:
        name, lattice = "referral_target_6", self.lattice
        codes = self._listed(name)
        contacts = dict(zip(codes, lattice.new(len(codes)), strict=True))

        def placer(row: Row) -> list[int]:
            found = {code for one in referrals_of(row) for code in oracle.referral_places(name, one)}
            return [contacts[code] for code in found - {TOTAL}] if is_relevant(row) else []

        lattice.placers.append(placer)
        lattice.covers(referring, [of(contacts[code]) for code in codes])
        self._cells(name, referring, {code: of(contacts[code]) for code in codes})
        self._rests(name, referring, codes)
        lattice.cells[name, (TOTAL,), REFERRALS] = referrals
        for group in codes:
            members = [code for code in self._listed("referral_target") if _group(name, code) == group]
            lattice.covers(of(contacts[group]), [self.parts["referral_target", code] for code in members])
            numbers = [lattice.cells["referral_target", (code,), REFERRALS] for code in members]
            lattice.cells[name, (group,), REFERRALS] = plus(*numbers)


def _coarse(row: Row) -> str:
    return "relevant" if is_relevant(row) else "other"


def _group(name: str, code: str) -> str:
    if name == "county_part" and code not in oracle.GROUPS["county_region"]:
        return code if code == "UTL" else code[:3]
    return oracle.group(name, code)
