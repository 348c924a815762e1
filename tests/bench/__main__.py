"""`python -m tests.bench [--scope=…] [name…]`: sets the stage, plays the measures, tells and keeps the figures."""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import cluster
from tests.bench.limits import Figure, Result, as_json, table
from tests.bench.table import FIGURES
from tests.testservices import NoServer, start_redis

ROOT = Path(__file__).parent.parent.parent
SCOPES = ("ci", "default", "full", "smoke")


def chosen(names: Sequence[str]) -> list[Figure]:
    """The figures with these names or beginnings of names; all without any. Raises NoServer for one that means none."""
    unknown = [name for name in names if not any(figure.name.startswith(name) for figure in FIGURES)]
    if unknown:
        raise NoServer(f"There is no figure {unknown[0]}: choose among {', '.join(f.name for f in FIGURES)}.")
    return [figure for figure in FIGURES if not names or figure.name.startswith(tuple(names))]


def prepare_environment(postgres_url: str, redis_url: str, folder: Path) -> None:
    """The settings of production, on a cluster of its own."""
    for name in list(os.environ):
        if name.startswith(("HELPLINE_", "REPORTS_", "DEMO_")):
            del os.environ[name]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
        "SECRET_KEY": "only-for-benchmarks-" + "0123456789abcdef" * 4,
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "DATABASE_URL": postgres_url,
        "CELERY_BROKER_URL": redis_url,
        "CACHE_URL": redis_url.removesuffix("0") + "1",
        "REPORTS_RELEASE_KEYS": str(folder / "release-keys"),
        "BENCH_STATIC_ROOT": str(folder / "static"),
    }


def run(figures: Sequence[Figure], scope: str, out: Path) -> int:
    """Play the measures of `figures` and tell them; the exit status."""
    began = time.monotonic()
    contacts = {"smoke": 3_000, "ci": 300_000, "default": 1_200_000, "full": 10_200_000}[scope]
    folder = Path(tempfile.mkdtemp(prefix="helpline-bench-"))
    with cluster.running(contacts, lasts=scope != "smoke") as postgres:
        redis = start_redis()
        try:
            prepare_environment(postgres.url, redis.url, folder)
            import django

            django.setup()
            from tests.bench.play import play

            results, sizes = play(postgres, scope, figures, say=say)
        finally:
            redis.stop()
            shutil.rmtree(folder, ignore_errors=True)
    say(f"{len(results)} figures in {time.monotonic() - began:.0f} s")
    return told(results, sizes, out)


def told(results: Sequence[Result], scope: str, out: Path) -> int:
    """Write the figures to `out` and on the screen; 1 if a measure broke or a must was missed, else 0."""
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(as_json(results, scope), indent=2) + "\n", encoding="utf-8")
    print(table(results, scope))
    failures = [result.figure.name for result in results if result.is_failure]
    if failures:
        print("failed:", ", ".join(failures))
    return 1 if failures else 0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description="The benchmarks as ratios.")
    parser.add_argument("names", nargs="*", metavar="name", help="figures, or beginnings of their names; default: all")
    parser.add_argument("--scope", choices=SCOPES, default="default", help="how many contacts: see the README")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "bench.json", help="where the figures are written")
    arguments = parser.parse_args()
    try:
        return run(chosen(arguments.names), arguments.scope, arguments.out)
    except NoServer as missing:
        print(missing, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
