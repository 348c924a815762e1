"""The code lists as they are, and as a hand could break them."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from helpline.code_files import FOLDER, BrokenCodeList, load
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS, QUESTIONS

# Bits are written into every stored contact: a code may be added behind the last, none may ever move.
BITS = {
    "concerns": "dras_in aktiv vill_ut aterfall resa natet hot barn eget metod annat",
    "needs": "s_familj s_partner s_barn s_vanner s_vuxen s_arenor s_vardag p_arbete p_utb p_bostad p_ekonomi p_psyk"
    " p_beroende p_npf p_skydd p_miljo",
    "barriers": "stigma bestraff sluter ejmotiv misstro problem riktl samv utbud obalans finans sprak inget",
    "actions": "lyssnat relation info genomgang hanvisat formedlat uppfolj radgjort akut ingen",
    "reports_made": "oa_info oa_inr oa_linje pol_inr pol_linje ej_akt",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "codelists"))


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def line_of(folder: Path, name: str, wanted: str) -> int:
    """The line of the [[code]] that holds `wanted`."""
    lines = (folder / name).read_text(encoding="utf-8").split("\n")
    at = next(n for n, line in enumerate(lines) if wanted in line)
    return max(n for n, line in enumerate(lines[: at + 1], 1) if line.startswith("[[code]]"))


def test_every_question_of_the_form_has_a_code_list():
    assert set(QUESTIONS) <= set(CODE_LISTS)


@pytest.mark.parametrize("name", BITS)
def test_bits_already_in_stored_contacts_never_move(name):
    stored = {code.code: code.bit for code in CODE_LISTS[name].codes.values()}
    assert [stored[code] for code in BITS[name].split()] == list(range(4, 4 + len(BITS[name].split())))
    assert [stored[code] for code in ("ej_fragat", "vet_ej", "avboj", "ej_till")] == [0, 1, 2, 3]


@pytest.mark.parametrize("name", [n for n, code_list in CODE_LISTS.items() if code_list.multiple])
def test_a_set_of_codes_survives_its_mask(name):
    code_list = CODE_LISTS[name]
    for size in range(len(code_list.codes) + 1):
        codes = frozenset(list(code_list.codes)[:size])
        assert code_list.set_of(code_list.mask(codes)) == codes
    assert code_list.mask(code_list.codes) < 2**63


def test_every_list_ends_with_the_three_non_answers_but_those_that_must_be_answered():
    without = {name for name, code_list in CODE_LISTS.items() if "vet_ej" not in code_list.codes}
    always = {"channel", "result", "telephony_result", "referral_target", "referral_type", "referral_outcome"}
    directory = {"agreement", "covers_exit", "service_kind"}
    assert without == always | directory | {"referral_target_6"} | {"case_step", "opening_reason"}
    assert list(CODE_LISTS["age"].codes)[-4:] == list(NON_ANSWERS)


def test_the_declared_groups_hold_every_code_exactly_once():
    groups = {name: code_list for name, code_list in CODE_LISTS.items() if code_list.groups}
    assert set(groups) == {
        *("caller_role_3", "environment_3", "age_2", "concerns_6", "needs_2", "referral_target_6"),
        *("county_region", "county_part", "actions_3"),
    }
    for group in groups.values():
        members = [member for code in group.codes.values() for member in code.members]
        assert sorted(members) == sorted(set(CODE_LISTS[group.groups].codes) - set(NON_ANSWERS))


def test_a_form_never_offers_not_applicable():
    assert "ej_till" not in [code.code for code in CODE_LISTS["age"].offered_on(date(2026, 1, 1))]
    assert "ej_fragat" in [code.code for code in CODE_LISTS["age"].offered_on(date(2026, 1, 1))]


def test_a_retired_code_is_offered_until_its_day_and_leads_to_its_successor(folder):
    edit(folder, "urgency.toml", 'code = "snart"', 'code = "snart"\nretired_on = 2027-01-01\nsuccessor = "akut"')
    urgency = load(folder)["urgency"]
    assert "snart" in [code.code for code in urgency.offered_on(date(2026, 12, 31))]
    assert "snart" not in [code.code for code in urgency.offered_on(date(2027, 1, 1))]
    assert urgency.current("snart", date(2026, 12, 31)) == "snart"
    assert urgency.current("snart", date(2027, 1, 1)) == "akut"
    assert urgency.codes["snart"].label("sv") == CODE_LISTS["urgency"].codes["snart"].label("sv")


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("urgency.toml", 'code = "snart"', 'code = "kan inte"', "1 to 12"),
        ("urgency.toml", 'code = "snart"', 'code = "lag"', "stands twice"),
        ("urgency.toml", 'code = "snart"', 'code = "vet_ej"', "non-answer"),
        ("urgency.toml", 'code = "snart"', 'code = "snart"\ncolour = "red"', "unknown key"),
        ("urgency.toml", 'code = "snart"', 'code = "snart"\nbit = 4', "single choice"),
        ("urgency.toml", 'code = "snart"', 'code = "snart"\nretired_on = 2015-01-01', "retired before"),
        ("urgency.toml", 'code = "snart"', 'code = "snart"\nretired_on = "soon"', "must be a date"),
        ("urgency.toml", 'code = "snart"', 'code = "snart"\nretired_on = 2027-01-01\nsuccessor = "nu"', "successor"),
        ("urgency.toml", 'code = "snart"', 'code = "snart"\nretired_on = 2027-01-01\nsuccessor = "snart"', "circle"),
        ("concerns.toml", "bit = 5", "bit = 4", "bit 4 is taken"),
        ("concerns.toml", "bit = 5", "bit = 63", "bit 63"),
        ("concerns.toml", "bit = 5", "", "needs a 'bit'"),
        ("concerns.toml", "bit = 5", "bit = 2", "non-answers'"),
        ("needs.toml", 'dimension = "social"', 'dimension = "other"', "dimension"),
    ],
)
def test_a_broken_code_is_refused_with_file_and_line(folder, name, old, new, why):
    load(folder)
    line = line_of(folder, name, old)
    edit(folder, name, old, new)
    with pytest.raises(BrokenCodeList) as broken:
        load(folder)
    assert f"codelists/{name}, line {line}: " in str(broken.value)
    assert why in str(broken.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("age_2.toml", '"u15"', '"a26"', "is in two groups"),
        ("age_2.toml", '"u15", ', "", "no group holds 'u15'"),
        ("age_2.toml", '"u15"', '"u12"', "is no code of 'age'"),
        ("age_2.toml", 'groups = "age"', 'groups = "years"', "does not exist"),
    ],
)
def test_a_group_that_misses_or_doubles_a_code_is_refused(folder, name, old, new, why):
    edit(folder, name, old, new)
    with pytest.raises(BrokenCodeList, match=why):
        load(folder)


def test_a_file_that_is_no_toml_is_refused_with_its_line(folder):
    edit(folder, "plan.toml", "[[code]]", "[[code]")
    with pytest.raises(BrokenCodeList, match=r"codelists/plan\.toml, line \d+: not valid TOML"):
        load(folder)


def test_a_file_in_another_encoding_is_refused(folder):
    path = folder / "plan.toml"
    path.write_bytes(path.read_text(encoding="utf-8").replace("Finns", "Är klar").encode("latin-1"))
    with pytest.raises(BrokenCodeList, match="not UTF-8"):
        load(folder)


def test_a_group_sums_up_codes_and_leaves_non_answers_as_they_are():
    assert CODE_LISTS["concerns_6"].group_of(frozenset({"aktiv", "aterfall", "natet"})) == {"i_miljon", "natet"}
    assert CODE_LISTS["age_2"].group_of(frozenset({"u15"})) == {"under18"}
    assert CODE_LISTS["age_2"].group_of(frozenset({"ej_till"})) == {"ej_till"}
