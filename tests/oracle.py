"""A plain, slow recount of every figure, straight from the rows of an import file.

On purpose it shares nothing with the product: no code list, no relevance table, no query. When both agree, two
different readings of the rules agree.
"""

import csv
from collections import Counter
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data"
Row = dict[str, str]

SEVERAL = ("concerns", "needs", "barriers", "actions", "reports_made")
OF_ALL_CONTACTS = ("channel", "result", "length")
SPOKEN = ("caller_role", "caller_gender", "caller_adult", "actions", "awareness", "language", "language_support")
ABOUT_SOMEONE = ("age", "gender")
WAY_OUT = ("needs", "motivation", "plan")


def rows_of(name: str = "pilot-year.csv") -> list[Row]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def was_asked(question: str, row: Row) -> bool:
    if question in ("channel", "result", "length"):
        return True
    if row["result"] not in ("relevant", "info"):
        return False
    if question == "sector":
        return row["caller_role"] == "yrkes"
    if question in SPOKEN or question == "urgency":
        return True
    if row["result"] != "relevant":
        return False
    if question in ABOUT_SOMEONE:
        return row["relation"] != "ingen"
    if question in WAY_OUT:
        concerns = row["concerns"].split("|")
        return "vill_ut" in concerns or "aterfall" in concerns or "dras_in" in concerns or "aktiv" in concerns
    return True


def codes_of(question: str, row: Row) -> list[str]:
    if question == "case_step":
        return ["utan_nummer"]  # a file has no case numbers
    if question == "balance":
        return [balance(row)]
    if row[question]:
        return row[question].split("|")
    return ["ej_fragat" if was_asked(question, row) else "ej_till"]


SOCIAL_TARGETS, PRACTICAL_TARGETS = "fritid avh_ideb civil tros", "vard beroende arbstud bostad polis avh_mynd"
TARGETS_OF_BOTH = "kom_vbe social skola linje"


def balance(row: Row) -> str:
    """For a relevant contact with social (s_) and practical (p_) needs: referred for both, for one, for none."""
    needs = row["needs"].split("|")
    if row["result"] != "relevant" or not {"s_", "p_"} <= {need[:2] for need in needs}:
        return "ej_till"
    targets = [referral.split(":")[0] for referral in row["referrals"].split("|") if referral]
    found = set()
    for target in targets:
        if target in (SOCIAL_TARGETS + " " + TARGETS_OF_BOTH).split():
            found.add("social")
        if target in (PRACTICAL_TARGETS + " " + TARGETS_OF_BOTH).split():
            found.add("practical")
    return ["ingen", "en", "bada"][len(found)]


def questions(row: Row) -> list[str]:
    return [column for column in row if column not in ("key", "day", "referrals")]


def recount(rows: list[Row]) -> Counter[tuple[str, str]]:
    """(variable, code) -> number of contacts, or of referrals for the referral variables."""
    n: Counter[tuple[str, str]] = Counter()
    for row in rows:
        relevant = row["result"] == "relevant"
        for question in questions(row):
            if relevant or question in OF_ALL_CONTACTS:
                for code in codes_of(question, row):
                    n[question, code] += 1
        if relevant and row["referrals"]:
            for referral in row["referrals"].split("|"):
                target, kind, outcome = referral.split(":")
                n["referral_target", target] += 1
                n["referral_type", kind] += 1
                n["referral_outcome", outcome] += 1
                if outcome == "saknas":
                    n["referral_missing", target] += 1
    return n


def without_answer(rows: list[Row]) -> dict[str, tuple[int, int, int, int]]:
    """question -> contacts that were asked it, and of them: not asked after all, does not know, declined."""
    found: dict[str, tuple[int, int, int, int]] = {}
    for question in questions(rows[0]) if rows else []:
        if question in ("channel", "result"):
            continue
        asked = [codes_of(question, row) for row in rows if question == "length" or row["result"] == "relevant"]
        asked = [codes for codes in asked if codes != ["ej_till"]]
        silent = [sum(codes == [code] for codes in asked) for code in ("ej_fragat", "vet_ej", "avboj")]
        found[question] = (len(asked), *silent)
    return found


def within(rows: list[Row], first: date, after: date) -> list[Row]:
    return [row for row in rows if first <= date.fromisoformat(row["day"]) < after]


def days(rows: list[Row]) -> list[date]:
    first, last = min(row["day"] for row in rows), max(row["day"] for row in rows)
    day, all_days = date.fromisoformat(first), []
    while day <= date.fromisoformat(last):
        all_days.append(day)
        day += timedelta(days=1)
    return all_days


# --- published tables ----------------------------------------------------------------------------------------------

