"""The stages on which attacks happen: a world that went the whole road, what was fetched of it, and what is true."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from django.db import models, transaction
from django.test import Client

from helpline.models import User
from tests.attacks import crawl, row_files, scope, truth, worlds
from tests.attacks.crawl import Crawl, Key
from tests.attacks.scope import BY_HAND, WITH_FILE, WORLDS, Scope
from tests.attacks.worlds import World
from tests.granted import token_of
from tests.oracle import Count

READERS = 3  # evaluators who pull together, since each of them is asked not to call too often


@dataclass
class Stage:
    """A world as published: its rows in the database, everything an evaluator fetched, and its row files."""

    world: World
    kept: Sequence[models.Model]
    crawl: Crawl
    files: dict[str, row_files.File]
    keys: Path

    @cached_property
    def counts(self) -> dict[Key, Count]:
        return truth.counts(self.crawl, self.world.rows, self.world.periods)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever takes a stage is tried on each of the run's worlds, and on the one made by hand."""
    drawn = WORLDS[scope.scope_of(metafunc.config).name]
    of_files = WITH_FILE[scope.scope_of(metafunc.config).name]
    names = {"drawn_stage": drawn, "stage": [*drawn, BY_HAND], "stage_with_file": of_files}
    for fixture, of_fixture in names.items():
        if fixture in metafunc.fixturenames:
            ids = [one if isinstance(one, str) else "-".join(map(str, one)) for one in of_fixture]
            params = [
                pytest.param(one, marks=[pytest.mark.xdist_group(i), pytest.mark.django_db])
                for one, i in zip(of_fixture, ids, strict=True)
            ]
            metafunc.parametrize(fixture, params, ids=ids, indirect=True, scope="session")


@pytest.fixture(scope="session")
def attacks(pytestconfig: pytest.Config) -> Scope:
    return scope.scope_of(pytestconfig)


@pytest.fixture(scope="session")
def stages(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[Any, Stage]:
    """The stages made so far."""
    return Stages(django_db_blocker, tmp_path_factory)


class Stages(dict[Any, Stage]):
    """Each is made when it is first asked for, in a transaction that is then undone."""

    def __init__(self, blocker: Any, folders: pytest.TempPathFactory) -> None:
        super().__init__()
        self.blocker, self.folders = blocker, folders

    def __missing__(self, name: Any) -> Stage:
        world = worlds.by_hand() if name == BY_HAND else worlds.drawn(*name)
        folder = self.folders.mktemp("world")
        with self.blocker.unblock(), worlds.drawn_by(world.name), transaction.atomic():
            worlds.import_and_freeze(world, folder)
            worlds.publish(world.periods, folder / "keys")
            worlds.publish_files()
            kept = worlds.kept_rows()
            client = token_client("crawler")
            found = crawl.everything(client)
            files = row_files.fetched(lambda address: body_of(client, address))
            transaction.set_rollback(True)
        self[name] = Stage(world, kept, found, files, folder / "keys")
        return self[name]


@pytest.fixture(scope="session")
def stage(request: pytest.FixtureRequest, stages: dict[Any, Stage]) -> Stage:
    return stages[request.param]


@pytest.fixture(scope="session")
def drawn_stage(request: pytest.FixtureRequest, stages: dict[Any, Stage]) -> Stage:
    return stages[request.param]


@pytest.fixture(scope="session")
def stage_with_file(request: pytest.FixtureRequest, stages: dict[Any, Stage]) -> Stage:
    return stages[request.param]


def token_client(name: str) -> Client:
    """An evaluator who has nothing but a token."""
    user = User.objects.filter(username=name).first() or User.objects.create_user(name, None, role="evaluator")
    return Client(headers={"authorization": f"Bearer {token_of(user)}"})


def body_of(client: Client, address: str) -> bytes | None:
    response = crawl.answer(client, address)
    return response.content if response.status_code == 200 else None


@pytest.fixture
def readers(db: None) -> Iterator[Client]:
    """Evaluators by turns."""
    return cycle([token_client(f"reader-{n}") for n in range(READERS)])


@pytest.fixture
def browser_of_evaluator(db: None) -> Client:
    """An evaluator who is logged in, as pages are read."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_user("who-reads-pages", None, role="evaluator"))
    return client
