"""The written routine for duties to report: versioned data, the law by date, and nothing of a report stored."""

import re
import shutil
from datetime import date, timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from helpline import contacts, policy
from helpline.duties import routines_on
from helpline.entries import FIRST_DAY, read_entry
from helpline.models import User
from helpline.routine_files import FIRST_DAY as FIRST_DAY_OF_ROUTINES
from helpline.routine_files import FOLDER, ROUTINES, BrokenRoutine, load
from helpline.taxonomy import CODE_LISTS

OLD_ACT, NEW_ACT = "Socialtjänstlagen (2001:453) 14 kap. 1 § och 1 c §", "Socialtjänstlagen (2025:400) 19 kap. 1–2 §§"
CHILD, CRIME = ROUTINES


def sources(routine, day: date) -> list[str]:
    return [law.source for law in routine.laws_on(day)]


# --- the files --------------------------------------------------------------------------------------------------------


def test_there_is_a_routine_for_concern_for_a_child_and_one_for_serious_crime():
    assert [routine.id for routine in ROUTINES] == ["child", "crime"]
    assert FIRST_DAY_OF_ROUTINES == FIRST_DAY


@pytest.mark.parametrize(
    ("day", "child", "terror"),
    [
        (date(2015, 1, 1), OLD_ACT, "Lag (2003:148)"),
        (date(2022, 6, 30), OLD_ACT, "Lag (2003:148)"),
        (date(2022, 7, 1), OLD_ACT, "Terroristbrottslagen (2022:666)"),
        (date(2025, 6, 30), OLD_ACT, "Terroristbrottslagen (2022:666)"),
        (date(2025, 7, 1), NEW_ACT, "Terroristbrottslagen (2022:666)"),
    ],
)
def test_each_day_has_the_law_that_was_in_force(day, child, terror):
    assert sources(CHILD, day) == [child]
    code, acts = sources(CRIME, day)
    assert code == "Brottsbalken 23 kap. 6 §" and acts.startswith(terror)


def test_whose_duty_it_is_is_said_for_the_caller_a_licensed_handler_and_everybody_else():
    for routine in ROUTINES:
        assert list(routine.duty) == ["caller", "licensed", "none"]
        for text in (routine.title, routine.about, *routine.duty.values(), *routine.versions[0].steps):
            assert text.sv != text.en


def test_what_a_lawyer_must_settle_is_said_where_the_wording_was_not_at_hand():
    unsettled = {law.source for routine in ROUTINES for law in routine.laws if law.settle.sv}
    assert NEW_ACT in unsettled and "Terroristbrottslagen (2022:666)" in unsettled


def test_the_codes_beside_a_routine_are_those_of_the_special_reports():
    named = {code for routine in ROUTINES for code in routine.codes}
    assert named == {c for c in CODE_LISTS["reports_made"].codes if c.startswith(("oa_", "pol_"))}


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(FOLDER, tmp_path / "routines")


def edit(folder, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def test_the_files_as_they_are_load(folder):
    assert load(folder) == ROUTINES


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        (
            "child.toml",
            "valid_to = 2025-06-30",
            "valid_to = 2025-06-29",
            "child.toml: the law has no text on 2025-06-30",
        ),
        ("child.toml", "valid_to = 2025-06-30", "valid_to = 2025-07-01", "the law has two texts on 2025-07-01"),
        ("child.toml", "valid_to = 2025-06-30", "", "two texts on 2025-07-01"),
        (
            "child.toml",
            "valid_from = 2025-07-01",
            "valid_from = 2025-07-01\nvalid_to = 2030-01-01",
            "no text on 2030-01-02",
        ),
        (
            "child.toml",
            "version = 1\nvalid_from = 2015-01-01",
            "version = 1\nvalid_from = 2016-01-01",
            "no text on 2015-01-01",
        ),
        ("child.toml", "version = 1\n", "version = 2\n", "numbered from 1"),
        ("child.toml", 'source = "Socialtjänstlagen (2025:400) 19 kap. 1–2 §§"', "", "names its source"),
        ("child.toml", "none_en", "nobody_en", "unknown key 'nobody_en'"),
        ("child.toml", "settle_en", "settled_en", "unknown key"),
        ("child.toml", "order = 1", "", "'order'"),
        ("child.toml", "valid_to = 2025-06-30", 'valid_to = "soon"', "must be dates"),
        (
            "crime.toml",
            'line = "terrorism"\nvalid_from = 2022-07-01',
            "valid_from = 2022-07-01",
            "no text on 2022-07-01",
        ),
        ("crime.toml", "about_sv", "receiver", "unknown key 'receiver'"),
        ("crime.toml", "[duty]", "[duty", "crime.toml"),
    ],
)
def test_a_routine_that_breaks_a_rule_stops_the_start_and_names_the_file(folder, name, old, new, why):
    edit(folder, name, old, new)
    with pytest.raises(BrokenRoutine, match=re.escape(why)):
        load(folder)


