"""Owns the shape in which published figures travel: `PublishedTable`, its dimensions and its words. Pure.

Only `published.table` builds one; pages, charts, API and every file format take nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import product

from helpline.taxonomy import CODE_LISTS, NON_ANSWERS
from reports.catalogue import TOTAL, UNKNOWN, Table
from reports.counting import CONTACTS, REFERRALS, U1, U3, U4
from reports.disclosure.protect import Value
from reports.periods import Period

TIME, CONTENTS_CODE = "Tid", "ContentsCode"

_TIMES = {
    "month": {"sv": "månad", "en": "month"},
    "quarter": {"sv": "kvartal", "en": "quarter"},
    "half-year": {"sv": "halvår", "en": "half-year"},
    "year": {"sv": "år", "en": "year"},
    "pilot": {"sv": "pilotperiod", "en": "pilot period"},
}
_CONTENTS = {
    (U3, CONTACTS): {"sv": "Antal kontakter, alla loggade (U3)", "en": "Number of contacts, all logged (U3)"},
    (U4, CONTACTS): {
        "sv": "Antal verksamhetsrelevanta kontakter (U4)",
        "en": "Number of operationally relevant contacts (U4)",
    },
    (U4, REFERRALS): {
        "sv": "Antal hänvisningar och förmedlingar (U6)",
        "en": "Number of referrals, signposted or arranged (U6)",
    },
}
_CALLS = {
    "anrop": {"sv": "Anrop (U1)", "en": "Calls (U1)"},
    "besvarade": {"sv": "Besvarade anrop (U2)", "en": "Answered calls (U2)"},
    "korta": {"sv": "Avbrutna inom 10 sekunder", "en": "Abandoned within 10 seconds"},
    "avbrutna": {"sv": "Obesvarade under öppettid", "en": "Unanswered while open"},
    "stangt": {"sv": "Utanför öppettid", "en": "While closed"},
    "meddelanden": {"sv": "Röstmeddelanden", "en": "Voicemail messages"},
}
_CONTENTS |= {(U1, contents): words for contents, words in _CALLS.items()}
_WHAT = {
    U1: {"sv": "Anrop", "en": "Calls"},
    U3: {"sv": "Alla loggade kontakter", "en": "All logged contacts"},
    U4: {"sv": "Verksamhetsrelevanta kontakter", "en": "Operationally relevant contacts"},
}
_WORDS = {
    "by": {"sv": "efter", "en": "by"},
    CONTENTS_CODE: {"sv": "tabellinnehåll", "en": "observations"},
    "and": {"sv": "och", "en": "and"},
    TOTAL: {"sv": "Samtliga", "en": "Total"},
    UNKNOWN: {"sv": CODE_LISTS["non_answers"].sv, "en": CODE_LISTS["non_answers"].en},
}
NOTES = {
    "nearest": {
        "sv": "Antalen är avrundade till närmaste multipel av 5, vart och ett för sig, så delarna behöver inte bli"
        " lika med antalet anrop.",
        "en": "The numbers are rounded to the nearest 5, each on its own, so the parts need not add up to the calls.",
    },
    "calls": {
        "sv": "Siffrorna räknar anrop till telefonnumret, inte personer och inte kontakter: den som ringer tre gånger"
        " är tre anrop. Besvarade, avbrutna, obesvarade och utanför öppettid är tillsammans alla anrop; ett"
        " röstmeddelande hör till ett av de obesvarade eller dem utanför öppettid.",
        "en": "The figures count calls to the number, not people and not contacts: somebody who calls three times is"
        " three calls. Answered, abandoned, unanswered and closed are all calls together; a voicemail message belongs"
        " to one that was unanswered or came while closed.",
    },
    "few": {
        "sv": ".. = färre än tre anrop, eller inga uppgifter från telefonin.",
        "en": ".. = fewer than three calls, or no counts from the telephony.",
    },
    "rounding": {
        "sv": "Antalen är slumpmässigt avrundade uppåt eller nedåt till en multipel av 5. Varje summa är avrundad för"
        " sig, så delarna behöver inte bli lika med den.",
        "en": "Counts are randomly rounded up or down to a multiple of 5. Every total is rounded on its own, so the"
        " parts need not add up to it.",
    },
    "unit": {
        "sv": "Siffrorna räknar kontakter, inte personer, och säger inget om hur vanlig extremism är i Sverige.",
        "en": "The figures count contacts, not people, and say nothing of how common extremism is in Sweden.",
    },
    "several": {
        "sv": "En kontakt kan ha flera svar och räknas då en gång för vart och ett.",
        "en": "A contact can have several answers and then counts once for each.",
    },
    "asked": {
        "sv": "Samtliga räknar de kontakter som frågan hör till; där den inte är aktuell räknas kontakten inte här.",
        "en": "Total counts the contacts that the question belongs to; where it does not apply, none is counted here.",
    },
    "hidden": {
        "sv": ".. = för få kontakter för att visas, eller dold för att skydda en annan uppgift.",
        "en": ".. = too few contacts to be shown, or hidden to protect another figure.",
    },
}


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension: its code, and the codes in it, in table order; for Tid the codes of its periods."""

    id: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class PublishedTable:
    """A table, or a selection of one: its dimensions (class variables, ContentsCode, Tid) and every value, row-major.

    `periods` are all periods by their Tid code. Variables that were left out are read at their published total.
    """

    table: Table
    dimensions: tuple[Dimension, ...]
    values: tuple[Value, ...] = field(repr=False)
    periods: Mapping[str, Period] = field(repr=False)
    updated: date
    release: str  # SHA-256 of the manifests it is read from

    def cells(self) -> Iterator[tuple[tuple[str, ...], Value]]:
        """(one code of each dimension, value), in the order of `values`."""
        return zip(product(*(dimension.codes for dimension in self.dimensions)), self.values, strict=True)

    def value(self, **codes: str) -> Value:
        """The value at one code of each dimension. KeyError for a code that is not there."""
        place = 0
        for dimension in self.dimensions:
            try:
                place = place * len(dimension.codes) + dimension.codes.index(codes[dimension.id])
            except ValueError:
                raise KeyError(codes[dimension.id]) from None
        return self.values[place]

    def label_of(self, dimension: str, code: str, language: str) -> str:
        if dimension == TIME:
            return self.periods[code].label(language)
        return code_label(self.table, dimension, code, language)


