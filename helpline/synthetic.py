"""Owns the made-up contacts of the demonstration: how many on which day, and what each of them says.

Pure. The shares are guesses in the size of what comparable lines publish; they describe nobody. A code that a table
does not name comes up rarely, so that a new code in a list needs no line here.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from random import Random

from helpline import taxonomy
from helpline.entries import ContactEntry, ReferralEntry
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS, QUESTIONS, When

Weights = Mapping[str, float]
Answers = Mapping[str, frozenset[str]]

RARE = 0.3  # the weight of a code that a table does not name; a table's weights add up to about 100

# --- how many -------------------------------------------------------------------------------------------------------

# Of an average month, January first: nearly nobody calls in July, most in autumn.
SEASON = (1.0, 1.05, 1.1, 1.0, 1.0, 0.85, 0.55, 0.85, 1.2, 1.25, 1.2, 0.95)
GROWTH_A_YEAR = 0.04
OTHER_DAY = 0.02  # a weekend's or a holiday's share of an office day: a promised call-back
HOLIDAYS = frozenset({(1, 1), (1, 6), (5, 1), (6, 6), (12, 24), (12, 25), (12, 26), (12, 31)})
AFTER_EASTER = frozenset({-2, 0, 1, 39})  # Good Friday, Easter Day and Monday, Ascension Day

# --- what they say: for each question the first line whose condition holds -------------------------------------------


def _if(question: str, *codes: str) -> When:
    return When(question, frozenset(codes))


ELSE = When("result", frozenset(), unless=True)
_RELEVANT, _INFO = _if("result", "relevant"), _if("result", "info")
_EXIT, _DANGER = _if("concerns", "vill_ut", "aterfall"), _if("concerns", "hot", "resa", "barn")
_SELF, _SWEDISH = _if("relation", "sjalv"), _if("language", "sv")

# Per cent of Sweden's inhabitants.
INHABITANTS = {
    **{"01": 23, "03": 4, "04": 3, "05": 4.5, "06": 3.5, "07": 2, "08": 2.4, "09": 0.6, "10": 1.5, "12": 13, "13": 3.3},
    **{"14": 17, "17": 2.7, "18": 3, "19": 2.7, "20": 2.8, "21": 2.8, "22": 2.3, "23": 1.3, "24": 2.7, "25": 2.4},
}

TABLES: Mapping[str, tuple[tuple[When, Weights], ...]] = {
    "channel": ((ELSE, dict(telefon=82, aterupp=9, chatt=5, epost=2, relat=1, annan=1)),),
    "result": ((ELSE, dict(relevant=50, info=20, tyst=10, avbrutet=8, fel=6, bus=4, test=2)),),
    "length": (
        (_RELEVANT, {"u5": 2, "5_14": 15, "15_29": 33, "30_59": 36, "60": 14}),
        (_INFO, {"u5": 45, "5_14": 46, "15_29": 8, "30_59": 1}),
        (ELSE, {"u5": 98, "5_14": 2}),
    ),
    "caller_role": (
        (_INFO, dict(yrkes=40, media=22, allman=18, narstaende=12, ideell=6, sjalv=2)),
        (ELSE, dict(yrkes=41, narstaende=36, allman=8, ideell=6, sjalv=5, media=4)),
    ),
    "sector": ((ELSE, dict(skola=35, social=27, fritid=8, samord=8, kvv=7, polis=6, vard=5, annan=4)),),
    "relation": (
        (_if("caller_role", "narstaende"), dict(foralder=52, syskon=15, van=14, slakt=9, partner=7, barn=3)),
        (_if("caller_role", "sjalv"), dict(sjalv=97, ingen=3)),
        (_if("caller_role", "yrkes"), dict(yrkesrel=76, ingen=24)),
        (_if("caller_role", "media"), dict(ingen=98, yrkesrel=2)),
        (ELSE, dict(ingen=58, yrkesrel=20, van=13, slakt=5, ej_fragat=4)),
    ),
    "caller_gender": (
        (_if("caller_role", "sjalv"), dict(m=70, k=26, ej_fragat=2, a=2)),
        (ELSE, dict(k=68, m=28, ej_fragat=3, a=1)),
    ),
    "caller_adult": (
        (_if("caller_role", "narstaende", "sjalv"), dict(vuxen=90, under18=7, ej_fragat=3)),
        (ELSE, dict(vuxen=97, ej_fragat=2, under18=1)),
    ),
    "first_contact": ((ELSE, dict(ja=78, nej=15, vet_ej=3, ej_fragat=4)),),
    "concerns": (
        (_if("caller_role", "sjalv"), dict(vill_ut=50, hot=14, aterfall=10, eget=10, aktiv=8, natet=4, annat=4)),
        (_if("relation", "ingen"), dict(metod=62, natet=14, eget=9, dras_in=7, annat=8)),
        (ELSE, dict(dras_in=36, aktiv=17, natet=12, barn=9, resa=7, vill_ut=7, eget=5, hot=4, metod=2, aterfall=1)),
    ),
    "environment": (
        (_if("concerns", "resa"), dict(islamistisk=90, hogerext=2, annan=2, flera=2, vet_ej=4)),
        (_if("concerns", "metod"), dict(islamistisk=30, hogerext=24, ingen=16, vansterext=4, gang=8, ej_fragat=18)),
        (ELSE, dict(islamistisk=41, hogerext=31, gang=8, vansterext=5, ingen=4, flera=2, annan=2, ej_fragat=7)),
    ),
    "gang_overlap": (
        (_if("environment", "gang"), dict(ja=90, nej=2, ej_fragat=8)),
        (ELSE, dict(nej=40, ja=10, vet_ej=8, ej_fragat=42)),
    ),
    "age": (
        (_SELF, dict(a18_25=45, a26=32, a15_17=13, u15=2, ej_fragat=8)),
        (_if("sector", "skola"), dict(a15_17=53, u15=24, a18_25=10, barn_ok=9, ej_fragat=4)),
        (ELSE, dict(a15_17=27, a18_25=31, a26=16, u15=8, barn_ok=5, vuxen_ok=5, ej_fragat=6, vet_ej=2)),
    ),
    "gender": ((ELSE, dict(m=74, k=19, a=1, ej_fragat=6)),),
    "county": ((ELSE, INHABITANTS | {"UTL": 0.8, "ej_fragat": 7}),),
    "needs": (
        (
            _EXIT,
            dict(p_arbete=15, s_vanner=14, p_bostad=12, s_vardag=9, p_skydd=8, s_familj=8, p_psyk=7, p_beroende=6)
            | dict(s_vuxen=5, s_partner=4, s_barn=3, p_ekonomi=4, p_miljo=4, s_arenor=4, p_utb=4, p_npf=2),
        ),
        (
            ELSE,
            dict(s_familj=20, s_vanner=15, s_arenor=12, p_utb=10, s_vardag=8, p_arbete=8, p_psyk=8, p_npf=5)
            | dict(s_vuxen=4, s_partner=2, s_barn=1, p_ekonomi=3, p_beroende=3, p_bostad=3, p_miljo=3, p_skydd=2),
        ),
    ),
    "motivation": (
        (_EXIT, dict(m2=44, m3=33, m1=11, m4=9, vet_ej=3)),
        (ELSE, dict(m0=48, m1=25, m2=5, m3=2, m4=1, vet_ej=15, ej_fragat=4)),
    ),
    "plan": ((ELSE, dict(nej=52, ja=11, vet_ej=25, ej_fragat=12)),),
    "barriers": (
        (_EXIT, dict(bestraff=25, utbud=15, misstro=13, obalans=9, stigma=9, problem=8, riktl=7, samv=6, finans=4)),
        (_if("caller_role", "yrkes"), dict(riktl=22, samv=18, ejmotiv=14, misstro=13, utbud=10, problem=9, inget=14)),
        (ELSE, dict(sluter=20, misstro=16, ejmotiv=15, stigma=11, utbud=8, bestraff=6, sprak=4, inget=20)),
    ),
    "actions": (
        (_INFO, dict(info=92, lyssnat=5, ingen=2)),
        (_if("relation", "ingen"), dict(info=42, hanvisat=28, radgjort=13, formedlat=5, lyssnat=8, relation=4)),
        (
            _if("concerns", "hot"),
            dict(lyssnat=25, hanvisat=25, radgjort=12, formedlat=12, akut=8, relation=8, uppfolj=8),
        ),
        (ELSE, dict(lyssnat=25, hanvisat=25, relation=17, genomgang=11, info=9, formedlat=6, uppfolj=5, radgjort=2)),
    ),
    "reports_made": (
        (_if("concerns", "barn"), dict(ej_akt=35, oa_info=35, oa_inr=20, oa_linje=4, pol_inr=4, pol_linje=2)),
        (_DANGER, dict(ej_akt=70, pol_inr=18, pol_linje=5, oa_info=5, oa_inr=2)),
        (ELSE, dict(ej_akt=90, oa_info=6, oa_inr=2, pol_inr=2)),
    ),
    "awareness": (
        (_if("first_contact", "nej"), dict(forut=72, webb=10, kommun=8, ej_fragat=10)),
        (_if("caller_role", "yrkes"), dict(kommun=38, webb=24, myndighet=18, tryck=7, media=5, ej_fragat=8)),
        (ELSE, dict(webb=34, social=13, media=12, bekant=11, myndighet=8, kommun=7, forening=4, tryck=3, ej_fragat=8)),
    ),
    "language": (
        (_if("caller_role", "yrkes", "media"), dict(sv=98, en=2)),
        (ELSE, dict(sv=84, ar=5, en=4, so=2, fa=1.5, ku=1.5, tr=0.5)),
    ),
    "language_support": (
        (_SWEDISH, dict(ej_behov=99)),
        (_if("language", "en"), dict(egen=80, ej_behov=16, tolk=4)),
        (ELSE, dict(egen=45, tolk=36, saknades=17, ej_behov=2)),
    ),
    "urgency": (
        (_if("actions", "akut"), dict(akut=97, snart=3)),
        (_DANGER, dict(snart=58, lag=37, akut=3, ej_fragat=2)),
        (ELSE, dict(lag=76, snart=20, ej_fragat=3, akut=1)),
    ),
    "referral_target": (
        (_EXIT, dict(avh_ideb=32, avh_mynd=19, social=12, kom_vbe=10, arbstud=9, bostad=7, vard=6, beroende=5)),
        (_if("concerns", "barn"), dict(social=55, kom_vbe=12, skola=10, polis=8, civil=6, vard=5, linje=4)),
        (_if("age", "u15", "a15_17", "barn_ok"), dict(social=31, skola=21, kom_vbe=18, fritid=14, civil=11, tros=5)),
        (ELSE, dict(kom_vbe=27, social=22, civil=15, polis=9, avh_ideb=8, vard=6, linje=5, tros=4, arbstud=4)),
    ),
    "referral_outcome": ((ELSE, dict(ej_uppf=82, kontakt=8, startad=3, vantar=3, saknas=2, avvisad=1, avstod=1)),),
}

# The share, in per cent, of one answer, two answers, three ... to a question that takes several.
HOW_MANY = {
    "concerns": (45, 40, 15),
    "needs": (25, 35, 25, 15),
    "barriers": (60, 30, 10),
    "actions": (35, 45, 20),
    "reports_made": (92, 8),
}
HOW_MANY_SIGNPOSTED = (75, 21, 4)


def entries(
    *, seed: int, since: date, until: date, contacts_a_month: int, skip: int = 0
) -> Iterator[tuple[str, ContactEntry]]:
    """The contacts of the days from `since` up to but not including `until`, each with a key of its own, in order of
    days and without the first `skip`. The same for the same seed, since and contacts a month; a later `until` only
    adds to the end."""
    for day, contacts in by_day(seed, since, until, contacts_a_month):
        for number in range(min(skip, contacts), contacts):
            key = f"demonstration {day.isoformat()} {number}"
            yield key, _entry(Random(f"{seed} {key}"), day)  # noqa: S311 (no secret hangs on it)
        skip -= min(skip, contacts)


def count(*, seed: int, since: date, until: date, contacts_a_month: int) -> int:
    """How many contacts `entries` gives."""
    return sum(contacts for _, contacts in by_day(seed, since, until, contacts_a_month))


def is_office_day(day: date) -> bool:
    """Monday to Friday, unless it is a public holiday in Sweden or one of its three eves on which offices close."""
    midsummer_eve = day.month == 6 and 19 <= day.day <= 25 and day.weekday() == 4
    holiday = (day.month, day.day) in HOLIDAYS or (day - _easter(day.year)).days in AFTER_EASTER
    return day.weekday() < 5 and not holiday and not midsummer_eve


def by_day(seed: int, since: date, until: date, contacts_a_month: int) -> Iterator[tuple[date, int]]:
    """Each day with how many contacts it has."""
    for ordinal in range(since.toordinal(), until.toordinal()):
        day = date.fromordinal(ordinal)
        growth = 1 + GROWTH_A_YEAR * (day - since).days / 365
        expected = contacts_a_month * SEASON[day.month - 1] * growth * _share_of_month(day)
        yield day, poisson(Random(f"{seed} {day.isoformat()}"), expected)  # noqa: S311


def _share_of_month(day: date) -> float:
    return _weight(day) / _weight_of_month(day.year, day.month)


@lru_cache
def _weight_of_month(year: int, month: int) -> float:
    return sum(_weight(date(year, month, n + 1)) for n in range(monthrange(year, month)[1]))


def _weight(day: date) -> float:
    return 1 if is_office_day(day) else OTHER_DAY


@lru_cache
def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    month, day = divmod(h + weekday - 7 * ((a + 11 * h + 22 * weekday) // 451) + 114, 31)
    return date(year, month, day + 1)


def poisson(rng: Random, expected: float) -> int:
    """How many events of a steady stream fall within one unit of time."""
    number, time = 0, rng.expovariate(expected)
    while time < 1:
        number, time = number + 1, time + rng.expovariate(expected)
    return number


def _entry(rng: Random, day: date) -> ContactEntry:
    answers: dict[str, frozenset[str]] = {}
    for question in QUESTIONS:
        if taxonomy.is_asked(question, answers):
            answers[question] = _draw(rng, question, answers, day)
    referrals = _referrals(rng, answers, day) if taxonomy.is_asked(taxonomy.REFERRALS, answers) else ()
    return ContactEntry(day, answers, referrals)


def _draw(rng: Random, question: str, answers: Answers, day: date) -> frozenset[str]:
    left = _weighed(question, answers, day)
    drawn: list[str] = []
    for _ in range(_number(rng, HOW_MANY[question]) if question in HOW_MANY else 1):
        code = _choose(rng, left)
        if code in NON_ANSWERS or CODE_LISTS[question].codes[code].exclusive:
            return frozenset(drawn or [code])
        drawn.append(code)
        del left[code]
    return frozenset(drawn)


def _weighed(list_id: str, answers: Answers, day: date) -> dict[str, float]:
    weights = next((weights for when, weights in TABLES.get(list_id, ()) if when.holds(answers)), {})
    return {code.code: weights.get(code.code, RARE) for code in CODE_LISTS[list_id].offered_on(day)}


def _choose(rng: Random, weighed: Weights) -> str:
    return rng.choices(list(weighed), weights=list(weighed.values()))[0]


def _number(rng: Random, shares: tuple[int, ...]) -> int:
    return rng.choices(range(1, len(shares) + 1), weights=shares)[0]


def _referrals(rng: Random, answers: Answers, day: date) -> tuple[ReferralEntry, ...]:
    """As the actions say: "signposted" gives one to three, "arranged contact" one, with the caller's consent."""
    types = ["hanvisning"] * _number(rng, HOW_MANY_SIGNPOSTED) if "hanvisat" in answers["actions"] else []
    types += ["formedling"] if "formedlat" in answers["actions"] else []
    made: dict[tuple[str, str], ReferralEntry] = {}
    for kind in types:
        target = _choose(rng, _weighed("referral_target", answers, day))
        outcome = _choose(rng, _weighed("referral_outcome", answers, day))
        made[target, kind] = ReferralEntry(target, kind, outcome, consent=kind == "formedling")
    return tuple(made.values())
