"""Row files by program: the list, the rows as they were published, and every refusal as problem details."""

import hashlib
from datetime import date

import pytest
from django.core.cache import cache
from django.test import Client

from helpline import policy
from helpline.models import User
from reports.models import PreparedFile, PublishedFile
from tests.granted import token_of

pytestmark = pytest.mark.django_db

LIST, FILE = "/api/v1/files/", "/api/v1/files/2015/"
CONTENT = "Tid,caller_role_3,concern_main,concern_more\r\n2015,yrkes,dras_in,nej\r\n"
DIGEST = hashlib.sha256(CONTENT.encode()).hexdigest()
MANIFEST = (
    '{"parameters":{"k":10},"columns":["Tid","caller_role_3","concern_main","concern_more"],"utility":{"rows":1}}'
)


@pytest.fixture(autouse=True)
def files(db: None) -> None:
    cache.clear()
    day = date(2016, 2, 1)
    PublishedFile.objects.create(year=2015, content=CONTENT, manifest=MANIFEST, sha256=DIGEST, published_on=day)
    PublishedFile.objects.create(
        year=2016, refused="too-few-rows", manifest='{"parameters":{"k":10}}', published_on=date(2017, 1, 15)
    )
    PreparedFile.objects.create(year=2017, percent=100, content=CONTENT, manifest=MANIFEST, prepared_on=day)


@pytest.fixture
def evaluator() -> Client:
    user = User.objects.create_user("evaluator", None, role=policy.EVALUATOR)
    return Client(headers={"Authorization": f"Bearer {token_of(user)}"})


def test_the_list_has_every_year_with_what_it_holds_or_why_it_has_none(evaluator):
    content = evaluator.get(LIST, {"lang": "en"}).json()
    file, refused = content["files"]
    assert content["language"] == "en"
    assert (file["id"], file["published"], file["sha256"]) == ("2015", "2016-02-01", DIGEST)
    assert file["href"] == "http://testserver/api/v1/files/2015/" and file["utility"] == {"rows": 1}
    assert file["columns"]["concern_main"] == "Main type of concern"
    assert (refused["id"], refused["refused"]) == ("2016", "too-few-rows")
    assert refused["reason"].startswith("No row file: the year has fewer than 600")
    assert "href" not in refused
    swedish = evaluator.get(LIST).json()["files"][1]["reason"]
    assert swedish.startswith("Ingen radfil: året har färre än 600")


def test_a_file_is_byte_for_byte_what_was_published_and_its_etag_is_its_sha256(evaluator):
    response = evaluator.get(FILE)
    assert response.status_code == 200 and response.content == CONTENT.encode()
    assert response["ETag"] == f'"{DIGEST}"' and not response.has_header("Last-Modified")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="rows-2015.csv"'
    assert response["Cache-Control"] == "private, no-cache"


def test_who_has_it_gets_a_304_and_the_rows_are_not_read(evaluator, django_assert_max_num_queries):
    with django_assert_max_num_queries(10) as queries:
        response = evaluator.get(FILE, headers={"If-None-Match": f'"{DIGEST}"'})
    assert response.status_code == 304 and response.content == b""
    assert not any('"content"' in query["sql"] for query in queries)


@pytest.mark.parametrize(
    ("year", "detail"),
    [
        (2016, "No row file: the year has fewer than 600"),
        (2017, "There is no published row file with this id"),
        (1999, "There is no published row file with this id"),
    ],
)
def test_a_year_without_a_published_file_is_a_problem_that_says_why(evaluator, year, detail):
    response = evaluator.get(f"{LIST}{year}/", {"lang": "en"})
    assert response.status_code == 404 and response["Content-Type"] == "application/problem+json"
    assert response.json()["title"] == "Non-existent file" and response.json()["detail"].startswith(detail)


def test_what_is_prepared_and_what_never_was_are_told_alike(evaluator):
    answers = [evaluator.get(f"{LIST}{year}/") for year in (2017, 1999)]
    assert answers[0].content == answers[1].content
    assert [dict(answer.headers) for answer in answers][0] == dict(answers[1].headers)


@pytest.mark.parametrize("where", ["/api/v1/files", "/api/v1/files/all/", "/api/v1/files/2015.csv"])
def test_other_addresses_are_problems_too(evaluator, where):
    response = evaluator.get(where)
    assert response.status_code == 404 and response["Content-Type"] == "application/problem+json"


def test_an_unknown_language_is_a_problem(evaluator):
    assert evaluator.get(LIST, {"lang": "de"}).status_code == 400
    assert evaluator.get(FILE, {"lang": "de"}).status_code == 400


@pytest.mark.parametrize("where", [LIST, FILE])
def test_nothing_can_be_sent(evaluator, where):
    assert evaluator.post(where, {}).status_code == 405


@pytest.mark.parametrize("where", [LIST, FILE])
def test_without_a_grant_an_evaluators_session_fetches_nothing(where):
    client = Client()
    assert client.get(where).status_code == 401
    client.force_login(User.objects.create_user("without", None, role=policy.EVALUATOR))
    response = client.get(where)
    assert response.status_code == 403 and "grant" in response.json()["detail"]
    coordinator = Client()
    coordinator.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    assert coordinator.get(where).status_code == 200


@pytest.mark.parametrize("role", [policy.HANDLER, policy.ADMINISTRATOR])
def test_who_has_nothing_to_do_with_statistics_is_refused(role):
    client = Client()
    client.force_login(User.objects.create_user("other", None, role=role))
    assert client.get(FILE).status_code == 403
