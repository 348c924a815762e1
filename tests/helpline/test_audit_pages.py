"""The record of acts as staff read it: their own lines or everybody's, chosen, page by page, and as a file."""

import csv
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from helpline import audit, policy, rates
from helpline.models import AuditEvent, User
from helpline.taxonomy import CODE_LISTS

pytestmark = pytest.mark.django_db

PAGE, FILE = "/audit/", "/audit/export.csv"
NOW = datetime(2026, 3, 1, 14, 37, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_is_counted_yet() -> None:
    cache.clear()


@pytest.fixture
def people() -> dict[str, User]:
    return {role: User.objects.create_user(f"{role}-1", None, role=role) for role in policy.ROLES}


@pytest.fixture
def lines(people) -> None:
    """A coordinator opens a contact, an administrator asks for another role for the handler, who had logged in."""
    now = timezone.now()
    audit.record(by=people["handler"], act="session.begin", now=now)
    audit.record(by=people["coordinator"], act="contact.open", reason="rattelse", now=now)
    audit.record(by=people["administrator"], act="staff.role", reason="asked", about=people["handler"], now=now)


def logged_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def rows(client: Client, query: str = "") -> list[list[str]]:
    """By whom, what, why and about whom, of each line of the page."""
    text = client.get(PAGE + query).content.decode()
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)][1:]
        for row in body.split("</tr>")[:-1]
    ]


LOGGED_IN = ["handler-1", "Log in", "", ""]
OPENED = ["coordinator-1", "Open somebody else’s contact, with a reason", "Correct a mistake", ""]
ASKED = ["administrator-1", "Give an account another role", "asked for", "handler-1"]


# --- who sees what ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["coordinator", "administrator"])
def test_some_roles_see_every_line_the_newest_first(people, lines, role):
    assert rows(logged_in(people[role])) == [ASKED, OPENED, LOGGED_IN]


def test_the_others_see_what_they_did_and_what_was_done_with_their_account(people, lines):
    assert rows(logged_in(people["handler"])) == [ASKED, LOGGED_IN]
    assert rows(logged_in(people["evaluator"])) == []


def test_nobody_reaches_others_lines_by_asking_for_a_person(people, lines):
    other = people["coordinator"].pk
    assert rows(logged_in(people["handler"]), f"?person={other}") == [ASKED, LOGGED_IN]
    text = logged_in(people["handler"]).get(PAGE).content.decode()
    assert "coordinator-1" not in text and 'name="person"' not in text and FILE not in text


# --- choosing ---------------------------------------------------------------------------------------------------------


def test_lines_are_chosen_by_act_by_person_and_by_month(people, lines):
    reader = logged_in(people["coordinator"])
    assert rows(reader, "?act=contact.open") == [OPENED]
    assert rows(reader, f"?person={people['handler'].pk}") == [ASKED, LOGGED_IN]
    assert rows(reader, f"?act=session.begin&person={people['coordinator'].pk}") == []
    assert len(rows(reader, f"?month={timezone.localdate():%Y-%m}")) == 3
    earlier = audit.months(timezone.localdate(), kept=24)[1]
    assert rows(reader, f"?month={earlier:%Y-%m}") == []


@pytest.mark.parametrize(
    "nonsense",
    ["act=contact.search", "person=x", "person=٣", "person=99999999999999999999", "month=2026-13", "month=x", "page=x"],
)
def test_what_cannot_be_asked_for_is_not_asked_about(people, lines, nonsense):
    assert len(rows(logged_in(people["coordinator"]), f"?{nonsense}")) == 3


def test_a_month_is_a_month_in_stockholm(people):
    """Its last hour, in summer time, is the second last of the month in UTC; its first belongs to the month before."""
    of_july = datetime(2026, 7, 31, 21, tzinfo=UTC)
    for hour in (of_july, of_july + timedelta(hours=1)):
        audit.record(by=people["coordinator"], act="session.begin", now=hour)
    month = of_july.date().replace(day=1)
    found = audit.lines(people["coordinator"], audit.Selection(month=month))
    assert [line.hour for line in found] == [of_july]


def test_the_record_is_kept_for_two_years():
    months = audit.months(NOW.date(), kept=24)
    assert (str(months[0]), str(months[1]), str(months[-1]), len(months)) == (
        "2026-03-01",
        "2026-02-01",
        "2024-03-01",
        25,
    )


def test_an_empty_record_says_what_will_stand_there_and_an_empty_choice_leads_back(people):
    reader = logged_in(people["coordinator"])
    assert "Nothing is written down yet" in reader.get(PAGE).content.decode()
    chosen = reader.get(f"{PAGE}?act=grant.issue").content.decode()
    assert "No line is like that" in chosen and f'href="{PAGE}"' in chosen
    assert "Fetch these lines" not in chosen


# --- long records -----------------------------------------------------------------------------------------------------