def _word(words: Mapping[str, str], language: str) -> str:
    return words["en" if language == "en" else "sv"]


def dimension_label(table: Table, dimension: str, language: str) -> str:
    """The name of a dimension within a sentence, unique in its table."""
    if dimension == TIME:
        return _word(_TIMES[table.period], language)
    if dimension == CONTENTS_CODE:
        return _word(_WORDS[CONTENTS_CODE], language)
    label = CODE_LISTS[dimension].label(language)
    return label[0].lower() + label[1:]


def code_label(table: Table, dimension: str, code: str, language: str) -> str:
    """The words of a code of a class variable or of ContentsCode."""
    if dimension == CONTENTS_CODE:
        return _word(_CONTENTS[table.base, code], language)
    if code in (TOTAL, UNKNOWN):
        return _word(_WORDS[code], language)
    return CODE_LISTS[dimension].codes[code].label(language)


def title(table: Table, language: str) -> str:
    """ "X by a, b and c", with every dimension but the contents."""
    names = [dimension_label(table, variable.id, language) for variable in table.variables]
    names.append(dimension_label(table, TIME, language))
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {_word(_WORDS['and'], language)} {names[-1]}"
    return f"{_word(_WHAT[table.base], language)} {_word(_WORDS['by'], language)} {listed}"


def notes(table: Table, language: str) -> list[str]:
    """What must be read beside the figures; the first ones say how they were rounded and what they count."""
    if table.counts_calls:
        return [_word(NOTES[name], language) for name in ("nearest", "calls", "few")]
    several = any(CODE_LISTS[variable.id].multiple or variable.of_referral for variable in table.variables)
    names = ["rounding", "unit", *(["asked"] if table.variables else []), *(["several"] if several else []), "hidden"]
    return [_word(NOTES[name], language) for name in names]


def non_answers(language: str) -> str:
    """What `_U` sums, in words."""
    return ", ".join(code.label(language) for code in NON_ANSWERS.values() if code.code != "ej_till")
