"""The words that files add: in both languages, and a subject for each table."""

from reports.catalogue import TABLES
from reports.formats import wording


def test_every_table_has_a_subject_by_what_it_counts():
    assert {wording.subject_of(table) for table in TABLES.values()} == set(wording.SUBJECTS)
    assert wording.subject_of(TABLES["all-total-month"]) == "U3"
    assert wording.subject_of(TABLES["total-month"]) == wording.subject_of(TABLES["gender-quarter"]) == "U4"
    assert wording.subject_of(TABLES["referral_type-quarter"]) == "U6"


def test_every_word_is_there_in_both_languages():
    for words in (wording.SOURCE, wording.UNIT, wording.REFERENCE_PERIOD, *wording.SUBJECTS.values()):
        assert set(words) == {"sv", "en"} and all(words.values())
