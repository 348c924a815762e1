"""T4: one question has one answer, however it is asked. T7: what is outside the catalogue is refused, always alike."""

import csv
import io
from random import Random

import pytest
from django.db import transaction

from tests.attacks import crawl, queries
from tests.attacks.conftest import Stage, token_client
from tests.attacks.crawl import Crawl, Key
from tests.attacks.queries import Query
from tests.attacks.scope import BY_HAND, WORLDS, Scope, tell
from tests.rows import put

pytestmark = pytest.mark.django_db


def ask(client, query: Query):
    if query.body:
        return client.post(query.address, query.body, content_type="application/json")
    return crawl.answer(client, query.address)


def test_a_question_has_one_answer_however_it_is_asked(request, drawn_stage: Stage, attacks: Scope, readers):
    put(drawn_stage.kept)
    rng, seen = Random(3), {}
    shown = [key for key, value in drawn_stage.crawl.cells.items() if value is not None and key.contents == "kontakter"]
    keys = rng.sample(sorted(shown), 4)
    for key in keys:
        table = next(t for t in drawn_stage.crawl.tables if is_table_of(key, t))
        variables = drawn_stage.crawl.variables[key.family]
        codes = dict(zip(variables, key.codes, strict=True)) | {"ContentsCode": key.contents, "Tid": key.time}
        for query, output in queries.spellings(table, codes, attacks["equivalent queries"] // len(keys), rng):
            response = ask(next(readers), query)
            assert response.status_code == 200, (query, response.content)
            seen.setdefault(key, []).append(value_of(response, output))
    answers = {key: set(values) for key, values in seen.items()}
    asked = sum(map(len, seen.values()))
    tell(request, "T4", drawn_stage.world.name, queries=asked, answers_to_each=max(map(len, answers.values())))
    assert answers == {key: {drawn_stage.crawl.cells[key]} for key in keys} and asked >= 200


def is_table_of(key: Key, table: str) -> bool:
    kinds = {4: "year", 5: "pilot", 6: "quarter" if "K" in key.time else "halfyear", 7: "month"}
    return table == f"{key.family}-{kinds[len(key.time)]}"


def value_of(response, output: str) -> int | None:
    if output == "csv":
        *_, last = csv.reader(io.StringIO(response.content.decode(), newline=""))
        return None if last[-1] == ".." else int(last[-1])
    (value,) = response.json()["value"]
    return value


def test_a_question_outside_the_catalogue_is_refused_and_always_alike(request, stages, attacks: Scope):
    """Asked in two databases with other contacts: the refusals depend on neither."""
    one, other = stages[WORLDS["short"][0]], stages[BY_HAND]
    both = Crawl(variables=one.crawl.variables | other.crawl.variables)
    asked = list(queries.outside(both, attacks["queries outside the catalogue"], Random(5)))
    refused = [refusals(stage, asked) for stage in (one, other)]
    answered = [query for answers in refused for query, (status, _, _) in answers.items() if status < 400]
    unlike = [query for query in asked if refused[0][query] != refused[1][query]]
    tell(request, "T7", "two databases", queries=len(asked), answered=len(answered), unlike=len(unlike))
    assert not answered, answered[:5]
    assert not unlike, [(q, refused[0][q], refused[1][q]) for q in unlike[:2]]
    assert not one.counts == other.counts


def refusals(stage: Stage, asked: list[Query]) -> dict[Query, tuple[int, dict[str, str], bytes]]:
    with transaction.atomic():
        put(stage.kept)
        readers = [token_client(f"asker-{n}") for n in range(4)]
        found = {}
        for n, query in enumerate(asked):
            response = ask(readers[n % 4], query)
            body = b"" if response.status_code == 302 else response.content
            found[query] = response.status_code, dict(response.headers), body
        transaction.set_rollback(True)
    return {
        query: (status if status != 302 else 403, headers, body) for query, (status, headers, body) in found.items()
    }
