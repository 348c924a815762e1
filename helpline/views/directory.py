"""Owns the pages on which staff look up whom to refer to.

What is looked for during a call may be where the caller lives, so a form sends it in its body, never in an address:
those are kept by browsers, and by the logs of whatever stands before the program. Links of a coordinator's pages, where
nobody calls, may say it in their address.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext

from helpline.access import StaffRequest, needs, only
from helpline.directory import receivers
from helpline.directory.forms import DIMENSION_NAMES, codes
from helpline.directory.receivers import Found, Wanted
from helpline.directory.rows import WEEKDAY_NAMES
from helpline.listings import RECEIVER, RESOURCE, Hours, areas
from helpline.listings.freshness import months_from
from helpline.listings.hours import Openness, openness
from helpline.listings.nearness import Nearness
from helpline.models import Phone, Service, User
from helpline.taxonomy import CODE_LISTS

PAGE = 50
PAGES = "helpline/directory/"
AREAS_SHOWN = 3
STALE, CLOSED = "stale", "closed"
LONGEST = 100  # characters of a search


@dataclass(frozen=True, slots=True)
class Line:
    """One service of the list, in words."""

    service: Service
    group: str
    target: str
    phones: list[Phone]
    areas: str
    agreement: str
    is_stale: bool
    has_lapsed: bool


@needs("directory.view")
@only("GET", "HEAD", "POST")
def index(request: StaffRequest) -> HttpResponse:
    """The services that are looked for, the nearest first, page by page."""
    sent = request.POST if request.method == "POST" else request.GET
    wanted = _wanted(sent, reader=request.user)
    page = Paginator(receivers.find(wanted, today=timezone.localdate()), PAGE).get_page(sent.get("page"))
    shown = {
        "lines": [_line(found, wanted) for found in page],
        "page": page,
        "wanted": wanted,
        "is_narrowed": wanted != Wanted(kind=wanted.kind),
        "sent": as_sent(wanted),
        "kinds": [(RECEIVER, gettext("Receivers")), (RESOURCE, gettext("Knowledge resources"))],
        "targets": codes("referral_target"),
        "country": (areas.COUNTRY, areas.name(areas.COUNTRY, get_language() or "")),
        "places": _places(),
        "edits": request.user.may("directory.edit"),
    }
    return render(request, f"{PAGES}index.html", shown)


@needs("directory.view")
@only("GET", "HEAD", "POST")
def service(request: StaffRequest, service: UUID) -> HttpResponse:
    """Everything of one service. From a list that was narrowed down it is asked for by a form, which leads back."""
    now = timezone.now()
    today = timezone.localdate(now)
    found = receivers.detail(service, today=today)
    if found is None:
        raise Http404
    language = get_language() or ""
    one = found.service
    shown = {
        "found": found,
        "service": one,
        "target": label("referral_target", one.target),
        "dimension": DIMENSION_NAMES.get(one.dimension, ""),
        "covers_exit": label("covers_exit", one.covers_exit),
        "agreement": label("agreement", one.organisation.agreement),
        "is_receiver": one.kind == RECEIVER,
        "languages": [label("language", code) for code in found.languages],
        "areas": [area_name(code, language) for code in found.areas],
        "week": _week(found.hours, today),
        "other_hours": [(_days(line), line) for line in found.hours if not line.is_valid(today)],
        "uses": [(_quarter(quarter), n) for quarter, n in found.uses],
        "openness": _said(found.hours, now),
        "back": as_sent(_wanted(request.POST, reader=request.user)) if request.method == "POST" else {},
        "edits": request.user.may("directory.edit"),
    }
    return render(request, f"{PAGES}service.html", shown)


# --- what is looked for -----------------------------------------------------------------------------------------------


def _wanted(sent: QueryDict, *, reader: User) -> Wanted:
    """What is looked for; what cannot be looked for is not. Closed services are for whoever may open them again."""
    kind, target, place = sent.get("kind", RECEIVER), sent.get("target", ""), sent.get("place", "")
    state = sent.get("state", "")
    return Wanted(
        kind=kind if kind in (RECEIVER, RESOURCE) else RECEIVER,
        target=target if target in CODE_LISTS["referral_target"].codes and kind != RESOURCE else "",
        place=place if areas.is_area(place) else "",
        words=" ".join(sent.get("words", "")[:LONGEST].split()),
        is_stale=state == STALE,
        is_closed=state == CLOSED and reader.may("directory.edit"),
    )


def as_sent(wanted: Wanted) -> dict[str, str]:
    """`wanted` as a form or an address says it, without what is not looked for."""
    state = STALE if wanted.is_stale else CLOSED if wanted.is_closed else ""
    said = {"kind": wanted.kind, "target": wanted.target, "place": wanted.place, "words": wanted.words, "state": state}
    nothing = {"kind": RECEIVER}
    return {name: value for name, value in said.items() if value and nothing.get(name) != value}


def _places() -> list[tuple[str, list[tuple[str, str]]]]:
    """The counties, each with what can be chosen in it: the county itself, then its municipalities."""
    language = get_language() or ""
    inside: dict[str, list[tuple[str, str]]] = {
        county: [(county, gettext("%(county)s, all of it") % {"county": areas.name(county, language)})]
        for county in areas.COUNTIES
    }
    for code, name in areas.MUNICIPALITIES.items():
        inside[areas.county_of(code)].append((code, name))
    return [(areas.name(county, language), options) for county, options in inside.items()]


# --- in words ---------------------------------------------------------------------------------------------------------


def label(code_list: str, code: str) -> str:
    """What a code is called; one that the list lacks keeps its name."""
    known = CODE_LISTS[code_list].codes.get(code)
    return known.label(get_language() or "") if known else code


def area_name(code: str, language: str) -> str:
    """What an area is called; one that is none any more keeps its code."""
    return areas.name(code, language) if areas.is_area(code) else code


def _line(found: Found, wanted: Wanted) -> Line:
    language, one = get_language() or "", found.service
    county = wanted.place[:2]
    served = sorted(found.areas, key=lambda code: (code[:2] != county, code))
    names = [area_name(code, language) for code in served]
    shown = ", ".join(names[:AREAS_SHOWN])
    if len(names) > AREAS_SHOWN:
        more = len(names) - AREAS_SHOWN
        shown = gettext("%(names)s and %(more)d more") % {"names": shown, "more": more}
    return Line(
        service=one,
        group=_group(found.near, wanted.place),
        target=label("referral_target", one.target),
        phones=sorted(one.phones.all(), key=lambda phone: phone.position),
        areas=shown,
        agreement=label("agreement", one.organisation.agreement),
        is_stale=found.is_stale,
        has_lapsed=found.has_lapsed,
    )


def _group(near: Nearness | None, place: str) -> str:
    """What services that are equally near to a place stand under."""
    if near is None:
        return ""
    language = get_language() or ""
    county = areas.name(areas.county_of(place) or areas.COUNTRY, language)
    return {
        Nearness.MUNICIPALITY: areas.name(place, language),
        Nearness.SHARED: gettext("Shared unit"),
        Nearness.COUNTY: county,
        Nearness.PART: gettext("In part of %(county)s") % {"county": county},
        Nearness.COUNTRY: areas.name(areas.COUNTRY, language),
        Nearness.UNKNOWN: gettext("Nobody has said for which area"),
    }[near]


def _said(hours: list[Hours], now: datetime) -> Openness:
    """Whether it is open, with the change by the clock on the wall."""
    said = openness(hours, now)
    return replace(said, changes_at=timezone.localtime(said.changes_at)) if said.changes_at else said


def _days(line: Hours) -> str:
    return ", ".join(str(WEEKDAY_NAMES.get(day, day)) for day in line.weekdays.split(","))


def _quarter(first: date) -> str:
    """A quarter as it is said: July–September 2026."""
    last = months_from(first, 2)
    return f"{date_format(first, 'F')}–{date_format(last, 'F Y')}"


def _week(hours: list[Hours], today: date) -> list[tuple[str, list[Hours]]]:
    """The hours of each weekday that hold today, by the clock; empty where none do."""
    valid = [line for line in hours if line.is_valid(today)]
    if not valid:
        return []
    return [
        (str(name), sorted((line for line in valid if day in line.weekdays.split(",")), key=lambda line: line.opens))
        for day, name in WEEKDAY_NAMES.items()
    ]
