"""The pages of imports: what a coordinator is told of a file, what is never repeated, and who sees what."""

import io
import logging
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from openpyxl import Workbook

from helpline import policy, spreadsheet, traffic_file
from helpline.imports import jobs, uploads
from helpline.imports.contacts import MANDATORY
from helpline.listings import table
from helpline.models import AuditEvent, Contact, ImportedKey, ImportJob, Service, TrafficHour, User

pytestmark = pytest.mark.django_db

FILES = Path(__file__).parents[2] / "data"
YEAR, BROKEN, TRAFFIC = (FILES / f"pilot-{name}.csv" for name in ("year", "year-broken", "traffic"))
RECEIVERS = FILES.parent.parent / "helpline" / "data" / "receivers.json"
HEADER = "key,day,channel,result\n"
ROWS = HEADER + "a,2016-01-04,telefon,relevant\nb,2016-01-04,telefon,test\n"
NAME = "Kalle"


@pytest.fixture(autouse=True)
def english_and_nothing_counted() -> Iterator[None]:
    cache.clear()
    with translation.override("en"):
        yield


@pytest.fixture
def client() -> Client:
    return browser_of("coordinator")


def browser_of(name: str, role: str = policy.COORDINATOR) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_user(name, None, role=role))
    return client


def upload(client: Client, content: bytes | str, kind: str = "contacts", name: str = "f.csv") -> HttpResponse:
    content = content.encode() if isinstance(content, str) else content
    return client.post("/import/", {"kind": kind, "file": SimpleUploadedFile(name, content)}, follow=True)


def words(response: HttpResponse) -> str:
    return unescape(response.content.decode())


def stored() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Contact, ImportedKey, ImportJob, TrafficHour))


def decide(client: Client, act: str) -> HttpResponse:
    job = ImportJob.objects.exclude(state__in=ImportJob.CLOSED).get()
    return client.post(f"/import/{job.pk}/{'cancel' if act == 'cancel' else 'load'}/", {"act": act}, follow=True)


def ring() -> None:
    jobs.run_next(now=timezone.now())


def test_the_page_says_which_columns_each_file_needs_and_may_have(client):
    said = words(client.get("/import/"))
    for kind in ("Contacts", "Calls", "Directory"):
        assert said.count(f"Columns of the file: {kind}") == 1
    assert said.count(">needed<") == len(MANDATORY) + len(traffic_file.COLUMNS) + len(table.MANDATORY)
    assert '<th scope="row">voicemail <strong>needed</strong></th>' in said and '<th scope="row">county</th>' in said


# --- from the file to the end ----------------------------------------------------------------------------------------


def test_a_file_is_looked_at_then_loaded_then_counted(client):
    response = upload(client, YEAR.read_bytes())
    said = words(response)
    assert "326 rows are read." in said and "326 rows would be stored." in said and "refused" not in said
    assert "Nothing is stored yet." in said and "<td>Phone</td>" in said
    assert Contact.objects.count() == 0
    assert "Waits for its turn" in words(decide(client, "load"))
    ring()
    assert Contact.objects.count() == 326
    page = client.get(f"/import/{ImportJob.objects.get().pk}/")
    assert "Import, done: Contacts" in words(page) and "326 rows were stored." in words(page)
    assert [event.act for event in AuditEvent.objects.all()] == ["import.run"]


def test_a_file_that_is_there_already_has_nothing_to_load(client):
    for _ in range(2):
        said = words(upload(client, ROWS))
        decide(client, "load")
        ring()
    assert "There is nothing new in the file to load." in said and 'value="load"' not in said
    assert Contact.objects.count() == 2


def test_calls_are_loaded_the_same_way(client):
    said = words(upload(client, TRAFFIC.read_bytes(), "traffic"))
    assert "533 rows would be stored." in said and "020-100 200" in said
    decide(client, "load")
    ring()
    assert TrafficHour.objects.count() == 533


def test_the_directory_is_loaded_the_same_way_from_json(client):
    services = RECEIVERS.read_text().count('"services"')
    said = words(upload(client, RECEIVERS.read_bytes(), "directory"))
    assert services > 3 and "rows would be stored." in said and "refused" not in said
    decide(client, "load")
    ring()
    assert Service.objects.count() == ImportJob.objects.get().stored >= services
    assert "rows are there already." in words(upload(client, RECEIVERS.read_bytes(), "directory"))


FOREIGN = FILES / "hsds-organization-full.json"
CHOOSES = "Kind of receiver for services that have none"


