"""Owns the directory's way from and to a file: entries are stored by id, all or nothing, and every refusal is named.

Command and page make the same calls: `read_directory` for what the file says, `import_directory` to store it,
`export_directory` for a file. What is not in a file stays as it is.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID, uuid4

from django.db import transaction

from helpline.directory import Pair, put_organisations, put_services
from helpline.directory.entries import Entry, entries
from helpline.listings import Fault, Finding, OrganisationEntry, Reading, ServiceEntry, Wrong, hsds, hsds_reading, table
from helpline.listings.values import refuse_impossible

JSON, CSV = "json", "csv"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts of services: read, new, changed (or to be so, when nothing was to be changed), and there already as they
    are; every refusal, and each field that is left out. `whole` says that the file was refused, so nothing was stored.
    """

    services: int
    new: int
    changed: int
    already: int
    findings: tuple[Finding, ...]
    left_out: tuple[tuple[str, int], ...]
    whole: bool


# --- the three calls -------------------------------------------------------------------------------------------------


def read_directory(content: bytes, *, target: str = "") -> Reading:
    """What a file of HSDS JSON, CSV or XLSX says; which of them it is, its content tells. Never raises: a file that
    cannot be read is a finding. `target` is the referral target of services that name none."""
    begins = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not begins:
        return Reading(findings=(Finding(Fault.EMPTY),))
    reader = hsds_reading if begins in (b"{", b"[") else table
    return reader.read(content, target=target)


def import_directory(reading: Reading, *, dry_run: bool = False) -> Outcome:
    """Store the entries in one transaction; one refusal refuses the file. An entry is that of its id, else that of its
    name at its organisation. Raises DatabaseError when another import stores the same; nothing is stored then.
    """
    with transaction.atomic():
        stored = entries(hold=not dry_run)
        planned = _planned(reading, stored)
        findings = reading.findings or tuple(_refusals(planned)) or tuple(_taken_names(planned, stored))
        if findings:
            return Outcome(reading.services, 0, 0, 0, findings, reading.left_out, whole=True)
        was, pairs = {service.id: (of, service) for of, service in _pairs(stored)}, _pairs(planned)
        new = [pair for pair in pairs if pair[1].id not in was]
        changed = [pair for pair in pairs if pair[1].id in was and was[pair[1].id] != pair]
        if not dry_run:
            known, about = {each.id for each in stored}, {replace(each, services=()) for each in stored}
            told = [replace(each, services=()) for each in planned]
            put_organisations(
                new=[each for each in told if each.id not in known],
                changed=[each for each in told if each.id in known and each not in about],
            )
            put_services(new=new, changed=changed)
    already = len(pairs) - len(new) - len(changed)
    return Outcome(len(pairs), len(new), len(changed), already, (), reading.left_out, whole=False)


def export_directory(kind: str, *, include_confidential: bool = False) -> bytes:
    """The directory as a file of `kind`, JSON or CSV; without its confidential services unless they are asked for."""
    listed: Iterable[OrganisationEntry] = entries()
    if not include_confidential:
        listed = hsds.without_hidden(listed)
    return (table if kind == CSV else hsds).write(listed)


# --- what a file changes ---------------------------------------------------------------------------------------------


def _planned(reading: Reading, stored: Collection[OrganisationEntry]) -> list[OrganisationEntry]:
    """The entries of the file as they are to be stored: each with the id that it has, and with what a table is silent
    on as it is stored."""
    by_id = {organisation.id: organisation for organisation in stored}
    by_name = {organisation.name: organisation for organisation in stored}
    services = {service.id: service for _, service in _pairs(stored)}
    planned = []
    for given in reading.organisations:
        known = by_id.get(given.id) or by_name.get(given.name)
        at_home = {service.name: service for service in known.services} if known else {}
        organisation = _kept_organisation(known, given, reading.fields)
        planned.append(
            replace(
                organisation,
                services=tuple(
                    _kept_service(services.get(each.id) or at_home.get(each.name), each, reading.fields)
                    for each in given.services
                ),
            )
        )
    return planned


def _kept_organisation(
    known: OrganisationEntry | None, given: OrganisationEntry, fields: frozenset[str] | None
) -> OrganisationEntry:
    if known is None:
        return replace(given, id=given.id or uuid4())
    if fields is None:
        return replace(given, id=known.id)
    columns = {name: getattr(given, name) for name in ("agreement", "agreement_until") if name in fields}
    return replace(known, **columns)


def _kept_service(known: ServiceEntry | None, given: ServiceEntry, fields: frozenset[str] | None) -> ServiceEntry:
    if known is None:
        return replace(given, id=given.id or uuid4())
    kept: dict[str, Any] = {} if fields is None else dict(table.kept(known, given, fields))
    return replace(given, id=known.id, **kept)


def _pairs(listed: Iterable[OrganisationEntry]) -> list[Pair]:
    return [(cast(UUID, each.id), service) for each in listed for service in each.services]


# --- what is refused -------------------------------------------------------------------------------------------------


def _refusals(planned: Iterable[OrganisationEntry]) -> Iterator[Finding]:
    """What breaks a rule of the directory; readers refuse it before, by its place in the file."""
    for organisation in planned:
        both: tuple[Entry, ...] = (organisation, *organisation.services)
        for entry in both:
            try:
                refuse_impossible(entry)
            except Wrong as wrong:
                yield Finding(wrong.fault, column=wrong.field, hint=wrong.hint)


def _taken_names(planned: Collection[OrganisationEntry], stored: Collection[OrganisationEntry]) -> Iterator[Finding]:
    """A refusal for each entry of the file whose name another entry has or keeps, or that is one with another."""
    organisations = {each.id: each.name for each in (*stored, *planned)}
    names = Counter(organisations.values())
    services = {service.id: (of, service.name) for of, service in _pairs((*stored, *planned))}
    homes = Counter(services.values())
    seen: set[tuple[type, UUID | None]] = set()
    for organisation in planned:
        if names[organisation.name] > 1:
            yield Finding(Fault.NAME_TAKEN, hint=organisation.name)
        both: tuple[Entry, ...] = (organisation, *organisation.services)
        for entry in both:
            if (type(entry), entry.id) in seen:
                yield Finding(Fault.NAME_TAKEN, hint=entry.name)
            seen.add((type(entry), entry.id))
        for of, service in _pairs([organisation]):
            if homes[of, service.name] > 1:
                yield Finding(Fault.NAME_TAKEN, hint=service.name)
