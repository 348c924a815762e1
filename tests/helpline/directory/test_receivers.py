"""Reading the directory: who is found, in which order, and what an entry tells of its use."""

from datetime import date
from unicodedata import normalize

import pytest

from helpline.directory import receivers
from helpline.directory.receivers import Wanted
from helpline.listings import Wrong
from helpline.listings.nearness import Nearness
from helpline.models import Service, ServiceUse
from tests import listed

pytestmark = pytest.mark.django_db
TODAY = date(2026, 8, 15)


def found(**wanted) -> list[str]:
    return [one.service.name for one in receivers.find(Wanted(**wanted), today=TODAY)]


@pytest.fixture
def around_orebro() -> None:
    listed.service("Country", "SE", target="linje")
    listed.service("County", "18")
    listed.service("Shared", "1880", "1881", is_shared=True)
    listed.service("Own", "1880")
    listed.service("Elsewhere", "0180")
    listed.service("Nowhere")
    listed.service("Resource", "SE", kind="resurs")


def test_the_nearest_stand_first_and_what_is_for_others_does_not_stand_at_all(around_orebro):
    assert found(place="1880") == ["Own", "Shared", "County", "Country", "Nowhere"]
    assert found(place="1881") == ["Shared", "County", "Country", "Nowhere"]
    assert found(place="18") == ["County", "Own", "Shared", "Country", "Nowhere"]
    assert found(place="SE") == ["Country", "Nowhere"]
    near = {one.service.name: one.near for one in receivers.find(Wanted(place="1880"), today=TODAY)}
    assert near["Own"] is Nearness.MUNICIPALITY and near["Nowhere"] is Nearness.UNKNOWN


def test_without_a_place_all_stand_by_name(around_orebro):
    assert found() == ["Country", "County", "Elsewhere", "Nowhere", "Own", "Shared"]


def test_knowledge_resources_are_kept_apart(around_orebro):
    assert found(kind="resurs") == ["Resource"]


def test_a_target_narrows_the_list_down(around_orebro):
    assert found(target="linje") == ["Country"] and found(target="polis") == []


def test_names_are_found_whatever_their_letters_case_also_swedish_ones():
    listed.service("Råd och stöd", of=listed.organisation("ÖREBRO kommun"))
    listed.service("Annat")
    assert found(words="RÅD örebro") == ["Råd och stöd"] and found(words="råd malmö") == []


def test_words_whose_letters_and_marks_are_typed_apart_find_the_same_names():
    listed.service("Råd och stöd", of=listed.organisation("Örebro kommun"))
    apart = normalize("NFD", "RÅD örebro")
    assert apart != "RÅD örebro" and found(words=apart) == ["Råd och stöd"]


def test_a_name_that_comes_in_with_letters_and_marks_apart_is_refused_at_the_door():
    """Forms and files compose what they read (helpline.listings.values); nothing else can be stored."""
    with pytest.raises(Wrong):
        listed.service(normalize("NFD", "Råd och stöd"))


def test_names_stand_in_swedish_order():
    for name in ("Öppen", "Ärlig", "Ånge", "zon", "Ab"):
        listed.service(name)
    assert found() == ["Ab", "zon", "Ånge", "Ärlig", "Öppen"]


def test_what_must_be_made_sure_of_is_found_and_flagged():
    listed.service("Old", on=date(2026, 2, 14))
    listed.service("Never")
    listed.service("Fresh", on=date(2026, 2, 15))
    assert found(is_stale=True) == ["Never", "Old"]
    flagged = {one.service.name: one.is_stale for one in receivers.find(Wanted(), today=TODAY)}
    assert flagged == {"Old": True, "Never": True, "Fresh": False}


def test_closed_ones_stand_apart():
    closed = listed.service("Closed")
    listed.service("Open")
    type(closed).objects.filter(pk=closed.pk).update(is_active=False)
    assert found() == ["Open"] and found(is_closed=True) == ["Closed"]


def test_only_those_that_are_looked_at_are_loaded(around_orebro, monkeypatch, django_assert_num_queries):
    loaded, of = [], Service.from_db
    monkeypatch.setattr(Service, "from_db", lambda *row: loaded.append(1) or of(*row))
    with django_assert_num_queries(3):
        matches = receivers.find(Wanted(place="1880"), today=TODAY)
        page = matches[1:3]
    assert [one.service.name for one in page] == ["Shared", "County"] and len(loaded) == 2 < len(matches)
    assert page[0].areas == ("1880", "1881") and matches[0].service.name == "Own"


def test_an_entry_that_is_deleted_between_finding_and_looking_is_not_there():
    one, other = listed.service("One"), listed.service("Other")
    matches = receivers.find(Wanted(), today=TODAY)
    one.delete()
    assert [found.service for found in matches] == [other]


# --- use --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "shown"), [(0, None), (1, None), (4, None), (5, 5), (12, 12)])
def test_use_is_shown_from_five_and_nought_looks_like_four(n, shown):
    service = listed.service("Name", "SE", "18", languages=frozenset({"sv"}))
    if n:
        ServiceUse.objects.create(service=service, quarter=date(2026, 4, 1), n=n)
    said = receivers.detail(service.pk, today=TODAY)
    assert said.uses == [
        *((date(2026, 4, 1), shown), (date(2026, 1, 1), None)),
        *((date(2025, 10, 1), None), (date(2025, 7, 1), None)),
    ]
    assert said.languages == ["sv"] and said.areas == ["18", "SE"]


def test_the_present_quarter_is_never_shown():
    """It grows while one looks: the difference of two looks is one contact."""
    service = listed.service()
    ServiceUse.objects.create(service=service, quarter=date(2026, 7, 1), n=50)
    assert all(n is None for _, n in receivers.detail(service.pk, today=TODAY).uses)
    assert receivers.detail(service.pk, today=date(2026, 10, 1)).uses[0] == (date(2026, 7, 1), 50)