def many(user: User, number: int) -> None:
    hour = NOW.replace(minute=0)
    AuditEvent.objects.bulk_create(
        AuditEvent(hour=hour, actor=user, about=user, act="contact.open", reason="rattelse") for _ in range(number)
    )


def test_a_page_has_fifty_lines_and_leads_to_newer_and_older_ones_of_the_same_choice(people):
    many(people["coordinator"], 120)
    reader = logged_in(people["coordinator"])
    assert [len(rows(reader, f"?page={page}")) for page in (1, 2, 3, 99)] == [50, 50, 20, 20]
    text = reader.get(f"{PAGE}?act=contact.open&page=2").content.decode()
    assert "Page 2 of 3" in text and "120 lines" in text
    assert "?act=contact.open&amp;page=1" in text and "?act=contact.open&amp;page=3" in text


@pytest.mark.parametrize("role", ["coordinator", "handler"])
def test_a_page_takes_six_queries_however_long_the_record_is(people, role):
    reader, numbers = logged_in(people[role]), []
    reader.get(PAGE)  # the first page of a session gives it the token of its forms
    for length in (0, 3, 300):
        many(people[role], length)
        with CaptureQueriesContext(connection) as queries:
            reader.get(PAGE)
        numbers.append(len(queries))
    assert max(numbers) <= 6, numbers


# --- as a file --------------------------------------------------------------------------------------------------------


def fetched(client: Client, **chosen: object) -> list[list[str]]:
    response = client.post(FILE, chosen)
    assert response.status_code == 200 and response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="audit-{timezone.localdate()}.csv"'
    return list(csv.reader(response.content.decode("utf-8-sig").splitlines(), delimiter=";"))


def test_the_file_says_what_it_is_for_and_holds_the_lines_that_were_chosen(people, lines):
    purpose, header, *found = fetched(logged_in(people["coordinator"]), act="staff.role")
    assert purpose[0].startswith("# Stödtelefonen is for support and prevention, never for investigation.")
    assert header == ["Day", "Hour", "By", "Act", "Code of the act", "Why", "Code of why", "Account"]
    by, what, why, about = ASKED
    assert [line[2:] for line in found] == [[by, what, "staff.role", why, "asked", about]]
    day, hours = found[0][:2]
    assert day == str(timezone.localdate()) and re.fullmatch(r"\d\d–\d\d", hours)


def test_fetching_the_file_is_itself_a_line_of_it(people, lines):
    found = fetched(logged_in(people["administrator"]))[2:]
    assert [line[4] for line in found] == ["audit.export", "staff.role", "contact.open", "session.begin"]
    last = AuditEvent.objects.order_by("pk").last()
    assert (last.act, last.actor, last.reason, last.about) == ("audit.export", people["administrator"], "", None)


def test_a_name_that_is_a_formula_is_a_text_in_the_file(people):
    sly = User.objects.create_user('=HYPERLINK("x")', None, role=policy.COORDINATOR)
    assert fetched(logged_in(sly))[-1][2] == '\'=HYPERLINK("x")'


def test_the_file_is_asked_for_by_a_button_and_not_too_often(people, lines):
    reader = logged_in(people["coordinator"])
    assert reader.get(FILE).status_code == 405 and not AuditEvent.objects.filter(act="audit.export").exists()
    for _ in range(policy.RATES["export"]):
        rates.take(people["coordinator"], "export")
    assert reader.post(FILE).status_code == 429
    assert not AuditEvent.objects.filter(act="audit.export").exists()


def test_the_page_sends_its_choice_to_the_file(people, lines):
    month = f"{timezone.localdate():%Y-%m}"
    text = logged_in(people["coordinator"]).get(f"{PAGE}?act=contact.open&month={month}").content.decode()
    form = text.partition(f'action="{FILE}"')[2].partition("</form>")[0]
    assert 'name="act" value="contact.open"' in form and f'name="month" value="{month}"' in form
    assert 'name="person"' not in form and "csrfmiddlewaretoken" in form


# --- in words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_act_and_reason_that_can_be_written_down_is_said_in_words(language):
    with translation.override(language):
        acts = [audit.act_in_words(act) for act in policy.EVENTS]
        reasons = [*audit.DECISIONS, *CODE_LISTS["opening_reason"].codes]
        said = [audit.reason_in_words(reason, language) for reason in reasons]
    assert not {text for text in acts if "." in text or not text} and len(set(acts)) == len(acts)
    assert not set(said) & set(CODE_LISTS["opening_reason"].codes) and all(said)


def test_an_act_and_a_reason_that_nobody_knows_any_longer_keep_their_names():
    assert audit.act_in_words("contact.vanished") == "contact.vanished"
    assert audit.reason_in_words("vanished", "sv") == "vanished" and audit.reason_in_words("", "sv") == ""
