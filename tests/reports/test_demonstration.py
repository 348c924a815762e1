"""The demonstration: made through the one door, safe to kill at any moment, never in a database with real people."""

import io
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from helpline import contacts, synthetic
from helpline.directory import files, sheet
from helpline.entries import ContactEntry, ReferralEntry, read_entry
from helpline.imports import keys
from helpline.listings import RECEIVER, RESOURCE
from helpline.listings.areas import COUNTRY
from helpline.models import Contact, DayMark, Demonstration, ImportedKey, Referral, User
from helpline.models.directory import Organisation, Service, ServiceArea
from helpline.taxonomy import QUESTIONS
from reports import demonstration, freeze, release, tokens
from reports.demonstration import DemonstrationRefused
from reports.models import Grant, Release, StatRecord

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = date(2026, 11, 20)
SINCE = date(2026, 10, 19)  # a span with a change of month in it


@pytest.fixture(autouse=True)
def quick_hashes_and_no_password_from_outside(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.DEMO_PASSWORD = ""


def prepare(**wanted):
    return demonstration.prepare(today=TODAY, **{"since": SINCE} | wanted)


def go_on(today: date = TODAY, **arguments) -> None:
    demonstration.continue_making(now=NOW, today=today, **arguments)


def expected(until: date = TODAY) -> Counter[str]:
    """The digests of the contacts that a run without interruption leaves behind."""
    days = {"since": SINCE, "until": until + timedelta(days=1)}
    return Counter(entry.digest() for _, entry in synthetic.entries(seed=1, contacts_a_month=100, **days))


def stored() -> Counter[str]:
    """The digests of the stored contacts, each an entry made anew from its columns and referrals."""
    digests: Counter[str] = Counter()
    for contact in Contact.objects.prefetch_related("referrals"):
        columns = {question: getattr(contact, question) for question in QUESTIONS}
        answers = {q: frozenset({codes} if isinstance(codes, str) else codes) for q, codes in columns.items()}
        referrals = [ReferralEntry(r.target, r.type, r.outcome, r.consent) for r in contact.referrals.all()]
        digests[ContactEntry(contact.day, answers, tuple(referrals)).digest()] += 1
    return digests


def real_entry() -> ContactEntry:
    return read_entry(date(2026, 11, 2), {"channel": ["telefon"], "result": ["tyst"]})


# --- making ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_made_contacts_are_those_of_the_seed_up_to_and_including_today():
    prepare()
    go_on()
    assert stored() == expected()
    assert Contact.objects.filter(day=TODAY).exists()
    assert Referral.objects.exists()


@pytest.mark.django_db
def test_the_accounts_and_the_plan_exist_before_the_first_contact():
    prepare()
    assert User.objects.count() == len(demonstration.ACCOUNTS)
    assert not Contact.objects.exists()
    assert Demonstration.objects.get().planned == expected().total()
    assert Demonstration.objects.get().percent == 0


@pytest.mark.django_db
def test_the_directory_is_there_with_near_and_far_receivers_some_of_which_are_due_to_be_looked_at():
    prepare()
    areas = set(ServiceArea.objects.values_list("code", flat=True))
    assert COUNTRY in areas and {"18", "1880"} <= areas
    assured = set(Service.objects.values_list("assured_on", flat=True))
    assert (
        None in assured
        and min(filter(None, assured)) < TODAY - timedelta(days=183)
        and max(filter(None, assured)) <= TODAY
    )
    assert {service.kind for service in Service.objects.all()} == {RECEIVER, RESOURCE}


@pytest.mark.django_db
def test_one_receiver_of_the_demonstration_has_an_alert_that_says_what_it_is_and_shows_on_a_whole_card():
    prepare()
    (alerted,) = (one for one in sheet.told(NOW, "sv")["receivers"] if one.get("alert"))
    assert alerted["alert"].startswith("Demonstration:") and {"phone", "hours"} <= alerted.keys()


def test_the_start_set_alone_has_no_alert_and_says_which_hours_are_to_be_looked_at_first():
    organisations = files.read_directory(demonstration.RECEIVERS.read_bytes()).organisations
    services = [service for organisation in organisations for service in organisation.services]
    hours = [line for service in services for line in service.hours]
    assert not any(service.alert for service in services)
    assert sum(bool(service.hours) for service in services) >= 8
    assert {line.description for line in hours} == {"", "kontrolleras före bruk"}


@pytest.mark.django_db
def test_at_noon_some_receivers_of_the_demonstration_are_open_and_some_are_closed():
    prepare()
    told = sheet.told(NOW, "sv")
    at = told["now"] // 60
    is_open = [
        any(opens <= at < closes for opens, closes in told["hours"][one["hours"]])
        for one in told["receivers"]
        if "hours" in one
    ]
    assert {True, False} == set(is_open)


@pytest.mark.django_db
def test_a_database_with_a_directory_of_its_own_never_becomes_a_demonstration():
    Organisation.objects.create(name="En förening")
    with pytest.raises(DemonstrationRefused):
        prepare()
    assert not Demonstration.objects.exists()


@pytest.mark.django_db
def test_every_contact_came_through_the_door():
    prepare()
    go_on()
    days = Counter(Contact.objects.values_list("day", flat=True))
    assert Counter(DayMark.objects.values_list("day", flat=True)) >= days  # freezing marks its days once more
    assert Counter(ImportedKey.objects.values_list("day", flat=True)) == days
    assert not Contact.objects.filter(logged_by__isnull=False).exists()


@pytest.mark.django_db
def test_months_are_frozen_and_published_as_they_pass(settings, tmp_path):
    settings.REPORTS_RELEASE_KEYS = tmp_path / "keys"
    prepare()
    go_on()
    published = {release.period.code: release.published_on for release in Release.objects.all()}
    months = [code for code in published if len(code) == 7 and "-Q" not in code and "-H" not in code]
    assert months and all(on is not None and on.day == settings.REPORTS_FREEZE_DAY for on in published.values())
    assert StatRecord.objects.count() == Contact.objects.filter(is_frozen=True).count() > 0
    assert not Contact.objects.filter(is_frozen=False, day__lt=freeze.first_open_month().start).exists()


@pytest.mark.django_db
def test_unless_told_it_starts_on_the_first_of_january_of_last_year_with_a_hundred_a_month():
    demonstration.prepare(today=TODAY)
    row = Demonstration.objects.get()
    assert (row.seed, row.since, row.contacts_a_month) == (1, date(2025, 1, 1), 100)


@pytest.mark.django_db
def test_the_row_counts_the_contacts_with_each_batch():
    told = []

    def look(made, planned):
        told.append(made)
        row = Demonstration.objects.get()
        assert made == row.made == Contact.objects.count()
        assert planned == row.planned == expected().total()

    prepare()
    go_on(report=look)
    assert told == sorted(told) and len(told) > expected().total() / 25
    assert told[-1] == expected().total()


# --- stopping and going on -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_stop_between_batches_is_obeyed_and_the_next_start_goes_on():
    prepare()
    go_on(stop=lambda: Contact.objects.count() >= 30)
    assert 30 <= Contact.objects.count() < 60
    go_on()
    assert stored() == expected()


@pytest.mark.django_db(transaction=True)
def test_a_run_that_dies_within_a_batch_leaves_none_of_it_behind(monkeypatch):
    door, calls = keys.log_imported, []

    def dies_at_the_fortieth(**entry):
        calls.append(entry)
        if len(calls) == 40:
            raise KeyboardInterrupt
        return door(**entry)

    prepare()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(keys, "log_imported", dies_at_the_fortieth)
        go_on()
    assert Demonstration.objects.get().made == Contact.objects.count() == ImportedKey.objects.count() < 39
    go_on()
    assert stored() == expected()


@pytest.mark.django_db
def test_a_run_killed_between_preparing_and_publishing_publishes_the_same_when_it_goes_on(
    monkeypatch, settings, tmp_path
):
    def out() -> dict[str, date | None]:
        return {release.period.code: release.published_on for release in Release.objects.all()}

    settings.REPORTS_RELEASE_KEYS = tmp_path / "keys"
    prepare()
    with transaction.atomic():
        go_on()
        whole = out()
        transaction.set_rollback(True)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(release, "publish", Mock(side_effect=KeyboardInterrupt))
        go_on()
    assert out() and not any(out().values())
    go_on()
    assert out() == whole and all(whole.values())


@pytest.mark.django_db
def test_a_second_start_on_the_same_day_makes_nothing():
    prepare()
    go_on()
    told = []
    assert prepare() is None
    go_on(report=lambda made, planned: told.append(made))
    assert told == []
    assert stored() == expected()


@pytest.mark.django_db
def test_a_start_on_a_later_day_adds_the_days_since():
    earlier = date(2026, 11, 17)
    prepare()
    go_on(today=earlier)
    assert stored() == expected(until=earlier) != expected()
    demonstration.prepare(today=TODAY)
    go_on()
    assert stored() == expected()


@pytest.mark.django_db
def test_a_clock_that_was_set_back_takes_nothing_away():
    prepare()
    go_on()
    go_on(today=date(2026, 11, 1))
    assert stored() == expected()
    assert Demonstration.objects.get().percent == 100


@pytest.mark.django_db
def test_it_goes_on_without_doubles_when_the_keys_are_forgotten():
    """Keys are remembered only until the retention of their day ends."""
    prepare()
    go_on(stop=lambda: Contact.objects.count() >= 30)
    ImportedKey.objects.all().delete()
    go_on()
    assert stored() == expected()


@pytest.mark.django_db(transaction=True)
def test_two_that_make_at_once_make_each_contact_once_and_close_their_connections():
    prepare()
    left_open, start = [], threading.Barrier(2)

    def make() -> None:
        start.wait()
        go_on()
        left_open.append(connection.connection is not None)

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert left_open == [False, False]
    assert stored() == expected()
    assert Demonstration.objects.get().made == expected().total()


# --- only where nobody real is ---------------------------------------------------------------------------------------


def a_contact_of_today() -> None:
    contacts.log_contact(by=None, key=uuid4(), entry=real_entry(), now=NOW, today=TODAY)


def an_imported_contact_that_was_erased_since() -> None:
    keys.log_imported(key="1", entry=real_entry(), now=NOW, today=TODAY)
    Contact.objects.all().delete()


def an_account() -> None:
    User.objects.create_user("somebody", "correct horse battery", role="coordinator")


def an_account_that_happens_to_be_called_like_one_of_ours() -> None:
    User.objects.create_user("administrator", "correct horse battery", role="administrator")


REAL = [
    a_contact_of_today,
    an_imported_contact_that_was_erased_since,
    an_account,
    an_account_that_happens_to_be_called_like_one_of_ours,
]


@pytest.mark.django_db
@pytest.mark.parametrize("something_real", REAL)
def test_a_real_database_is_refused_and_left_as_it_is(something_real):
    something_real()
    before = User.objects.count(), Contact.objects.count()
    with pytest.raises(DemonstrationRefused):
        prepare()
    assert (User.objects.count(), Contact.objects.count()) == before
    assert not Demonstration.objects.exists()


@pytest.mark.django_db
def test_an_account_added_to_a_demonstration_does_not_stop_it():
    prepare()
    an_account()
    assert prepare() is None
    go_on()
    assert stored() == expected()


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"seed": 2}, {"since": date(2026, 1, 1)}, {"contacts_a_month": 7}])
def test_another_demonstration_than_the_one_that_is_there_is_refused(other):
    prepare()
    with pytest.raises(DemonstrationRefused):
        prepare(**other)
    assert Demonstration.objects.get().since == SINCE