def test_a_foreign_directory_is_loaded_when_a_kind_is_chosen_for_services_that_have_none(client):
    said = words(upload(client, FOREIGN.read_bytes(), "directory"))
    assert "choose a target for all that have none" in said and CHOOSES in said and 'value="load"' not in said
    assert "Choose below a kind of receiver" in said
    said = words(aim(client, "linje"))
    assert "1 row would be stored." in said and 'value="load"' in said and "What is refused" not in said
    assert CHOOSES in said and '<option value="linje" selected>' in said, "another one can be chosen"
    assert "Nothing is stored yet." in said and not Service.objects.exists()
    decide(client, "load")
    ring()
    assert [(one.target, one.is_active) for one in Service.objects.all()] == [("linje", True)]


def test_the_fields_that_are_left_out_are_named_before_a_kind_is_chosen_and_after(client):
    left_out = "organizations[].additional_websites[].url × 1"
    assert left_out in words(upload(client, FOREIGN.read_bytes(), "directory"))
    assert left_out in words(aim(client, "linje"))


@pytest.mark.parametrize("code", ["", "no-such-kind", "vet_ej"])
def test_what_is_no_kind_of_receiver_is_not_chosen(client, code):
    upload(client, FOREIGN.read_bytes(), "directory")
    assert "Choose a kind of receiver in the list." in words(aim(client, code))
    assert ImportJob.objects.get().target == ""


def test_a_file_whose_services_all_have_a_kind_is_not_asked_for_one(client):
    assert CHOOSES not in words(upload(client, RECEIVERS.read_bytes(), "directory"))
    upload(client, ROWS)
    assert CHOOSES not in words(aim(client, "linje"))
    assert not ImportJob.objects.exclude(target="").exists()


def test_no_kind_is_chosen_for_a_file_that_is_on_its_way(client):
    upload(client, RECEIVERS.read_bytes(), "directory")
    decide(client, "load")
    aim(client, "linje")
    assert ImportJob.objects.get().target == ""


def aim(client: Client, target: str) -> HttpResponse:
    job = ImportJob.objects.exclude(state__in=ImportJob.CLOSED).get()
    return client.post(f"/import/{job.pk}/aim/", {"target": target}, follow=True)


def test_a_directory_that_cannot_be_read_is_refused_in_one_sentence(client):
    for content in ("", "{", "{}", "\x00"):
        response = upload(client, content, "directory")
        assert response.status_code == 400 and "Nothing was loaded" in words(response), content
    assert stored() == (0, 0, 0, 0) and not Service.objects.exists()


def test_the_preview_names_what_is_refused_by_place_and_never_by_its_text(client):
    said = words(upload(client, ROWS + f"{NAME},2016-01-04,{NAME},relevant\n{NAME},2016-13-01,telefon,test\n"))
    assert "Line 4, column channel (C):" in said and "Line 5, column day (B):" in said
    assert "2 rows would be stored." in said and "2 rows are refused." in said
    assert NAME not in said


def test_what_is_refused_can_be_left_out(client):
    upload(client, ROWS + f"c,2016-01-04,{NAME},relevant\n")
    said = words(client.get(f"/import/{ImportJob.objects.get().pk}/"))
    assert 'value="skip"' in said and 'value="load"' not in said
    decide(client, "skip")
    ring()
    assert Contact.objects.count() == 2


def test_the_broken_year_shows_the_first_hundred_refusals_and_can_only_be_cancelled(client):
    said = words(upload(client, BROKEN.read_bytes()))
    assert "The file cannot be loaded as it is" in said and "This column is unknown" in said
    assert "Columns of the file: Contacts" in said and "what tells the row from all others" in said.lower()
    assert 'value="skip"' not in said and 'value="load"' not in said and 'value="cancel"' in said
    for text in ("Ljusdal", "ringde", "anteckning", "17 år"):
        assert text not in said
    assert "The import was cancelled" in words(decide(client, "cancel"))
    assert stored()[:2] == (0, 0) and not ImportJob.objects.get().content


def test_a_hundred_refusals_are_shown_and_the_others_counted(client):
    said = words(upload(client, HEADER + "".join(f"{n},2016-01-04,{NAME},test\n" for n in range(130))))
    assert said.count('class="line"') == 100 and "And 30 more." in said


def test_what_is_loaded_by_force_is_refused_all_the_same(client):
    upload(client, ROWS + f"c,2016-01-04,{NAME},relevant\n")
    decide(client, "load")
    ring()
    said = words(client.get(f"/import/{ImportJob.objects.get().pk}/"))
    assert "Nothing was stored, and nothing is changed" in said and "1 row is refused." in said
    assert Contact.objects.count() == 0


