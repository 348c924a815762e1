"""The stands on which faults happen, started once by each process of a run, and what every test looks at afterwards."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults import scope as scopes
from tests.faults.embedded import Embedded
from tests.faults.scope import BEAT, Figures, Scope
from tests.faults.stand import Scene, Stand


@pytest.fixture(scope="session")
def scope(pytestconfig: pytest.Config) -> Scope:
    return Scope(pytestconfig.getoption("--faults"))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """What the test tells of itself at the end of a nightly run."""
    seen = Figures()
    yield seen
    scopes.tell(request, seen)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, scope: Scope) -> Iterator[Stand]:
    with ExitStack() as closing:
        yield Stand(tmp_path_factory.mktemp("stand"), BEAT, closing)


@pytest.fixture
def stand(running: Stand, scope: Scope, figures: Figures) -> Iterator[Scene]:
    """Web, worker and beat on PostgreSQL and Redis, all up, with no contact yet."""
    scene = Scene(running, scope, figures)
    yield scene
    scene.leave()


@pytest.fixture(scope="session")
def running_host(tmp_path_factory: pytest.TempPathFactory, scope: Scope) -> Iterator[Embedded]:
    with ExitStack() as closing:
        yield Embedded(tmp_path_factory.mktemp("host"), BEAT, closing)


@pytest.fixture
def host(running_host: Embedded, scope: Scope, figures: Figures) -> Iterator[Scene]:
    """What bin/run starts, on SQLite, with no contact yet."""
    scene = Scene(running_host, scope, figures)
    yield scene
    scene.leave()
