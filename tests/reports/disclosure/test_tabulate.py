"""From records to cells: who stands where."""

from reports.catalogue import TABLES, VARIABLES
from reports.disclosure.tabulate import Contacts, Record, coordinates_of, tabulate


def record(key: int = 1, relevant: bool = True, first: bool = True, referrals=(), **codes: str) -> Record:
    unanswered = {name: frozenset({"ej_till"}) for name in VARIABLES if not name.startswith("referral_")}
    given = {name: frozenset(text.split()) for name, text in codes.items()}
    return Record(key, relevant, first, unanswered | given, tuple(referrals))


def n(table: str, *records: Record) -> dict[tuple[str, ...], int]:
    cells = tabulate(TABLES[table], records).cells
    return {coordinates: cell.contacts.n for coordinates, cell in cells.items() if cell.contacts.n}


REFERRAL = {"referral_target_6": "kommun", "referral_type": "hanvisning"}
ARRANGED = {"referral_target_6": "vard", "referral_type": "formedling"}


def test_every_cell_of_the_code_book_is_there_also_the_empty_ones():
    cells = tabulate(TABLES["concerns_6-year"], []).cells
    assert list(cells) == coordinates_of(TABLES["concerns_6-year"])
    assert len(cells) == 8 and all(cell.contacts == Contacts() for cell in cells.values())


def test_a_contact_with_several_answers_stands_in_each_and_once_in_the_total():
    assert n("concerns_6-year", record(concerns_6="fara natet")) == {("_T",): 1, ("fara",): 1, ("natet",): 1}


def test_the_non_answers_are_one_code():
    three = [record(gender=code) for code in ("ej_fragat", "vet_ej", "avboj")]
    assert n("gender-year", *three) == {("_T",): 3, ("_U",): 3}


def test_a_question_that_did_not_apply_leaves_the_contact_out_of_the_total_too():
    assert n("gender-year", record(gender="k"), record(gender="ej_till")) == {("_T",): 1, ("k",): 1}


def test_a_contact_that_is_not_relevant_counts_among_all_contacts_only():
    call = record(relevant=False, result="info", gender="k")
    assert n("gender-year", call) == {} and n("total-year", call) == {}
    assert n("all-result-year", call) == {("_T",): 1, ("info",): 1}
    assert n("all-total-year", call) == {(): 1}


def test_a_two_way_table_crosses_every_code_and_both_totals():
    cells = n("environment_3-gender-year", record(environment_3="islamistisk", gender="k"))
    assert set(cells) == {("_T", "_T"), ("_T", "k"), ("islamistisk", "_T"), ("islamistisk", "k")}


def test_a_table_of_referrals_counts_contacts_once_and_their_referrals_each():
    cells = tabulate(TABLES["referral_type-year"], [record(referrals=[REFERRAL, REFERRAL, ARRANGED])]).cells
    assert (cells["_T",].contacts.n, cells["_T",].n_referrals) == (1, 3)
    assert (cells["hanvisning",].contacts.n, cells["hanvisning",].n_referrals) == (1, 2)


def test_the_total_and_a_table_of_referrals_count_the_same_referrals_of_the_same_contacts():
    with_seven = record(key=7, referrals=[REFERRAL] * 7)
    others = [record(key=2**n, first=n % 2 == 0) for n in range(40)]
    total = tabulate(TABLES["total-year"], [with_seven, *others]).cells[()]
    of_referrals = tabulate(TABLES["referral_type-year"], [with_seven, *others]).cells["_T",]
    assert (total.contacts.n, total.referring, total.n_referrals) == (41, Contacts(1, 1, keys=7), 7)
    assert of_referrals.contacts == of_referrals.referring == total.referring
    assert of_referrals.n_referrals == total.n_referrals


def test_two_properties_of_a_referral_are_those_of_one_and_the_same():
    cells = n("referral_target_6-referral_type-year", record(referrals=[REFERRAL, ARRANGED]))
    assert ("kommun", "hanvisning") in cells and ("vard", "formedling") in cells
    assert ("kommun", "formedling") not in cells and cells["_T", "_T"] == 1


def test_the_same_set_of_records_has_the_same_sum_of_keys_whatever_the_table():
    records = [record(key=key, gender="k", environment_3="ingen") for key in (2**61, 2**61 + 1, 7)]
    one = tabulate(TABLES["gender-year"], records).cells["k",].contacts
    two = tabulate(TABLES["environment_3-gender-year"], records[::-1]).cells["ingen", "k"].contacts
    assert one.keys == two.keys == (2**61 + 2**61 + 1 + 7) % 2**62


def test_first_contacts_are_counted_beside():
    cell = tabulate(TABLES["total-year"], [record(first=True), record(first=False)]).cells[()]
    assert (cell.contacts.n, cell.contacts.n_first) == (2, 1)