def test_a_later_version_takes_over_on_its_day(folder):
    steps = '[[version]]\nversion = 2\nvalid_from = 2027-01-01\nsteps = [{ sv = "Ring.", en = "Ring." }]\n\n[[law]]'
    edit(
        folder,
        "child.toml",
        "version = 1\nvalid_from = 2015-01-01",
        "version = 1\nvalid_from = 2015-01-01\nvalid_to = 2026-12-31",
    )
    text = (folder / "child.toml").read_text(encoding="utf-8").replace("[[law]]", steps, 1)
    (folder / "child.toml").write_text(text, encoding="utf-8")
    child = load(folder)[0]
    assert [child.version_on(date(2027, 1, 1) - timedelta(days=n)).version for n in (1, 0)] == [1, 2]


# --- the page ---------------------------------------------------------------------------------------------------------


def browser_of(role: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_user(role, None, role=role))
    return client


def words(response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


@pytest.mark.django_db
@pytest.mark.parametrize("role", sorted(policy.ROLES))
def test_handlers_and_coordinators_find_it_in_the_menu_and_nobody_else_gets_it(role):
    client = browser_of(role)
    may = role in (policy.HANDLER, policy.COORDINATOR)
    assert client.get("/routine/").status_code == (200 if may else 403)
    assert ('href="/routine/"' in client.get("/").content.decode()) == may


@pytest.mark.django_db
def test_the_page_shows_the_law_of_the_day_that_is_asked_for():
    client = browser_of(policy.HANDLER)
    before, after = (words(client.get(f"/routine/?day={day}")) for day in ("2025-06-30", "2025-07-01"))
    assert OLD_ACT in before and NEW_ACT not in before and "(until 30 June 2025)" in before
    assert NEW_ACT in after and OLD_ACT not in after and "To be settled with a lawyer" in after
    assert NEW_ACT in words(client.get("/routine/"))
    assert OLD_ACT in words(client.get("/routine/?day=1999-01-01"))


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["x", "2025-02-30", "2999-01-01"])
def test_a_day_that_is_none_is_refused_and_not_repeated(text):
    response = browser_of(policy.HANDLER).get(f"/routine/?day={text}")
    assert response.status_code == 400 and f'value="{text}"' not in response.content.decode()


@pytest.mark.django_db
def test_the_page_asks_the_database_only_who_reads(django_assert_max_num_queries):
    client = browser_of(policy.HANDLER)
    client.get("/routine/")
    with django_assert_max_num_queries(3):
        client.get("/routine/")


# --- beside the question ----------------------------------------------------------------------------------------------


def panel(page: str) -> str:
    question = page[page.index('data-question="reports_made"') :]
    return question[: question.index("</fieldset>")]


@pytest.mark.django_db
def test_beside_the_special_reports_stands_whose_duty_it_is_with_the_law_of_the_contact_s_day():
    client = browser_of(policy.HANDLER)
    today = timezone.localdate()
    new = panel(client.get("/contacts/new/").content.decode())
    assert "Whose duty is it to report?" in new and NEW_ACT in new
    assert f'href="/routine/?day={today}" target="_blank" rel="noopener"' in new
    day = date(2025, 6, 30)
    entry = read_entry(day, {"channel": ["telefon"], "result": ["relevant"]})
    contact = contacts.log_contact(by=User.objects.get(), key=uuid4(), entry=entry, now=timezone.now(), today=today)
    amend = panel(client.get(f"/contacts/{contact.pk}/amend/").content.decode())
    assert OLD_ACT in amend and NEW_ACT not in amend and f"/routine/?day={day}" in amend


def test_what_is_shown_is_the_same_for_everybody_on_a_day():
    assert routines_on(date(2026, 1, 1), "sv") is routines_on(date(2026, 1, 1), "sv")


# --- nothing is stored ------------------------------------------------------------------------------------------------


def test_no_column_holds_what_a_report_said_to_whom_or_its_reference():
    """The codes of reports_made are the one thing that is kept; another column must be looked at here first."""
    columns = {
        f"{model._meta.object_name}.{field.name}"
        for label in ("helpline", "reports")
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if hasattr(field, "column")
    }
    about = re.compile(r"report|routine|duty|law|receiver|recipient|reference|dnr|diari|anmal|polic|police|note|text")
    assert {name for name in columns if about.search(name.split(".")[1])} == {
        *("Contact.reports_made", "StatRecord.reports_made"),
    }
    texts = {
        f"{model._meta.object_name}.{field.name}"
        for label in ("helpline", "reports")
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if field.get_internal_type() == "TextField"
    }
    # Of the last three, the file is sealed and gone when it is loaded, and a directory tells nothing of a contact.
    assert texts == {
        *("Earlier.content", "Draft.content", "Erasure.kinds", "Release.candidate", "Release.manifest"),
        *("PreparedFile.content", "PreparedFile.manifest", "PublishedFile.content", "PublishedFile.manifest"),
        *("ImportJob.content", "Organisation.description", "Service.description"),
    }