@pytest.mark.django_db
@pytest.mark.parametrize("since", [date(2014, 12, 31), date(2026, 11, 21)])
def test_a_first_day_ahead_or_before_the_code_lists_is_refused(since):
    with pytest.raises(DemonstrationRefused):
        prepare(since=since)
    assert not User.objects.exists()


# --- accounts --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_account_logs_in_with_the_password_and_has_its_role():
    accounts = prepare()
    for name, role in demonstration.ACCOUNTS.items():
        user = authenticate(username=name, password=accounts.password)
        assert user is not None and user.role == role
        assert authenticate(username=name, password=accounts.password[:-1]) is None
    assert accounts.names == tuple(demonstration.ACCOUNTS)


@pytest.mark.django_db
def test_the_password_of_the_settings_is_taken(settings):
    settings.DEMO_PASSWORD = "four-words-of-the-settings"
    assert prepare().password == settings.DEMO_PASSWORD
    assert authenticate(username="handler", password=settings.DEMO_PASSWORD)


@pytest.mark.django_db
def test_the_evaluators_token_lies_within_a_grant_of_both_coordinators():
    accounts = prepare()
    granted = Grant.objects.get()
    people = (granted.evaluator, granted.requested_by, granted.approved_by)
    assert [user.username for user in people] == ["evaluator", "coordinator", "coordinator2"]
    for days in (0, demonstration.TOKEN_DAYS):
        assert tokens.holder(accounts.token, today=TODAY + timedelta(days=days)) == granted.evaluator
    assert tokens.holder(accounts.token, today=granted.until + timedelta(days=1)) is None


