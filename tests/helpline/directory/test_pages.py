"""The pages of the directory: finding whom to refer to, one entry, changing it, and what each county has."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from html import unescape

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from helpline import directory, policy
from helpline.directory.entries import service_entry, state
from helpline.listings import Hours, Phone, Place
from helpline.models import AuditEvent, Organisation, Service, ServiceUse, User
from tests import listed

pytestmark = pytest.mark.django_db
LIST, ADD, COUNTIES = "/directory/", "/directory/add/", "/directory/counties/"


@pytest.fixture(autouse=True)
def language_of_the_next_test() -> Iterator[None]:
    with translation.override("en"):
        yield


def browser_of(role: str) -> Client:
    somebody = User.objects.filter(role=role).first() or User.objects.create_user(role, None, role=role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(somebody)
    return client


@pytest.fixture
def client() -> Client:
    return browser_of(policy.HANDLER)


@pytest.fixture
def leading() -> Client:
    return browser_of(policy.COORDINATOR)


def text(response: HttpResponse) -> str:
    assert response.status_code == 200
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split()))


def names(response: HttpResponse) -> list[str]:
    """The services of a list, in its order."""
    return re.findall(r'class="service__name"[^>]*>([^<]+)<', response.content.decode())


def of(service: Service, act: str = "") -> str:
    return reverse("directory-service", args=[service.pk]) + act


def today() -> date:
    return timezone.localdate()


# --- the list ---------------------------------------------------------------------------------------------------------


def test_a_line_says_what_is_needed_in_a_call(client):
    agreed = listed.organisation("Kommunen", agreement="iop", agreement_until=date(2020, 1, 1))
    phones = (Phone("0771-12 34 56", "7", "Växel"), Phone("112"))
    listed.service("Stöd", "0180", "01", of=agreed, alert="Closed in July", phones=phones, on=date(2020, 1, 1))
    said = text(client.get(LIST))
    for part in (
        *("Stöd", "Kommunen", "Note: Closed in July", "0771-12 34 56 (7) Växel", "112", "Social services"),
        *("Stockholm County, Stockholm", "Last verified 2020-01-01 more than 6 months ago"),
        "Public–civil partnership (IOP), until 2020-01-01 lapsed",
    ):
        assert part in said, part
    assert 'href="tel:0771-123456"' in client.get(LIST).content.decode()


def test_what_was_verified_lately_is_not_flagged(client):
    listed.service(on=today())
    assert "more than 6 months" not in text(client.get(LIST))
    listed.service()
    assert "Never verified" in text(client.get(LIST))


def test_with_a_municipality_the_nearest_stand_first_under_what_they_serve(client):
    for name, *areas in (("Country", "SE"), ("County", "18"), ("Own", "1880"), ("Other", "0180")):
        listed.service(name, *areas)
    listed.service("Shared", "1880", "1881", is_shared=True)
    page = client.post(LIST, {"place": "1880"})
    assert names(page) == ["Own", "Shared", "County", "Country"]
    headings = re.findall(r'services__group">([^<]+)<', page.content.decode())
    assert headings == ["Örebro", "Shared unit", "Örebro County", "Whole country"]


def test_it_is_found_by_target_and_by_words(client):
    listed.service("Rådgivning", "SE", target="linje")
    listed.service("Polisen", "SE", target="polis")
    assert names(client.post(LIST, {"target": "polis"})) == ["Polisen"]
    assert names(client.post(LIST, {"words": "RÅDGIV"})) == ["Rådgivning"]
    nothing = client.post(LIST, {"words": "nobody"})
    assert "No entry is like that" in text(nothing) and 'value="nobody"' in nothing.content.decode()


def test_what_cannot_be_looked_for_is_not(client):
    listed.service("Here", "SE")
    strange = {"place": "9999", "target": "x", "kind": "x", "state": "x", "page": "x"}
    assert names(client.post(LIST, strange)) == names(client.get(LIST, strange)) == ["Here"]


def test_an_empty_directory_says_what_to_do(client):
    assert "The directory is empty" in text(client.get(LIST))


def test_knowledge_resources_stand_on_a_page_of_their_own(client):
    listed.service("Receiver", "SE")
    resource = listed.service("Resource", kind="resurs")
    assert names(client.get(LIST)) == ["Receiver"]
    assert names(client.get(LIST + "?kind=resurs")) == ["Resource"]
    assert "callers are not referred here" in text(client.get(of(resource)))


def test_closed_ones_are_seen_only_by_whoever_can_open_them(client, leading):
    closed = listed.service("Closed", "SE")
    directory.close_service(closed.pk, by=listed.coordinator(), now=timezone.now())
    assert names(client.get(LIST)) == names(client.post(LIST, {"state": "closed"})) == []
    assert names(leading.post(LIST, {"state": "closed"})) == ["Closed"]
    assert "Closed: refer nobody here." in text(client.get(of(closed)))


def test_what_is_looked_for_stands_in_no_address(client):
    """An address is kept by browsers and by the logs of whatever stands before the program."""
    for number in range(60):
        listed.service(f"Service {number}", "1880")
    page = client.post(LIST, {"place": "1880", "words": "service"}).content.decode()
    form = re.search(r'<form class="find"[^>]*>', page)
    assert form and 'method="post"' in form[0]
    addresses = re.findall(r'(?:href|action|formaction)="([^"]*)"', page)
    assert addresses and not [address for address in addresses if "1880" in address or "words" in address]
    second = client.post(LIST, {"place": "1880", "words": "service", "page": "2"})
    assert len(names(second)) == 10 and "Page 2 of 2" in text(second)


def test_from_what_was_found_one_comes_back_to_it(client):
    service = listed.service("Here", "1880")
    found = client.post(LIST, {"place": "1880"}).content.decode()
    assert f'form="again" formaction="{of(service)}"' in found
    page = client.post(of(service), {"place": "1880"}).content.decode()
    assert '<input type="hidden" name="place" value="1880">' in page and "Back to what you found" in page
    assert "Back to what you found" not in client.get(of(service)).content.decode()


# --- one entry --------------------------------------------------------------------------------------------------------


def test_an_entry_says_everything(client):
    agreed = listed.organisation("Kommunen", agreement="projekt", agreement_until=today() + timedelta(days=30))
    service = listed.service(
        "Stöd", "1880", "1881", of=agreed, target="avh_mynd", dimension="bada", description="What it is",
        url="https://example.se/", alert="Closed in July", covers_exit="ja", is_shared=True, is_confidential=True,
        phones=(Phone("112", "3", "at night"),), languages=("sv", "uk"),
        hours=(Hours("MO,TU", time(9), time(16, 30), description="by Swedish clock"),),
        places=(Place(False, "House", "Street 1", "111 22", "Town"), Place(True)), on=date(2020, 1, 1),
    )  # fmt: skip
    said = text(client.get(of(service)))
    for part in (
        *("Stöd", "Kommunen · Exit programme, public", "Closed in July", "112 (3) at night", "https://example.se/"),
        *("Monday 09:00–16:30 (by Swedish clock)", "Wednesday closed", "What it is", "Örebro, Kumla Shared unit"),
        *("Social and practical", "Guidelines cover people who want to leave Yes", "Swedish, uk"),
        *("House Street 1 111 22 Town", "Only by telephone and screen", "Project grant, until"),
        *("lapses within 6 months", "Last verified 2020-01-01 more than 6 months ago"),
        *("Protected entry.", "It stands in no file that leaves the helpline."),
    ):
        assert part in said, part


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ((), "Opening hours are not known"),
        ((Hours("MO,TU,WE,TH,FR,SA,SU", time(0), time(23, 59, 59)),), "Open now"),
        ((Hours("MO,TU,WE,TH,FR,SA,SU", time(9), time(17)),), "Open now , until Wednesday 17:00"),
        ((Hours("MO,TU,WE,TH,FR,SA,SU", time(14), time(17)),), "Closed now , opens Wednesday 14:00"),
        (
            (Hours("MO", time(14), time(17), date(2030, 1, 1)),),
            "At other times of the year Monday 14:00–17:00 from",
        ),
    ],
)
def test_it_says_whether_it_is_open(client, monkeypatch, hours, said):
    noon = timezone.make_aware(datetime(2026, 6, 10, 12))
    service = listed.service(hours=hours)
    monkeypatch.setattr("helpline.views.directory.timezone.now", lambda: noon)
    assert said in text(client.get(of(service)))


@pytest.mark.parametrize(("n", "said"), [(0, "fewer than 5"), (4, "fewer than 5"), (5, "at least 5")])
def test_use_is_shown_from_five_with_what_it_counts(client, n, said):
    service = listed.service()
    day = today()
    quarter = date(day.year - 1, 10, 1) if day.month < 4 else date(day.year, (day.month - 1) // 3 * 3 - 2, 1)
    if n:
        ServiceUse.objects.create(service=service, quarter=quarter, n=n)
    page = client.get(of(service))
    assert re.findall(r"<dt>[^<]*–[^<]*</dt><dd>([^<]+)</dd>", page.content.decode())[0] == said
    assert "Not how many callers, and not whether they went there" in text(page)


def test_what_is_not_there_is_not_found(client, leading):
    nowhere = "00000000-0000-4000-8000-000000000009"
    assert client.get(f"/directory/{nowhere}/").status_code == 404
    for act in ("change", "verify", "close", "reopen"):
        assert leading.post(f"/directory/{nowhere}/{act}/").status_code == 404
    assert leading.get(f"/directory/organisations/{nowhere}/").status_code == 404
    assert leading.post(f"/directory/organisations/{nowhere}/close/").status_code == 404


# --- changing ---------------------------------------------------------------------------------------------------------


def sent(page: HttpResponse) -> dict[str, object]:
    """The fields of the form of an entry as a browser would send them back."""
    shown, found = page.context["page"], {}
    for form in (shown.form, *(row for rows in shown.rows.values() for row in rows.forms)):
        for field in form:
            value = field.value()
            if value not in (None, False, "", []):
                shaped = field.field.prepare_value(value)
                found[field.html_name] = f"{shaped:%H:%M}" if isinstance(shaped, time) else shaped
    for rows in shown.rows.values():
        found |= {rows.management_form[name].html_name: rows.management_form[name].value() for name in COUNTED}
    return found | {"seen": page.context["seen"]}


COUNTED = ("TOTAL_FORMS", "INITIAL_FORMS")


def test_a_coordinator_adds_an_entry_with_its_rows(leading):
    of_ = listed.organisation("Kommunen")
    form = sent(leading.get(f"{ADD}?organisation={of_.pk}")) | {
        **{"name": "Stöd", "kind": "mottagare", "target": "polis", "areas": ["18", "0180"], "languages": ["sv"]},
        **{"other_languages": "UK, pl", "phones-1-number": "112", "hours-0-weekdays": ["MO", "TU"]},
        **{"hours-0-opens": "09:00", "hours-0-closes": "00:00", "places-0-city": "Town", "assured": "on"},
    }
    assert form["organisation"] == str(of_.pk)
    response = leading.post(ADD, form)
    made = Service.objects.get()
    assert response.url == of(made) and made.assured_on == today() and made.organisation == of_
    said = service_entry(made)
    assert (said.target, said.dimension) == ("polis", "praktisk")
    assert said.phones == (Phone("112"),) and said.places == (Place(city="Town"),)
    assert said.hours == (Hours("MO,TU", time(9), time(23, 59, 59)),)
    assert said.languages == ("pl", "sv", "uk") and said.areas == ("0180", "18")
    assert AuditEvent.objects.filter(act="directory.edit").exists()


@pytest.fixture
def whole() -> Service:
    return listed.service(
        "Stöd", "SE", "18", "1880", target="avh_mynd", dimension="social", alert="Note", covers_exit="nej",
        is_shared=True, is_confidential=True, phones=(Phone("1", "2", "3"), Phone("4")),
        hours=(Hours("MO,SU", time(0), time(23, 59, 59), date(2026, 1, 1), date(2026, 2, 1), "x"),),
        places=(Place(True), Place(False, "a", "b", "c", "d")), languages=("sv", "uk"),
        description="d", url="https://example.se/",
    )  # fmt: skip


def test_a_form_that_is_sent_back_untouched_changes_nothing(leading, whole):
    before = service_entry(whole)
    where = of(whole, "change/")
    assert leading.post(where, sent(leading.get(where))).url == of(whole)
    assert service_entry(Service.objects.get()) == before


def test_an_emptied_row_is_gone_and_a_new_one_is_there(leading, whole):
    where = of(whole, "change/")
    form = sent(leading.get(where))
    for name in ("number", "extension", "description"):
        form[f"phones-0-{name}"] = ""
    form["phones-2-number"] = "5"
    leading.post(where, form)
    assert [phone.number for phone in service_entry(whole).phones] == ["4", "5"]


def test_a_knowledge_resource_has_no_target(leading, whole):
    where = of(whole, "change/")
    leading.post(where, sent(leading.get(where)) | {"kind": "resurs"})
    said = service_entry(Service.objects.get())
    assert (said.kind, said.target, said.dimension) == ("resurs", "", "")


WRONG = {
    "name": ({"name": ""}, "Something must be written here."),
    "organisation": ({"organisation": ""}, "An answer is needed here: choose one."),
    "target": ({"target": ""}, "A receiver is of some kind: choose one."),
    "url": ({"url": "no address"}, "write it whole"),
    "url of another server": ({"url": "https://bank.example@evil.example"}, "name has no @"),
    "alert": ({"alert": "soft\u00adly"}, "a character that cannot be seen"),
    "id_phones-0-number": ({"phones-0-number": "\u202e54321-80"}, "a character that cannot be seen"),
    "other_languages": ({"other_languages": "Ukrainian!"}, "Write ISO 639 codes"),
    "areas": ({"areas": ["9999"]}, ""),
    "id_phones-2-number": ({"phones-2-description": "office"}, "A number is missing"),
    "id_hours-1-weekdays": (
        {"hours-1-opens": "09:00", "hours-1-closes": "10:00"},
        "Choose at least one day",
    ),
    "id_hours-1-closes": ({"hours-1-weekdays": ["MO"], "hours-1-opens": "09:00"}, "A time is missing"),
    "id_hours-0-closes": ({"hours-0-opens": "10:00", "hours-0-closes": "09:00"}, "a night is two rows"),
    "id_hours-0-valid_to": ({"hours-0-valid_to": "2025-01-01"}, "The last day lies before the first one"),
    "id_hours-0-opens": ({"hours-0-opens": "nine"}, "This is no time"),
}


@pytest.mark.parametrize("place", WRONG)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_saved(leading, whole, place):
    before, where = service_entry(whole), of(whole, "change/")
    wrong, told = WRONG[place]
    place, _, _ = place.partition(" ")
    page = leading.post(where, sent(leading.get(where)) | wrong)
    html = page.content.decode()
    error = re.search(rf'<p class="error" id="{place}_error">([^<]*)</p>', html)
    assert error and told in unescape(error[1])
    assert f'href="#{place}"' in html and f'id="{place}"' in html
    assert service_entry(Service.objects.get()) == before


def test_rows_without_end_are_refused(leading, whole):
    where = of(whole, "change/")
    for number in ("x", "9999"):
        page = leading.post(where, sent(leading.get(where)) | {"phones-TOTAL_FORMS": number})
        assert page.status_code == 200 and [place for place, _, _ in page.context["summary"]] == ["phones"]
    assert len(service_entry(whole).phones) == 2


def test_an_entry_of_as_many_rows_as_a_file_may_bring_can_be_changed(leading):
    service = listed.service("Stöd", phones=tuple(Phone(str(n)) for n in range(40)))
    where = of(service, "change/")
    assert leading.post(where, sent(leading.get(where)) | {"alert": "new"}).url == of(service)
    assert Service.objects.get().alert == "new" and len(service_entry(service).phones) == 40


def test_an_entry_of_old_with_more_rows_says_what_to_do_and_can_be_mended(leading):
    service = listed.service("Stöd")
    for number in range(45):
        service.phones.create(position=number, number=str(number))
    where = of(service, "change/")
    form = sent(leading.get(where))
    page = leading.post(where, form)
    html = page.content.decode()
    assert "Telephone: At most 40 rows fit here" in text(page) and 'href="#phones"' in html and 'id="phones"' in html
    assert service.phones.count() == 45
    fewer = {f"phones-{number}-number": "" for number in range(5)}
    assert leading.post(where, form | fewer).url == of(service)
    assert [phone.number for phone in service_entry(service).phones] == [str(number) for number in range(5, 45)]


def test_a_name_in_pieces_is_the_name_that_is_taken(leading, whole):
    listed.organisation("Ängelholm")
    pieces = unicodedata.normalize("NFD", "Ängelholm")
    page = leading.post("/directory/organisations/add/", {"name": pieces, "agreement": "okant"})
    assert "There is an organisation of this name already" in text(page)


def test_a_name_that_is_taken_is_told(leading, whole):
    listed.service("Taken", of=whole.organisation)
    where = of(whole, "change/")
    assert "has a service of this name" in text(leading.post(where, sent(leading.get(where)) | {"name": "Taken"}))


def test_of_two_coordinators_the_second_hears_of_the_first_and_decides(leading, whole):
    where = of(whole, "change/")
    mine = sent(leading.get(where)) | {"alert": "mine"}
    Service.objects.update(alert="theirs")
    page = leading.post(where, mine)
    assert "Somebody else changed the entry" in text(page) and "What a caller must know first" in text(page)
    assert Service.objects.get().alert == "theirs" and 'value="mine"' in page.content.decode()
    assert page.context["seen"] == state(service_entry(now := Service.objects.get()), of=now.organisation_id)
    leading.post(where, mine | {"seen": page.context["seen"]})
    assert Service.objects.get().alert == "mine"


def test_an_organisation_is_added_and_changed(leading):
    add = "/directory/organisations/add/"
    form = {"name": "Kommunen", "agreement": "iop", "agreement_until": "2027-01-31"}
    where = leading.post(add, form).url
    assert Organisation.objects.get().agreement_until == date(2027, 1, 31)
    assert "There is an organisation of this name already" in text(leading.post(add, form))
    assert "This is no day" in text(leading.post(add, form | {"name": "Other", "agreement_until": "soon"}))
    seen = leading.get(where).context["seen"]
    leading.post(where, form | {"agreement": "avtal", "seen": seen})
    assert Organisation.objects.get().agreement == "avtal"
    assert "Somebody else changed the entry" in text(leading.post(where, form | {"seen": seen}))
    assert Organisation.objects.get().agreement == "avtal"


def test_entries_are_closed_and_opened_again(leading):
    one, two = listed.service(), listed.service()
    leading.post(of(one, "close/"))
    assert set(Service.objects.filter(is_active=True)) == {two}
    leading.post(of(one, "reopen/"))
    leading.post(reverse("directory-close-organisation", args=[two.organisation_id]))
    assert set(Service.objects.filter(is_active=True)) == {one}


def test_an_entry_is_verified_by_one_click_where_one_is(leading):
    service = listed.service("Old", "SE")
    assert "Never verified" in text(leading.get(COUNTIES))
    assert leading.post(of(service, "verify/"), {"back": "counties"}).url == COUNTIES
    assert Service.objects.get().assured_on == today()
    assert "None: all entries were verified within 6 months." in text(leading.get(COUNTIES))
    assert leading.post(of(service, "verify/")).url == of(service)


def test_a_handler_changes_nothing(client):
    service = listed.service(on=date(2020, 1, 1))
    for act in ("change", "verify", "close", "reopen"):
        assert client.post(of(service, f"{act}/")).status_code == 403
    assert client.get(ADD).status_code == client.get(COUNTIES).status_code == 403
    page = client.get(of(service)).content.decode() + client.get(LIST).content.decode()
    assert "/verify/" not in page and "/change/" not in page and ADD not in page
    assert Service.objects.get().assured_on == date(2020, 1, 1)


# --- counties ---------------------------------------------------------------------------------------------------------


def test_each_figure_of_a_county_leads_to_as_many_receivers(leading):
    for number, areas in enumerate((("18",), ("1880", "0180"), ("SE",), ("SE", "18"), ())):
        listed.service(f"S{number}", *areas, on=today())
    page = leading.get(COUNTIES).content.decode()
    links = re.findall(r'<td><a[^>]*href="([^"]+)">(\d+)', page)
    assert len(links) == 3
    for address, n in links:
        where = unescape(address)
        found = leading.get(where)
        own = [line for line in found.context["lines"] if _is_counted(line.service, where[-2:])]
        assert len(own) == int(n), where
    assert "none" in page


def _is_counted(service: Service, code: str) -> bool:
    return any(area.code[:2] == code for area in service.areas.all())


def test_shares_and_agreements_say_what_they_count(leading):
    listed.service("A", "SE", of=listed.organisation(agreement="projekt", agreement_until=date(2020, 1, 1)), on=today())
    listed.service("B", of=listed.organisation("Mine", agreement="iop"))
    listed.service("C", kind="resurs", on=today())
    said = text(leading.get(COUNTIES))
    assert "66.7% 2 of 3 entries, receivers and knowledge resources" in said
    assert "Project grant 1 of 2 receivers" in said and "Voluntary 0 of 2 receivers" in said
    assert "until 2020-01-01 lapsed" in said


def test_an_empty_directory_has_no_share(leading):
    said = text(leading.get(COUNTIES))
    assert "– 0 of 0 entries" in said and "%" not in said.split("Receivers by county")[0]


def test_what_is_old_is_marked_by_more_than_a_colour(leading):
    listed.service("Old", "18")
    assert "1 ! , 1 not verified for 6 months" in text(leading.get(COUNTIES))


# --- what it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("many", [10, 200])
def test_pages_cost_few_queries_whatever_the_size(client, leading, many):
    agreed = listed.organisation(agreement_until=date(2020, 1, 1))
    for number in range(many):
        listed.service("", "SE", "18", "1880", of=agreed, phones=(Phone("1"), Phone("2")) if number % 2 else ())
    service = listed.service("", "SE", phones=tuple(Phone(str(n)) for n in range(many // 10)), languages=("sv", "en"))
    asked = {
        "list": (6, lambda: client.get(LIST)),
        "found": (6, lambda: client.post(LIST, {"place": "1880"})),
        "list of a coordinator": (6, lambda: leading.get(LIST)),
        "entry": (8, lambda: client.get(of(service))),
        "counties": (8, lambda: leading.get(COUNTIES)),
    }
    for name, (most, ask) in asked.items():
        ask()
        with CaptureQueriesContext(connection) as captured:
            assert ask().status_code == 200
        assert len(captured) <= most, (name, captured.captured_queries)