# --- what cannot be read ---------------------------------------------------------------------------------------------


def packed(*parts: tuple[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in parts:
            writer.writestr(name, content)
    return archive.getvalue()


def two_sheets() -> bytes:
    book, content = Workbook(), io.BytesIO()
    book.active.append(["key", NAME])
    book.create_sheet().append(["key", NAME])
    book.save(content)
    return content.getvalue()


REFUSED = {
    "empty": (b"", "The file is empty."),
    "blank": (b"\n \n", "The file is empty."),
    "not a table": (f"{NAME} called\nat seven\n".encode(), "The file is no table of contacts"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(300), "The file is no table of contacts"),
    "another encoding": (ROWS.encode("utf-16"), "The file is no table of contacts"),
    "with a password": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "The file is no table of contacts"),
    "a bomb": (packed(("xl/worksheets/sheet1.xml", bytes(80 * 2**20))), "The file is too large"),
    "cut off": (two_sheets()[:1500], "The file is no table of contacts"),
    "two sheets": (two_sheets(), "More than one sheet holds text"),
    "too many rows": (HEADER.encode() + b"x,,,\n" * (spreadsheet.MOST_ROWS + 1), "more than 20,000 rows"),
    "too many bytes": (b"x" * (uploads.MOST_BYTES + 1), "The file is larger than 10 MB"),
    "far too many bytes": (b"x" * (uploads.MOST_SENT + 1), "The file is larger than 10 MB"),
    "no column": (b"day,channel,result\n", "These columns are missing"),
    "an open quote": (f'{HEADER}a,"{NAME}'.encode(), "A quotation mark on line 2 does not end"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_file_that_cannot_be_read_is_refused_in_one_clear_sentence_and_changes_nothing(client, fault, caplog):
    content, sentence = REFUSED[fault]
    with caplog.at_level(logging.DEBUG, logger="helpline"):
        response = upload(client, content)
    said = words(response)
    assert response.status_code == 400 and sentence in said, said
    assert said.count('role="alert"') >= 1 and "Nothing was loaded, and nothing is changed" in said
    assert stored() == (0, 0, 0, 0)
    assert NAME not in said and NAME not in caplog.text


def test_calls_with_a_column_of_numbers_are_not_read(client):
    header, row = TRAFFIC.read_text().splitlines()[:2]
    response = upload(client, f"{header},number\n{row},070-123\n", "traffic")
    assert response.status_code == 400 and "numbers of callers" in words(response)
    assert "070" not in words(response) and stored() == (0, 0, 0, 0)


def test_a_file_as_large_as_may_be_is_read(client):
    filled = (ROWS + (" " * 999 + "\n") * 11_000).encode()[: uploads.MOST_BYTES]
    assert "2 rows are read." in words(upload(client, filled))


def test_without_kind_or_file_the_page_says_what_is_missing(client):
    response = client.post("/import/", {})
    assert response.status_code == 400
    assert "Choose what the file holds." in words(response) and "Choose a file." in words(response)
    assert "Choose what the file holds." in words(client.post("/import/", {"kind": "people"}))


@pytest.mark.parametrize("role", ["", policy.HANDLER])
def test_what_somebody_sends_who_may_not_is_not_kept_in_memory(role, monkeypatch):
    client, kept = (browser_of("x", role) if role else Client()), []
    monkeypatch.setattr(uploads.InMemoryOnly, "file_complete", lambda handler, size: kept.append(handler.kept))
    upload(client, ROWS)
    upload(browser_of("coordinator"), ROWS)
    assert [one is None for one in kept if one is None] == [True] * (len(kept) - 1) and kept[-1] is not None


def test_nothing_that_is_sent_lies_in_a_file_for_a_moment(client, monkeypatch):
    import tempfile

    def refuse(*args, **kwargs):
        raise AssertionError("a file on disk")

    for name in ("NamedTemporaryFile", "TemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    assert upload(client, YEAR.read_bytes()).status_code == 200


# --- whose it is, and how it stands ----------------------------------------------------------------------------------


def test_somebody_elses_import_is_not_there(client):
    upload(client, ROWS)
    address, other = f"/import/{ImportJob.objects.get().pk}/", browser_of("another")
    sent = [other.post(f"{address}load/", {"act": act}) for act in ("load", "skip")]
    for response in (other.get(address), *sent, other.post(f"{address}cancel/")):
        assert response.status_code == 404
    assert other.get(f"/import/{uuid4()}/").status_code == 404
    assert ImportJob.objects.get().state == ImportJob.READY
    assert str(ImportJob.objects.get().pk) not in words(other.get("/import/"))


def test_what_is_open_is_found_again_after_logging_in(client):
    upload(client, ROWS)
    address = f"/import/{ImportJob.objects.get().pk}/"
    client.logout()
    client.force_login(User.objects.get())
    assert address in words(client.get("/import/"))
    decide(client, "load")
    assert "You have an import that is not done" in words(client.get("/import/"))
    assert "This import is not done" in words(upload(client, ROWS))


def test_a_running_import_says_how_far_it_is_to_page_and_script(client):
    upload(client, ROWS)
    decide(client, "load")
    running = {"state": ImportJob.RUNNING, "held_until": timezone.now() + timedelta(minutes=1), "attempts": 1}
    ImportJob.objects.update(**running)
    job = ImportJob.objects.get()
    address = f"/import/{job.pk}/"
    assert '<progress id="bar" max="100">' in words(client.get(address)), "nothing is known yet"
    jobs._tell(job, 40)
    said = words(client.get(address))
    assert 'value="40"' in said and 'http-equiv="refresh"' in said and 'role="status"' in said
    answer = client.get(address, headers={"accept": "application/json"}).json()
    assert answer == {"state": "running", "percent": 40, "said": "Is being stored, all rows or none."}
    assert "It was too late to cancel." in words(client.post(f"{address}cancel/", follow=True))


def prove_long_ago(client: Client) -> None:
    session = client.session
    session["account_authentication_methods"][0]["at"] -= policy.STEP_UP_SECONDS
    session.save()


def test_proof_anew_is_asked_for_at_choosing_and_at_loading_and_never_for_looking_or_cancelling(client):
    User.objects.update(password=make_password("four words in a row"))  # by which it can be proved
    client.force_login(User.objects.get())
    upload(client, ROWS)
    address = f"/import/{ImportJob.objects.get().pk}/"
    prove_long_ago(client)
    assert "2 rows would be stored." in words(client.get(address))
    refused = client.post(f"{address}load/", {"act": "load"}, headers={"referer": f"http://testserver{address}"})
    assert refused.url.startswith("/account/confirm/") and refused.url.endswith(address.replace("/", "%2F"))
    assert ImportJob.objects.get().state == ImportJob.READY
    for response in (client.get("/import/"), client.post("/import/", {"kind": "contacts"})):
        assert response.url.startswith("/account/confirm/")
    ImportJob.objects.update(state=ImportJob.WAITING)
    assert client.get(address, headers={"accept": "application/json"}).json()["state"] == "waiting"
    assert "Waits for its turn" in words(client.get(address))
    assert "The import was cancelled" in words(client.post(f"{address}cancel/", follow=True))
    assert ImportJob.objects.get().state == ImportJob.CANCELLED


ENDS = {
    ImportJob.FAILED: "tried three times",
    ImportJob.EXPIRED: "kept for an hour",
    ImportJob.CANCELLED: "was cancelled",
    ImportJob.REFUSED: "Choose the file again",
}


@pytest.mark.parametrize("state", ENDS)
def test_an_import_that_stored_nothing_says_why_and_what_to_do(client, state):
    upload(client, ROWS)
    ImportJob.objects.update(**jobs._ended(state))
    said = words(client.get(f"/import/{ImportJob.objects.get().pk}/"))
    assert "Nothing was stored, and nothing is changed" in said and ENDS[state] in said
    assert "Load another file" in said


def test_a_preview_that_is_too_old_says_so(client):
    upload(client, ROWS)
    ImportJob.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    response = client.get(f"/import/{ImportJob.objects.get().pk}/", follow=True)
    assert response.status_code == 200 and "kept for an hour" in words(response)
    assert not ImportJob.objects.get().content


def test_a_day_after_it_ended_an_import_is_not_there(client):
    upload(client, ROWS)
    address = f"/import/{ImportJob.objects.get().pk}/"
    jobs.expire(now=timezone.now() + timedelta(days=2))
    jobs.forget(today=timezone.localdate() + timedelta(days=2))
    assert client.get(address).status_code == 404


def test_no_page_asks_more_of_the_database_for_a_longer_file(client):
    counts = []
    for content in (ROWS, YEAR.read_text()):
        upload(client, content)
        address = f"/import/{ImportJob.objects.get(state=ImportJob.READY).pk}/"
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(address)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 9, counts