@pytest.mark.django_db
def test_a_password_set_later_replaces_the_lost_one_of_our_accounts_only(settings):
    lost = prepare().password
    an_account()
    settings.DEMO_PASSWORD = "four-words-of-the-settings"
    assert prepare() is None
    assert authenticate(username="evaluator", password=settings.DEMO_PASSWORD)
    assert authenticate(username="evaluator", password=lost) is None
    assert authenticate(username="somebody", password="correct horse battery")


def everything_stored() -> str:
    return repr([list(model.objects.values()) for model in apps.get_models()])


@pytest.mark.django_db
def test_a_random_password_is_stored_nowhere_in_clear():
    accounts = prepare()
    assert len(accounts.password) >= 15
    assert "coordinator2" in everything_stored()
    assert accounts.password not in everything_stored()
    assert accounts.password not in repr(accounts)


# --- the command -----------------------------------------------------------------------------------------------------


def demo(*arguments: str) -> str:
    out = io.StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def recently() -> str:
    return (timezone.localdate() - timedelta(days=12)).isoformat()


@pytest.mark.django_db
def test_the_command_prints_accounts_and_password_once_and_never_again(recently):
    first = demo("--since", recently)
    password = re.search(r"\b[a-z]{4}(-[a-z]{4}){3}\b", first)[0]
    assert authenticate(username="coordinator", password=password)
    assert all(name in first for name in demonstration.ACCOUNTS)
    second = demo()
    assert password not in second and "coordinator" not in second
    assert str(Contact.objects.count()) in first and str(Contact.objects.count()) in second


