"""Measures saving through the real form of a running server: how many a second, what the mark costs, and how long one
save takes while everything else goes on."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from django.db import connection

from helpline.entries import ContactEntry
from helpline.models import Contact
from reports import rollups
from tests.bench import cluster, served, truth
from tests.bench.limits import BrokenMeasure, ratio
from tests.bench.stage import SMALL, Stage
from tests.testservices import postgres_folders

CLIENTS = 4
NEW = "/contacts/new/"
APPLICATIONS = ("config.wsgi:application", "tests.bench.unmarked:application", "tests.bench.naive_wsgi:application")


def rates(stage: Stage) -> dict[str, float]:
    """Saves a second by four clients: pgbench, the product, the product without marks, naive Django; in turn."""
    stage.close()
    cluster.create(stage.server, "saves", like=SMALL)
    url, entries = stage.url("saves"), served.entries(stage)
    found: dict[str, list[float]] = {name: [] for name in ("pgbench", "product", "unmarked", "naive")}
    acknowledged = 0
    with (
        served.gunicorns(url, APPLICATIONS) as (product, unmarked, naive),
        tempfile.NamedTemporaryFile("w", suffix=".sql") as script,
    ):
        script.write(_one_statement(entries[0], stage))
        script.flush()
        ours, theirs = served.bodies(entries), served.bodies(entries, naive=True)
        servers = {
            "product": (product, ours, NEW),
            "unmarked": (unmarked, ours, NEW),
            "naive": (naive, theirs, "/naive/"),
        }
        for turn in range(stage.scope.turns + 1):
            seconds = stage.scope.seconds / 2
            once = {"pgbench": _pgbench(url, script.name, seconds)}
            # The other way round each time: what comes after pgbench finds its pages still being written.
            for name, (port, bodies, path) in list(servers.items())[:: 1 if turn % 2 else -1]:
                saved = served.save(port, stage.handlers[:CLIENTS], bodies, seconds, path=path)
                once[name] = saved.rate
                acknowledged += len(saved.took) if name != "naive" else 0
            for name, rate in once.items():
                found[name] += [rate] if turn else []
    _check(stage, acknowledged)
    stage.say("saves/s: " + ", ".join(f"{name} {max(rates):.0f}" for name, rates in found.items()))
    return {
        "save.rate": ratio(found["product"], found["pgbench"]),
        "save.rate_naive": ratio(found["naive"], found["pgbench"]),
        "save.marked": ratio(found["product"], found["unmarked"]),
    }


def _check(stage: Stage, acknowledged: int) -> None:
    """Raises BrokenMeasure unless every save that was acknowledged is there, whole, and counted by the next sweep."""
    with stage.on("saves"):
        by_handlers = Contact.objects.filter(day=stage.today, logged_by__username__startswith="handler")
        if by_handlers.count() != acknowledged:
            raise BrokenMeasure(f"{acknowledged} saves were acknowledged, {by_handlers.count()} are there")
        rollups.refresh(seconds=60)
        truth.check_counts(stage.today)


# --- pgbench ----------------------------------------------------------------------------------------------------------


def _program() -> str:
    for folder in postgres_folders():
        if (folder / "pgbench").is_file():
            return str(folder / "pgbench")
    if found := next((str(path) for path in map(Path, ("/usr/bin/pgbench",)) if path.is_file()), None):
        return found
    raise BrokenMeasure("pgbench is missing: install postgresql-contrib or postgresql-client")


def _pgbench(url: str, script: str, seconds: float) -> float:
    """Transactions a second."""
    command = [_program(), "--no-vacuum", "--client", str(CLIENTS), "--jobs", "2", "--file", script]
    command += ["--time", str(max(1, round(seconds))), url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    rate = re.search(r"tps = ([0-9.]+)", done.stdout)
    if done.returncode or not rate or float(rate[1]) <= 0:
        raise BrokenMeasure(f"pgbench: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    return float(rate[1])


def _one_statement(entry: ContactEntry, stage: Stage) -> str:
    """A contact and its referrals as one statement, with what a save keeps of its handler; no other account's."""
    with stage.on("saves"), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM helpline_user WHERE username = 'coordinator'")
        (coordinator,) = cursor.fetchone()
    columns: dict[str, str] = {"id": "gen_random_uuid()", "day": f"'{entry.day}'", "case_step": "'utan_nummer'"}
    for field in Contact._meta.concrete_fields:
        if field.name in entry.answers:
            codes = entry.answers[field.name]
            value = field.get_prep_value(codes) if field.get_internal_type() == "BigIntegerField" else next(iter(codes))
            columns[field.column] = f"'{value}'"
    columns |= {"version": "1", "is_withdrawn": "false", "is_frozen": "false", "submission_key": "gen_random_uuid()"}
    columns |= {"submission_digest": f"'{entry.digest()}'", "logged_at": "now()", "logged_by_id": str(coordinator)}
    rows: Sequence[str] = [
        f"('{r.target}', '{r.type}', '{r.outcome}', {str(r.consent).lower()})" for r in entry.referrals
    ]
    return (
        f"WITH contact AS (INSERT INTO helpline_contact ({', '.join(columns)}) VALUES ({', '.join(columns.values())})"
        " RETURNING id) INSERT INTO helpline_referral (id, contact_id, target, type, outcome, consent, is_repeat)"
        " SELECT gen_random_uuid(), contact.id, said.target, said.type, said.outcome, said.consent, false"
        f" FROM contact, (VALUES {', '.join(rows)}) said (target, type, outcome, consent);"
    )
