"""Owns reading a document of HSDS 3.0, ours or a foreign one, into entries of the directory. Pure.

What a document says and the entries do not hold is found by writing the entries again and comparing: every value that
does not come back is named by its path, so that no field is dropped in silence.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import time
from typing import Any
from unicodedata import normalize

from helpline.listings import (
    MIDNIGHT,
    MOST_SERVICES,
    Fault,
    Finding,
    OrganisationEntry,
    Reading,
    Record,
    Wrong,
    hsds,
    joined,
)
from helpline.listings.hsds import Json
from helpline.listings.hsds_parts import Node, local_time, organisation, service

MOST_BYTES = 20 * 2**20  # 5,000 services of ordinary length take 12 MB
MOST_PATHS = 2_000  # HSDS has fewer; a hostile file may have any number
LONGEST_PATH = 200  # the longest of HSDS is 130; below it all is one path
FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}")
OTHER = "…"  # stands for what is no name of a field, for what lies too deep, and for paths beyond those


def read(content: bytes, *, target: str = "") -> Reading:
    """The entries of a list of organizations, a list of services, one of either, or a page of an HSDS API.

    `target` is the referral target of each service that names neither one of ours nor that it is a knowledge resource.
    """
    if len(content) > MOST_BYTES:
        return _refused(Fault.TOO_LARGE)
    try:
        text = content.decode("utf-8-sig")
        return _read(json.loads(text, parse_constant=_no_number, object_pairs_hook=_object), target)
    except Wrong as wrong:
        return Reading(findings=(Finding(wrong.fault, hint=wrong.hint),))
    except (ValueError, RecursionError):
        return _refused(Fault.NOT_READABLE)


def _no_number(name: str) -> Any:
    raise ValueError


def _object(pairs: list[tuple[str, Any]]) -> Json:
    """Raises Wrong for a field that stands twice: readers differ in which of the two holds."""
    found = dict(pairs)
    if len(found) < len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise Wrong(Fault.FIELD_TWICE, _name(name))
    return found


def _refused(fault: Fault) -> Reading:
    return Reading(findings=(Finding(fault),))


def _read(document: Any, target: str) -> Reading:
    listed = _records(document)
    if not listed:
        return _refused(Fault.NO_DIRECTORY)
    if sum(map(_size, listed.values())) > MOST_SERVICES:
        return _refused(Fault.TOO_MANY)
    findings: list[Finding] = []
    left_out: Counter[str] = Counter()
    records: list[Record] = []
    for path, value in listed.items():
        if not isinstance(value, dict):
            findings.append(Finding(Fault.WRONG_TYPE, path=path, hint="object"))
            continue
        already = len(findings)
        found, again, kind = _record(Node(value, path, findings), target)
        records += found
        # A refused value does not come back either, though there is a place for it; a missing target is no value.
        if all(finding.fault is Fault.NEEDS_TARGET for finding in findings[already:]):
            left_out += _lost(value, again, kind)
    organisations, repeated = joined(records) if not findings else ((), ())
    return Reading(organisations, (*findings, *repeated), _told(left_out))


def _records(document: Any) -> dict[str, Any]:
    """The records of the document by their paths."""
    if isinstance(document, list):
        return {f"$[{number}]": each for number, each in enumerate(document)}
    if not isinstance(document, dict):
        return {}
    if "name" in document:
        return {"$": document}
    for name in ("contents", "organizations", "services"):
        if isinstance(document.get(name), list):
            return {f"$.{name}[{number}]": each for number, each in enumerate(document[name])}
    return {}


def _size(record: Any) -> int:
    services = record.get("services") if isinstance(record, dict) else None
    return max(1, len(services)) if isinstance(services, list) else 1


def _record(node: Node, target: str) -> tuple[list[Record], Json, str]:
    """The services of the record, which is an organization with its services or a service with its organization, what
    would be written of it, and how the path of its kind begins."""
    if "status" in node.value or "organization" in node.value:
        return _service_record(node, target)
    entry = organisation(node)
    services = [(each.path, service(each, target)) for each in node.children("services")]
    records = [Record(entry, each, path) for path, each in services] or [Record(entry, None, node.path)]
    again = hsds.organisation(entry) | {"services": [hsds.service(each) for _, each in services]}
    return records, again, "organizations[]"


def _service_record(node: Node, target: str) -> tuple[list[Record], Json, str]:
    entry, inside = service(node, target), node.child("organization")
    if inside is None:
        node.refuse("organization", Fault.MISSING)
        return [], {}, ""
    owner: OrganisationEntry = organisation(inside)
    again = hsds.service(entry) | {"organization": hsds.organisation(owner)}
    return [Record(owner, entry, node.path)], again, "services[]"


# --- what is left out ------------------------------------------------------------------------------------------------


def _lost(given: Json, again: Json, path: str) -> Counter[str]:
    """How many values under each path of `given` do not come back in `again`."""
    counted: Counter[str] = Counter()
    for (where, _), times in (Counter(_leaves(given, path)) - Counter(_leaves(again, path))).items():
        counted[where] += times
    return counted


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Path and text of each value, in no order. Without recursion: a file may be as deep as it likes."""
    waiting = [(value, path)]
    while waiting:
        each, where = waiting.pop()
        if isinstance(each, dict):
            waiting += [(inside, _below(where, f".{_name(name)}")) for name, inside in each.items()]
        elif isinstance(each, list):
            below = _below(where, "[]")
            waiting += [(inside, below) for inside in each]
        elif each is not None and (text := " ".join(normalize("NFC", str(each)).split())):
            yield where, _clock(text, where) if where.endswith(("opens_at", "closes_at")) else text


def _below(path: str, step: str) -> str:
    if len(path) + len(step) <= LONGEST_PATH:
        return path + step
    return path if path.endswith(OTHER) else f"{path}.{OTHER}"


def _name(name: str) -> str:
    return name if FIELD.fullmatch(name) else OTHER


def _clock(text: str, path: str) -> str:
    """The time that `text` writes, so that 9:00, 09:00:00 and 09:00+01:00 are the same, and so is the end of a day."""
    try:
        given = local_time(text)
    except Wrong:
        return text
    return str(MIDNIGHT if given == time() and path.endswith("closes_at") else given)


def _told(left_out: Counter[str]) -> tuple[tuple[str, int], ...]:
    listed = sorted(left_out.items())
    rest = sum(times for _, times in listed[MOST_PATHS:])
    return (*listed[:MOST_PATHS], *([(OTHER, rest)] if rest else []))