@pytest.mark.django_db
def test_the_command_does_not_repeat_a_password_that_somebody_chose(settings, recently):
    settings.DEMO_PASSWORD = "four-words-of-the-settings"
    out = demo("--since", recently)
    assert settings.DEMO_PASSWORD not in out
    assert "DEMO_PASSWORD" in out and "coordinator" in out


@pytest.mark.django_db
def test_the_command_takes_seed_start_and_volume(recently):
    demo("--since", recently, "--seed", "9", "--contacts-a-month", "20")
    row = Demonstration.objects.get()
    assert (row.seed, row.since.isoformat(), row.contacts_a_month) == (9, recently, 20)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [("--since", "yesterday"), ("--contacts-a-month", "0"), ("--contacts-a-month", "ten"), ("--seed", "-1")],
)
def test_the_command_refuses_what_is_no_day_or_number(arguments):
    with pytest.raises(CommandError):
        demo(*arguments)
    assert not Demonstration.objects.exists()


@pytest.mark.django_db
def test_the_command_refuses_a_real_database_with_one_sentence():
    an_account()
    with pytest.raises(CommandError) as refused:
        demo()
    assert str(refused.value).count(".") == 1


def test_a_killed_command_goes_on_at_the_next_start_and_loses_and_doubles_nothing(tmp_path):
    database = tmp_path / "helpline.sqlite3"
    run = [sys.executable, str(ROOT / "manage.py")]
    since = (timezone.localdate() - timedelta(days=40)).isoformat()
    make = [*run, "demo", "--since", since, "--contacts-a-month", "300", "--skip-checks"]
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{database}"}
    subprocess.run([*run, "migrate", "-v0", "--skip-checks"], env=environment, check=True)
    with subprocess.Popen(
        make, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as doomed:
        while int(doomed.stderr.readline().partition("%")[0]) < 20:
            assert doomed.poll() is None
        doomed.send_signal(signal.SIGKILL)
    (made, planned), halfway = of_sqlite(database)
    assert 0 < made == halfway.total() < planned
    subprocess.run(make, env=environment, check=True, capture_output=True)
    (made, planned), whole = of_sqlite(database)
    assert made == planned
    until = timezone.localdate() + timedelta(days=1)
    days = {"since": date.fromisoformat(since), "until": until}
    assert whole == Counter(e.digest() for _, e in synthetic.entries(seed=1, contacts_a_month=300, **days))


def of_sqlite(database: Path) -> tuple[tuple[int, int], Counter[str]]:
    """How many of how many are made, and the digests of the contacts."""
    with sqlite3.connect(database) as stored_there:
        numbers = stored_there.execute("SELECT made, planned FROM helpline_demonstration").fetchone()
        digests = Counter(
            digest for (digest,) in stored_there.execute("SELECT submission_digest FROM helpline_contact")
        )
    stored_there.close()
    return numbers, digests


# --- progress --------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_bar_grows_in_its_line_until_it_is_full():
    terminal = Terminal()
    report = demonstration.progress(terminal)
    for made in (25, 50, 100):
        report(made, 100)
    lines = terminal.getvalue().split("\r")[1:]
    assert [line.count("#") for line in lines] == [10, 20, 40]
    assert terminal.getvalue().count("\n") == 1 and terminal.getvalue().endswith("100 %  100/100\n")


def test_elsewhere_a_line_is_written_for_each_tenth():
    file = io.StringIO()
    report = demonstration.progress(file)
    for made in range(1, 201):
        report(made, 200)
    lines = file.getvalue().splitlines()
    assert [line.split()[0] for line in lines[1:]] == [str(percent) for percent in range(10, 101, 10)]
    assert "\r" not in file.getvalue()