GROUPS = {
    "caller_role_3": {
        "narstaende": "anhorig",
        "yrkes": "yrkes",
        **dict.fromkeys(["sjalv", "ideell", "allman", "media"], "ovriga"),
    },
    "environment_3": {
        "islamistisk": "islamistisk",
        "ingen": "ingen",
        **dict.fromkeys(["hogerext", "vansterext", "gang", "annan", "flera"], "annan_vbe"),
    },
    "age_2": {
        **dict.fromkeys(["u15", "a15_17", "barn_ok"], "under18"),
        **dict.fromkeys(["a18_25", "a26", "vuxen_ok"], "vuxen"),
    },
    "concerns_6": {
        "dras_in": "dras_in",
        "vill_ut": "vill_ut",
        "natet": "natet",
        **dict.fromkeys(["aktiv", "aterfall"], "i_miljon"),
        **dict.fromkeys(["resa", "hot", "barn"], "fara"),
        **dict.fromkeys(["eget", "metod", "annat"], "stod_metod"),
    },
    "referral_target_6": {
        **dict.fromkeys(["kom_vbe", "social", "fritid", "bostad"], "kommun"),
        **dict.fromkeys(["skola", "arbstud"], "skola_arbete"),
        **dict.fromkeys(["vard", "beroende"], "vard"),
        "polis": "polis",
        **dict.fromkeys(["avh_mynd", "avh_ideb"], "avhopp"),
        **dict.fromkeys(["civil", "tros", "linje"], "civil"),
    },
    "county_region": {
        "01": "SE11",
        **dict.fromkeys(["03", "04", "05", "18", "19"], "SE12"),
        **dict.fromkeys(["06", "07", "08", "09"], "SE21"),
        **dict.fromkeys(["10", "12"], "SE22"),
        **dict.fromkeys(["13", "14"], "SE23"),
        **dict.fromkeys(["17", "20", "21"], "SE31"),
        **dict.fromkeys(["22", "23"], "SE32"),
        **dict.fromkeys(["24", "25"], "SE33"),
        "UTL": "UTL",
    },
}
SOURCES = {"referral_target_6": "target"} | {
    name: name.rsplit("_", 1)[0] for name in ("caller_role_3", "environment_3", "age_2", "concerns_6", "needs_2")
}


def group(variable: str, code: str) -> str:
    if variable == "needs_2":
        return "social" if code.startswith("s_") else "praktisk"
    if variable == "county_part":
        region = GROUPS["county_region"][code]
        return region if region == "UTL" else region[:3]
    return GROUPS[variable][code] if variable in GROUPS else code


def places(variable: str, row: Row) -> set[str]:
    """The rows of a table in which a contact stands: none if the question did not apply."""
    source = "county" if variable in ("county_region", "county_part") else SOURCES.get(variable, variable)
    codes = codes_of(source, row)
    if codes == ["ej_till"]:
        return set()
    if codes[0] in ("ej_fragat", "vet_ej", "avboj"):
        return {"_T", "_U"}
    return {"_T"} | {group(variable, code) for code in codes}


def referral_places(variable: str, referral: str) -> set[str]:
    target, kind, outcome = referral.split(":")
    code = {"referral_type": kind, "referral_outcome": outcome}.get(variable, target)
    return {"_T", group(variable, code)}


def axis(variable: str, row: Row, referral: str) -> set[str]:
    return referral_places(variable, referral) if variable.startswith("referral_") else places(variable, row)


class Count(NamedTuple):
    """What a cell holds: contacts and referrals, and of the contacts those that have a referral which it counts."""

    contacts: int = 0
    first: int = 0
    referred: int = 0
    referred_first: int = 0
    referrals: int = 0

    def with_one_more(self, is_first: bool, referrals: int) -> "Count":
        one = (1, is_first, referrals > 0, is_first and referrals > 0, referrals)
        return Count(*(before + more for before, more in zip(self, one, strict=True)))


def cells(rows: list[Row], table: str) -> dict[tuple[str, ...], Count]:
    """{codes: what the cell holds} of a table by its id, only the cells that hold anything."""
    names = table.rsplit("-", 1)[0]
    all_contacts, names = names.startswith("all-"), names.removeprefix("all-")
    variables = [] if names == "total" else names.split("-")
    found: dict[tuple[str, ...], Count] = {}
    for row in rows:
        if not all_contacts and row["result"] != "relevant":
            continue
        mine: Counter[tuple[str, ...]] = Counter()
        if any(variable.startswith("referral_") for variable in variables):
            for referral in row["referrals"].split("|") if row["referrals"] else []:
                axes = [
                    referral_places(v, referral) if v.startswith("referral_") else places(v, row) for v in variables
                ]
                mine.update(product(*axes))
        else:
            of_all = len(row["referrals"].split("|")) if row["referrals"] else 0
            for place in product(*(places(variable, row) for variable in variables)):
                mine[place] = of_all
        for place, referrals in mine.items():
            found[place] = found.get(place, Count()).with_one_more(row["first_contact"] == "ja", referrals)
    return found
