"""The counter of uses: at least, once a save, detached from every contact."""

from datetime import date
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from helpline.directory import uses
from helpline.form_values import content_of, kept_fields, posted_of
from helpline.models import AuditEvent, Contact, Earlier, Organisation, Referral, Service, ServiceUse, User
from tests.at_once import at_once

pytestmark = pytest.mark.django_db
DAY = date(2026, 5, 31)


@pytest.fixture
def service(db) -> Service:
    return made("Exit Nord", "avh_ideb")


def made(name: str, target: str, **said: object) -> Service:
    organisation, _ = Organisation.objects.get_or_create(name="org")
    return Service.objects.create(organisation=organisation, name=name, target=target, dimension="bada", **said)


def count(*services: Service, targets: tuple[str, ...] = ("avh_ideb",), today: date = DAY) -> None:
    uses.count([one.pk for one in services], targets=targets, today=today)


def counted() -> dict[str, int]:
    return {use.service.name: use.n for use in ServiceUse.objects.select_related("service")}


@pytest.mark.parametrize(("month", "first"), [(1, 1), (3, 1), (4, 4), (6, 4), (9, 7), (10, 10), (12, 10)])
def test_a_quarter_begins_in_january_april_july_and_october(month, first):
    assert uses.quarter_of(date(2026, month, 28)) == date(2026, first, 1)


def test_each_quarter_has_its_count(service):
    for today in (DAY, DAY, date(2026, 7, 1)):
        count(service, today=today)
    assert list(ServiceUse.objects.order_by("quarter").values_list("quarter", "n")) == [
        (date(2026, 4, 1), 2), (date(2026, 7, 1), 1)
    ]  # fmt: skip


def test_what_is_no_active_receiver_of_what_was_saved_is_ignored_without_a_word(service):
    closed = made("closed", "avh_ideb", is_active=False)
    resource = made("resource", "avh_ideb")
    Service.objects.filter(pk=resource.pk).update(kind="resurs", target="", dimension="")
    uses.count([uuid4(), closed.pk, resource.pk], targets={"avh_ideb", ""}, today=DAY)
    count(service, targets=("skola",))
    assert counted() == {}
    count(service)
    assert counted() == {"Exit Nord": 1}


@pytest.mark.django_db(transaction=True)
def test_uses_at_the_same_moment_are_all_counted(transactional_db):
    service = made("Exit Nord", "avh_ideb")
    at_once(*[lambda: count(service)] * 6)
    assert counted() == {"Exit Nord": 6}


# --- the save --------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("handler", None, role="handler"))
    return client


def posted(*services: Service | str, **said: str) -> dict[str, str]:
    body = {"key": str(uuid4()), "channel": "telefon", "day": timezone.localdate().isoformat(), "result": "relevant"}
    for n, one in enumerate(services):
        target, pk = (one.target, one.pk) if isinstance(one, Service) else ("avh_ideb", one)
        row = {"target": target, "type": "hanvisning", "service": str(pk)}
        body |= {f"referral-{n}-{part}": value for part, value in row.items()}
    return body | said


def save(client: Client, body: dict[str, str], status: int = 201) -> None:
    response = client.post("/contacts/new/", body, headers={"accept": "application/json"})
    assert response.status_code == status, response.content


def test_a_doubled_save_counts_once_and_so_does_one_with_other_answers(client, service):
    body = posted(service)
    save(client, body)
    save(client, body)
    save(client, body | {"caller_role": "sjalv"}, status=409)
    assert Contact.objects.count() == 1 and counted() == {"Exit Nord": 1}


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_twice_at_once_counts_once(transactional_db, service):
    user = User.objects.create_user("handler", None, role="handler")
    body = posted(service)

    def send() -> None:
        client = Client()
        client.force_login(user)
        save(client, body)

    at_once(send, send, send)
    assert Contact.objects.count() == 1 and counted() == {"Exit Nord": 1}


def test_a_service_in_two_rows_was_named_once_and_two_services_were_named_each(client, service):
    other = made("Barnlinjen", "linje")
    save(client, posted(service, other, service) | {"referral-2-type": "formedling", "referral-2-consent": "ja"})
    assert counted() == {"Exit Nord": 1, "Barnlinjen": 1}


@pytest.mark.parametrize("sent", ["", "x", "' or 1=1", "b7d3f0c2-5a41-4c8e-9a0e-6f2d1c3b4a59", "9" * 500])
def test_what_is_no_service_saves_the_contact_and_counts_nothing(client, service, sent):
    save(client, posted(sent))
    assert Contact.objects.get().referrals.get().target == "avh_ideb" and counted() == {}


def test_a_refused_form_and_one_without_referrals_count_nothing(client, service):
    save(client, posted(service, day="2001-01-01"), status=422)
    save(client, posted(service, result="tyst"))
    assert counted() == {}


def test_a_counter_that_fails_takes_no_contact_with_it(client, service, monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(uses, "count", fail)
    save(client, posted(service))
    assert Contact.objects.count() == 1


def test_an_amendment_counts_nothing(client, service):
    save(client, posted(service))
    contact = Contact.objects.get()
    client.post(f"/contacts/{contact.pk}/amend/", posted(service, version="1", caller_role="sjalv"))
    assert Earlier.objects.count() == 1 and counted() == {"Exit Nord": 1}


def test_neither_a_draft_nor_the_page_of_the_log_in_keeps_a_service(service):
    body = posted_of(posted(service).items())
    kept = f"{content_of(body).as_text()} {kept_fields(body)}"
    assert "avh_ideb" in kept and "service" not in kept and str(service.pk) not in kept


# --- detached --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="rows of SQLite bear no number of a transaction")
def test_no_two_rows_of_a_contact_and_its_uses_bear_the_same_transaction(transactional_db, service):
    client = Client()
    client.force_login(User.objects.create_user("handler", None, role="handler"))
    save(client, posted(service, made("Barnlinjen", "linje")))
    numbers: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        for table in ("helpline_contact", "helpline_referral", "helpline_serviceuse"):
            cursor.execute(f"SELECT xmin FROM {table}")  # noqa: S608 (a name of ours)
            numbers[table] = {str(number) for (number,) in cursor.fetchall()}
    assert numbers["helpline_contact"] == numbers["helpline_referral"]  # the control: one transaction does show
    assert len(numbers["helpline_serviceuse"]) == 2
    assert numbers["helpline_contact"].isdisjoint(numbers["helpline_serviceuse"])


def test_a_use_is_written_into_no_record_and_no_log(client, service, caplog):
    save(client, posted(service))
    assert not AuditEvent.objects.exists()
    assert str(service.pk) not in caplog.text


def test_no_column_of_a_use_leads_to_a_contact():
    assert {field.name for field in ServiceUse._meta.get_fields()} == {"id", "service", "quarter", "n"}
    assert {field.related_model for field in Service._meta.get_fields() if field.is_relation}.isdisjoint(
        {Contact, Referral}
    )
