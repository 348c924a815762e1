"""Owns made-up entries of the directory for the tests of its files: whatever the columns can hold."""

from datetime import date, time
from unicodedata import normalize

from hypothesis import strategies as st

from helpline.code_files import DIMENSIONS
from helpline.listings import (
    MIDNIGHT,
    RESOURCE,
    WEEKDAYS,
    Hours,
    OrganisationEntry,
    Phone,
    Place,
    ServiceEntry,
    areas,
)
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS

LETTERS = st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp"))
TARGETS = [code for code in CODE_LISTS["referral_target"].codes if code not in NON_ANSWERS]
AREAS = [*areas.COUNTIES, *areas.MUNICIPALITIES, areas.COUNTRY]
DAYS = st.none() | st.dates(date(2000, 1, 1), date(2100, 1, 1))


def line(most: int, *, least: int = 0) -> st.SearchStrategy[str]:
    """Also what a table would take for a mark of its own."""
    marks = st.text(st.sampled_from("|;\\\"'=+-@, 1a\u00e5"), max_size=min(most, 12))
    texts = st.text(LETTERS, max_size=min(most, 20)) | marks
    return texts.map(lambda text: " ".join(normalize("NFC", text).split())).filter(lambda text: len(text) >= least)


PARAGRAPHS = st.text(LETTERS | st.just("\n"), max_size=40).map(lambda text: normalize("NFC", text).strip())
URLS = st.sampled_from(["", "https://example.se", "http://example.se/a?b=c#d"])
PHONES = st.builds(
    Phone, number=line(40, least=1), extension=st.sampled_from(["", "7", "007", "växel"]), description=line(200)
)
PLACES = st.builds(
    Place, is_virtual=st.booleans(), name=line(200), address=line(200), postal_code=line(10), city=line(100)
)


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    days = draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1))
    opens = draw(st.times(max_value=time(23, 0)).map(lambda given: given.replace(microsecond=0)))
    closes = draw(st.sampled_from([MIDNIGHT, time(23, 30), time(23, 0, 1)]))
    weekdays = ",".join(day for day in WEEKDAYS if day in days)
    first, last = draw(DAYS), draw(DAYS)
    if first and last:
        first, last = min(first, last), max(first, last)
    return Hours(weekdays, opens, closes, first, last, draw(line(200)))


@st.composite
def services(draw: st.DrawFn) -> ServiceEntry:
    resource = draw(st.booleans())
    about = {"kind": RESOURCE} if resource else {"target": draw(st.sampled_from(TARGETS))}
    return ServiceEntry(
        id=draw(st.uuids()),
        name=draw(line(200, least=1)),
        **about,
        dimension="" if resource else draw(st.sampled_from(DIMENSIONS)),
        description=draw(PARAGRAPHS),
        url=draw(URLS),
        alert=draw(line(300)),
        covers_exit=draw(st.sampled_from(["ja", "nej", "okant"])),
        is_shared=draw(st.booleans()),
        is_confidential=draw(st.booleans()),
        is_active=draw(st.booleans()),
        assured_on=draw(DAYS),
        places=tuple(draw(st.lists(PLACES, max_size=2))),
        phones=tuple(draw(st.lists(PHONES, max_size=3))),
        hours=tuple(draw(st.lists(hours(), max_size=2))),
        languages=tuple(draw(st.lists(st.sampled_from(["sv", "en", "prs", "annat", "ur"]), max_size=2))),
        areas=tuple(draw(st.lists(st.sampled_from(AREAS), max_size=3))),
    )


@st.composite
def directories(draw: st.DrawFn) -> tuple[OrganisationEntry, ...]:
    """Organisations whose names and ids are their own, as are those of the services of each."""
    found = draw(
        st.lists(st.tuples(st.uuids(), line(200, least=1)), min_size=1, max_size=3, unique_by=lambda one: one[1])
    )
    taken = set()
    listed = []
    for id_, name in found:
        own = draw(st.lists(services(), max_size=2, unique_by=lambda one: one.name))
        own = [each for each in own if each.id not in taken]
        taken |= {each.id for each in own}
        until = draw(DAYS)
        agreement = draw(st.sampled_from(["projekt", "iop", "okant"]))
        listed.append(OrganisationEntry(id_, name, draw(PARAGRAPHS), draw(URLS), agreement, until, tuple(own)))
    return tuple(listed) if len({each.id for each in listed}) == len(listed) else tuple(listed[:1])
