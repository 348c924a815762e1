"""Which receivers answer to what is typed, and in which order: one table of cases, read by the browser's own script."""

from unicodedata import normalize

import pytest
from playwright.sync_api import Page

from helpline.listings import areas
from tests.journeys.desk import Desk

pytestmark = pytest.mark.django_db(transaction=True)
LABELS = {"social": "Socialtjänst", "avh_ideb": "Avhopparverksamhet, idéburen (Exit)", "linje": "Annan stödlinje"}
LABELS["polis"] = "Polis"


def one(name: str, target: str, *codes: str, by: str = "", shared: bool = False) -> dict[str, object]:
    return {"name": name, "by": by, "target": target, "areas": codes, "shared": shared}


RECEIVERS = [
    one("Ungdomsstödet", "social", "1785", by="Säffle kommun"),
    one("Familjeenheten", "social", "1785", "1765", shared=True),  # Säffle and Årjäng
    one("Råd i Värmland", "social", "17"),
    one("Jourlinjen", "linje", "SE"),
    one("Exit Nord", "avh_ideb", "SE"),
    one("Exit Värmland", "avh_ideb", "17"),
    one("Mottagningen", "social", "0180", by="Stockholms stad"),
    one("Mottagningen", "social", "1523", "1524", by="Lång väg", shared=True),
    one("Åldersgruppen", "linje", "1440"),  # Ale
    one("Anhörigcaféet", "linje", "1880"),  # Örebro
    one("Orsakoll", "linje", "2034"),  # Orsa
    one("Unga i Mark", "social", "1463", "1440", shared=True),  # Mark and Ale
    one("Unga i norr", "social", "0767"),  # Markaryd
    one("Nödnumret 112 (SOS Alarm)", "polis", "SE"),
    one("Polisen, för den som hotas", "polis", "SE"),
]
NAMES = [str(receiver["name"]) for receiver in RECEIVERS]

# Of one kind, where nobody knows where.
SOCIAL = [
    "Råd i Värmland",
    "Familjeenheten",
    "Mottagningen",
    "Unga i Mark",
    "Mottagningen",
    "Unga i norr",
    "Ungdomsstödet",
]

# What is typed, the county that the form says, and who comes first, in this order.
CASES = [
    # The nearest first: municipality, shared unit, county, whole country.
    ("säffle", "", ["Ungdomsstödet", "Familjeenheten", "Exit Värmland", "Råd i Värmland", "Exit Nord", "Jourlinjen"]),
    ("säffle social", "", ["Ungdomsstödet", "Familjeenheten", "Råd i Värmland"]),
    ("social säf", "", ["Ungdomsstödet", "Familjeenheten", "Råd i Värmland"]),
    ("säffle exit", "", ["Exit Värmland", "Exit Nord"]),
    # A kind, near the county that the form says, then for everybody, then elsewhere.
    ("social", "17", ["Ungdomsstödet", "Familjeenheten", "Råd i Värmland", "Mottagningen"]),
    ("exit", "17", ["Exit Värmland", "Exit Nord"]),
    ("exit", "01", ["Exit Nord", "Exit Värmland"]),
    # Where nobody knows where, what is for everybody comes first.
    ("exit", "", ["Exit Nord", "Exit Värmland"]),
    ("exit", "UTL", ["Exit Nord", "Exit Värmland"]),
    # The beginning of a kind or name before a word inside, however near that is; a small word is not looked for.
    ("so", "", [*SOCIAL, "Nödnumret 112 (SOS Alarm)"]),
    ("soc", "", SOCIAL),
    ("po", "", ["Nödnumret 112 (SOS Alarm)", "Polisen, för den som hotas"]),
    ("sos", "", ["Nödnumret 112 (SOS Alarm)"]),
    ("112", "", ["Nödnumret 112 (SOS Alarm)"]),
    ("som", "", []),
    ("och", "", []),
    # Beside another word it is: a whole name can be typed.
    ("polisen för den som", "", ["Polisen, för den som hotas"]),
    ("råd i värmland", "", ["Råd i Värmland"]),
    # Names, organisations, words inside, several beginnings.
    ("jou", "", ["Jourlinjen"]),
    ("lång", "", ["Mottagningen"]),
    ("idé", "", ["Exit Nord", "Exit Värmland"]),
    ("ex no", "", ["Exit Nord"]),
    # Swedish letters as they are typed, or without their rings and dots; never the other way.
    ("ål", "", ["Åldersgruppen"]),
    ("SAFFLE", "", ["Ungdomsstödet", "Familjeenheten"]),
    ("anhorig", "", ["Anhörigcaféet"]),
    ("cafeet", "", []),
    ("anhörigcafe", "", ["Anhörigcaféet"]),
    ("öx", "", []),
    # Orsa, typed so, before Örebro, which only begins so without its dots.
    ("or", "", ["Orsakoll", "Anhörigcaféet"]),
    # A whole name before a longer one, although that is nearer.
    ("mark", "", ["Unga i Mark", "Unga i norr"]),
    ("marka", "", ["Unga i norr"]),
    # The county of the form tells two beginnings apart.
    ("ö", "18", ["Anhörigcaféet"]),
    # A name of a county.
    ("värmlands", "", ["Ungdomsstödet", "Familjeenheten", "Exit Värmland", "Råd i Värmland"]),
    # Nothing typed: whoever is near.
    ("", "17", ["Ungdomsstödet", "Familjeenheten", "Exit Värmland", "Råd i Värmland", "Exit Nord", "Jourlinjen"]),
    ("xyz", "", []),
    ("social xyz", "", []),
]

