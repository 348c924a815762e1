"""Makes queries: many spellings of one and the same, and many that the catalogue does not hold."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from urllib.parse import urlencode

from tests.attacks.crawl import API, Crawl


@dataclass(frozen=True)
class Query:
    """A GET, or with a body a POST."""

    address: str
    body: str = ""


def spellings(table: str, codes: dict[str, str], number: int, rng: Random) -> Iterator[tuple[Query, str]]:
    """One cell asked for in many ways, with the format of the answer: order of parameters, letter case, lists of one
    and of all, expressions, aliases, turned tables, languages, address with and without a slash, query and body."""
    for n in range(number):
        items = list(codes.items())
        rng.shuffle(items)
        case = rng.choice([str, str.upper, str.lower])
        style = rng.choice(["plain", "star", "range", "repeated"])
        selection = [(case(name), _items(code, style)) for name, code in items]
        output = rng.choice(["json-stat2", "csv"])
        rest = [("outputFormat", output), ("lang", rng.choice(["sv", "en"])), ("x", str(n))]
        rng.shuffle(rest)
        where = f"{API}/{case(table)}/data{rng.choice(['', '/'])}"
        if rng.random() < 0.3:
            content = [{"variableCode": name, "valueCodes": of} for name, of in selection]
            yield Query(f"{where}?{urlencode(rest)}", json.dumps({"selection": content})), output
        else:
            pairs = [(f"{case('valueCodes')}[{name}]", ",".join(of)) for name, of in selection]
            pairs += rest
            rng.shuffle(pairs)
            yield Query(f"{where}?{urlencode(pairs)}"), output


def _items(code: str, style: str) -> list[str]:
    return {
        "plain": [code],
        "star": [f"{code}*"] if code in ("_T", "kontakter") else [code],
        "range": [f"range({code},{code})"],
        "repeated": [code, code],
    }[style]


def outside(crawl: Crawl, number: int, rng: Random) -> Iterator[Query]:
    """Days, weeks, free ranges, three variables, what is no group crossed, a variable with itself, filters that are
    not, sums, and words of other query languages."""
    variables = sorted({name for of_family in crawl.variables.values() for name in of_family})
    known = {"-".join(names) for names in map(tuple, crawl.variables.values())}
    while number:
        names = rng.sample(variables, rng.choice([1, 2, 2, 3, 3, 4]))
        if rng.random() < 0.1:
            names = names[:1] * 2
        kind, draw = rng.choice([*FREE, "month", "quarter", "year", "pilot"]), rng.random()
        is_known = {"-".join(names), "-".join(reversed(names))} & known and kind not in FREE
        table = f"{'-'.join(names)}-{kind}"
        if draw < 0.6 and not is_known:
            yield Query(rng.choice(_addresses(table)))
        elif draw < 0.7:
            content = [{"variableCode": one, "valueCodes": ["*"]} for one in (*names, "Tid", "ContentsCode")]
            yield Query(f"{API}/{SAFE}/data", json.dumps({"selection": content, "filter": {"not": names}}))
        else:
            yield Query(rng.choice(_selections(rng.choice(names), rng)))
        number -= 1


FREE = ("day", "week", "hour", "tertial", "2019", "2019-06-01")  # no table is cut by them
SAFE = "total-year"  # published wherever anything is


def _addresses(table: str) -> list[str]:
    of_data = f"{API}/{table}/data?valueCodes[Tid]=*&valueCodes[ContentsCode]=*"
    return [of_data, f"{API}/{table}/metadata", f"{API}/{table}", f"/statistics/{table}/"]


def _selections(name: str, rng: Random) -> list[str]:
    """Of a table that there is, what it does not have."""
    whole, day = f"{API}/{SAFE}/data?valueCodes[ContentsCode]=*", rng.randint(1, 9)
    return [
        f"{whole}&valueCodes[Tid]=*&valueCodes[{name}]=*",
        f"{whole}&valueCodes[Tid]=2019-0{day}-1{day}",
        f"{whole}&valueCodes[Tid]=2019W{10 + day}",
        f"{whole}&valueCodes[Tid]=range(2019M01,2019M0{day})",
        f"{whole}&valueCodes[Tid]=2019&codelist[{name}]=agg_{name}",
        f"{API}/{SAFE}/data?valueCodes[ContentsCode]=!kontakter&valueCodes[Tid]=2019",
        f"{API}/{SAFE}/data?valueCodes[ContentsCode]=sum(kontakter)&valueCodes[Tid]=2019",
        f"{API}/{SAFE}/data?valueCodes[ContentsCode]=n_first&valueCodes[Tid]=2019",
        f"/api/v1/contacts/?{name}={day}",
        f"{API}/{SAFE}' OR '1'='1/data",
    ]
