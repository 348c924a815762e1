"""What an attacker knows of tables that cross two variables: two or three variables at a time, in every combination."""

from collections.abc import Mapping, Sequence
from itertools import product

from tests import oracle
from tests.attacks.lattice import (
    CONTACTS,
    MANY,
    REFERRALS,
    TOTAL,
    UNKNOWN,
    Codes,
    Lattice,
    is_relevant,
    of,
    plus,
    referrals_of,
)
from tests.attacks.one_way import OneWay
from tests.oracle import Row

ALWAYS = {"caller_role_3", "environment_3", "concerns_6"}  # put to every relevant contact


def crossed(codes: Codes, names: Sequence[str]) -> Lattice:
    """The tables that cross two of these variables, their margins and the total: each combination is one unknown, and
    beside them each option of a variable that takes several."""
    lattice = Lattice(" x ".join(names))
    listed = {name: _codes_anywhere(codes, name) for name in names}
    single = [name for name in names if not _is_option(name)]
    (several,) = [name for name in names if _is_option(name)] or [""]
    states = [_states(name, listed[name]) for name in single]
    options = [code for code in listed.get(several, ()) if code != UNKNOWN]
    parts = _parts(several)
    x = {place: lattice.new(1)[0] for place in product(*states, parts)}
    y = {place: lattice.new(1)[0] for place in product(*states, options)}
    h = {place: lattice.new(1)[0] for place in y} if several.startswith("referral_") else {}
    for place in product(*states) if several else ():
        lattice.covers(of(x[(*place, "some")]), [of(y[(*place, option)]) for option in options])
        for option in options if h else ():
            lattice.rule(0, MANY, (1, of(h[(*place, option)])), (-1, of(y[(*place, option)])))
    _place_crossed(lattice, single, several, (x, y, h))
    _cells_crossed(lattice, codes, (single, several), (x, y, h))
    return lattice


def _codes_anywhere(codes: Codes, name: str) -> tuple[str, ...]:
    found = next((of_family[name] for of_family in codes.values() if name in of_family), ())
    return tuple(code for code in found if code != TOTAL)


def _is_option(name: str) -> bool:
    return name == "concerns_6" or name.startswith("referral_")


def _states(name: str, codes: Sequence[str]) -> list[str]:
    if name == "needs_2":
        return ["social", "praktisk", "praktisk+social", UNKNOWN, ""]
    return [*codes, *([] if name in ALWAYS else [""])]


def _parts(several: str) -> list[str]:
    if not several:
        return [""]
    return ["some", ""] if several.startswith("referral_") else ["some", UNKNOWN]


def _state(name: str, row: Row) -> str:
    return "+".join(sorted(oracle.places(name, row) - {TOTAL}))


Unknowns = Mapping[tuple[str, ...], int]


def _place_crossed(
    lattice: Lattice, single: Sequence[str], several: str, unknowns: tuple[Unknowns, Unknowns, Unknowns]
) -> None:
    x, y, h = unknowns

    def placer(row: Row) -> list[int]:
        if not is_relevant(row):
            return []
        place = tuple(_state(name, row) for name in single)
        if not several:
            return [x[(*place, "")]]
        if several.startswith("referral_"):
            found = [next(iter(oracle.referral_places(several, one) - {TOTAL})) for one in referrals_of(row)]
        else:
            found = sorted(oracle.places(several, row) - {TOTAL})
        part = UNKNOWN if found == [UNKNOWN] else "some" if found else ""
        options = [code for code in found if code != UNKNOWN]
        numbers = [h[(*place, code)] for code in options] if h else []
        return [x[(*place, part)], *(y[(*place, code)] for code in set(options)), *numbers]

    lattice.placers.append(placer)


def _cells_crossed(
    lattice: Lattice,
    codes: Codes,
    names: tuple[Sequence[str], str],
    unknowns: tuple[Unknowns, Unknowns, Unknowns],
) -> None:
    (single, several), (x, y, h) = names, unknowns
    lattice.cells["total", (), CONTACTS] = of(*x.values())
    for family, variables in codes.items():
        if not variables or not set(variables) <= {*single, several}:
            continue
        for of_cell in product(*variables.values()):
            wanted = dict(zip(variables, of_cell, strict=True))
            places, option = _chosen(wanted, single, several, x, y)
            lattice.cells[family, of_cell, CONTACTS] = of(*places)
            if option and wanted[several] != TOTAL:
                whole, _ = _chosen(wanted | {several: TOTAL}, single, several, x, y)
                minus = dict.fromkeys(places, -1.0)
                lattice.rests[family, of_cell, CONTACTS] = plus(of(*whole), minus)
            if h and several in wanted:
                numbers = [h[p] for p in h if _fits(p, wanted, single) and wanted[several] in (TOTAL, p[-1])]
                lattice.cells[family, of_cell, REFERRALS] = of(*numbers)


def _chosen(
    wanted: Mapping[str, str], single: Sequence[str], several: str, x: Unknowns, y: Unknowns
) -> tuple[list[int], bool]:
    code = wanted.get(several)
    if code in (None, TOTAL, UNKNOWN):
        parts = {None: ("some", UNKNOWN, ""), UNKNOWN: (UNKNOWN,)}.get(code, ("some", UNKNOWN))
        parts = (*parts, "") if not several else parts
        return [x[place] for place in x if _fits(place, wanted, single) and place[-1] in parts], False
    return [y[place] for place in y if _fits(place, wanted, single) and place[-1] == code], True


def _fits(place: Sequence[str], wanted: Mapping[str, str], single: Sequence[str]) -> bool:
    return all(
        name not in wanted or (place[n] != "" if wanted[name] == TOTAL else wanted[name] in place[n].split("+"))
        for n, name in enumerate(single)
    )


TRIPLES = (
    *(("caller_role_3", "environment_3", name) for name in ("concerns_6", "age_2", "gender", "needs_2")),
    *(("caller_role_3", "concerns_6", name) for name in ("age_2", "gender")),
    *(("environment_3", "concerns_6", name) for name in ("age_2", "gender")),
    *((name, "needs_2", "gender") for name in ("caller_role_3", "environment_3")),
    *(("caller_role_3", "referral_type"), ("environment_3", "referral_target_6")),
)


def lattices(codes: Codes, *, triples: bool) -> list[Lattice]:
    """One-way tables together, and each published crossing of two variables with its margins; or three at a time,
    which ties the crossings of three variables to each other."""
    pairs = [tuple(variables) for variables in codes.values() if len(variables) == 2]
    groups: list[tuple[str, ...]] = [*pairs]
    if triples:
        groups = [names for names in TRIPLES if any(set(pair) <= set(names) for pair in pairs)]
        groups += [pair for pair in pairs if not any(set(pair) <= set(names) for names in groups)]
    listed = [names for names in groups if all(_codes_anywhere(codes, name) for name in names)]
    return [OneWay(codes).lattice, *(crossed(codes, names) for names in listed if not _both_referrals(names))]


def _both_referrals(names: Sequence[str]) -> bool:
    return all(name.startswith("referral_") for name in names)