RANK = """async ([directory, labels, cases]) => {
  const { ranked, searchable, answering } = await import("/static/js/ranking.js");
  const searched = searchable(directory, (target) => labels[target]);
  const options = [{ value: "", text: "Ingen" }, ...Object.entries(labels).map(([value, text]) => ({ value, text }))];
  const names = (text, county) => ranked(searched, text, county).map((one) => one.name);
  return cases.map(([text, county]) => [names(text, county), answering(options, text)]);
}"""


def answers(page: Page, cases: list[tuple[str, str]]) -> list[tuple[list[str], str]]:
    names = {code: areas.name(code, "sv") for code in (*areas.COUNTIES, *areas.MUNICIPALITIES)}
    return page.evaluate(RANK, [{"areas": names, "receivers": RECEIVERS}, LABELS, cases])


@pytest.fixture
def page_of_ours(opened) -> Page:
    desk: Desk = opened()
    return desk.page


Case = tuple[str, str, list[str]]


def wrong(page: Page, cases: list[Case]) -> list[Case]:
    """The cases in which others come first, or anybody where nobody should, with those."""
    got = answers(page, [(text, county) for text, county, _ in cases])
    return [
        (text, county, found)
        for (text, county, wanted), (found, _) in zip(cases, got, strict=True)
        if found[: len(wanted)] != wanted or (found and not wanted)
    ]


def test_the_nearest_that_answers_comes_first(page_of_ours):
    assert wrong(page_of_ours, CASES) == []


def test_letters_and_marks_that_are_typed_apart_find_the_same(page_of_ours):
    apart = [(normalize("NFD", text), county, wanted) for text, county, wanted in CASES]
    assert sum(one[0] != other[0] for one, other in zip(apart, CASES, strict=True)) > 10
    assert wrong(page_of_ours, apart) == []


def test_another_order_would_show(page_of_ours):
    turned = [(text, county, wanted[::-1]) for text, county, wanted in CASES if len(wanted) > 1]
    assert [case[:2] for case in wrong(page_of_ours, turned)] == [case[:2] for case in turned]
    assert wrong(page_of_ours, [("säffle", "", [])]) != []


def test_whatever_is_found_is_found_once_and_nothing_typed_finds_all(page_of_ours):
    ((all_of_them, _), (some, _)) = answers(page_of_ours, [("", ""), ("s", "")])
    assert sorted(all_of_them) == sorted(NAMES) and len(some) <= len(NAMES)


def test_a_kind_answers_to_a_word_that_is_typed(page_of_ours):
    texts = {
        "so": "social",
        "säffle so": "social",
        "exit": "avh_ideb",
        "stöd": "linje",
        "säffle": "",
        "": "",
        "ing": "",
    }
    got = answers(page_of_ours, [(text, "") for text in texts])
    assert {text: kind for text, (_, kind) in zip(texts, got, strict=True)} == texts
