"""Owns the synthetic contacts of the benchmarks: the demonstration's tables as SQL, which makes them by the million.

Contact number i is the same in every database: each answer is drawn by a hash of i. Rare codes come up in about 2 of
10,000 contacts, a relevant contact has about 1.87 concerns, a contact about 0.89 referrals.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from helpline import synthetic, taxonomy
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS, QUESTIONS, When

DAYS = 1096
WEEKDAYS = (1.25, 1.15, 1.1, 1.1, 1.0, 0.4, 0.35)
RARE = 0.02  # per cent
# Unlike in the demonstration most contacts are relevant: they are the ones that cost something to count.
RESULTS = dict(relevant=88, info=6, tyst=2, avbrutet=2, fel=1, bus=0.7, test=0.3)
MORE = {"concerns": (0.66, 0.47), "needs": (0.75, 0.4), "barriers": (0.4, 0.1), "actions": (0.65, 0.2)}
REFERRALS = (0.62, 0.29, 0.13, 0.04)  # the share of relevant contacts that have a first, second, third, fourth one
ARRANGED = 0.15
WITHDRAWN = 0.0025
CHUNK = 500_000  # contacts in one COPY
AT_ONCE = 2  # connections that make contacts: what takes time is to draw the answers
OF_THE_PROBE = 1_000_000_000  # from here on the numbers of the contacts that both databases have

Chunk = tuple[int, list[tuple[date, int, int]]]  # the first contact's number; day, its first contact's number, how many


def days_of(total: int, today: date, number: int = DAYS) -> list[tuple[date, int]]:
    """How many of `total` contacts fall on each of the `number` days before `today`."""
    days = [today - timedelta(days=number - n) for n in range(number)]
    weights = [WEEKDAYS[day.weekday()] * synthetic.SEASON[day.month - 1] for day in days]
    whole, reached, counts = sum(weights), 0.0, []
    for day, weight in zip(days, weights, strict=True):
        before, reached = reached, reached + weight
        counts.append((day, round(total * reached / whole) - round(total * before / whole)))
    return counts


def make(days: Iterable[tuple[date, int]], *, first: int = 0) -> None:
    """Store the contacts of these days, numbered on from `first`, with their referrals; they are not counted yet."""
    chunks = list(_chunks(days, first))
    wrappers = [connection.copy() for _ in range(min(AT_ONCE, len(chunks)))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(_store, wrapper, chunks[n :: len(wrappers)]) for n, wrapper in enumerate(wrappers)]:
            done.result()


def _store(wrapper: BaseDatabaseWrapper, chunks: Sequence[Chunk]) -> None:
    wrapper.inc_thread_sharing()  # made by the thread that knows which database is meant
    with closing(wrapper), wrapper.cursor() as cursor:
        # Each reference was made by the statement before it; looking up ten million of them would say the same.
        cursor.execute("SET session_replication_role = replica")
        for start, days in chunks:
            of_days = ", ".join(f"('{day}'::date, {at}, {n})" for day, at, n in days)
            _load(cursor, "helpline_contact", CONTACT, CONTACTS % {"days": of_days})
            _load(cursor, "helpline_referral", REFERRAL, REFERRALS_OF % {"first": start, "last": sum(days[-1][1:])})


def _load(cursor: Any, table: str, columns: str, rows: str) -> None:
    """Let COPY write the rows to a file of the cluster, which goes with it, and COPY them from there into the table."""
    cursor.execute("SELECT current_setting('data_directory') || '/made.' || pg_backend_pid()")
    (file,) = cursor.fetchone()
    cursor.execute(f"COPY ({rows}) TO '{file}'")
    cursor.execute(f"COPY {table} ({columns}) FROM '{file}'")


def _chunks(days: Iterable[tuple[date, int]], first: int) -> Iterator[Chunk]:
    chunk: list[tuple[date, int, int]] = []
    start = first
    for day, n in days:
        chunk.append((day, first, n))
        first += n
        if first - start >= CHUNK:
            yield start, chunk
            chunk, start = [], first
    if first > start:
        yield start, chunk


# --- what a contact says ----------------------------------------------------------------------------------------------


def _draw(salt: int) -> str:
    """A number of [0, 1) that hangs on the contact and on what is drawn."""
    return f"((hashint8extended(i, {salt}) & 16777215) / 16777216.0::float8)"


def _literal(list_id: str, code: str) -> str:
    return str(CODE_LISTS[list_id].mask([code])) if CODE_LISTS[list_id].multiple else f"'{code}'"


def _pick(list_id: str, weights: Mapping[str, float], salt: int) -> str:
    """One code of the list by weight."""
    whole, reached, bounds = sum(weights.values()), 0.0, []
    for weight in weights.values():
        reached += weight / whole
        bounds.append(f"{reached:.9f}")
    codes = ", ".join(_literal(list_id, code) for code in weights)
    kind = "bigint" if CODE_LISTS[list_id].multiple else "text"
    if len(weights) == 1:
        return _literal(list_id, next(iter(weights)))
    inner = ", ".join(bounds[:-1])
    return f"(ARRAY[{codes}]::{kind}[])[1 + width_bucket({_draw(salt)}, ARRAY[{inner}]::float8[])]"


def _weights(list_id: str, named: Mapping[str, float], plain: bool = False) -> dict[str, float]:
    """Every code that may be drawn; `plain` leaves out those that stand alone."""
    offered = CODE_LISTS[list_id].offered_on(date.today())
    return {
        code.code: named.get(code.code, RARE)
        for code in offered
        if not plain or not (code.exclusive or code.code in NON_ANSWERS)
    }


def _holds(when: When) -> str:
    if not when.codes:
        return "true" if when.unless else "false"
    code_list = CODE_LISTS[when.question]
    codes = sorted(when.codes & code_list.codes.keys())
    if code_list.multiple:
        return f"({when.question} & {code_list.mask(codes)}) {'=' if when.unless else '<>'} 0"
    listed = ", ".join(f"'{code}'" for code in codes)
    return f"{when.question} {'NOT IN' if when.unless else 'IN'} ({listed})"


def _by_line(list_id: str, salt: int, plain: bool = False) -> str:
    """A code by the first line of the demonstration's table that holds."""
    lines = [] if list_id == "result" else synthetic.TABLES.get(list_id, ())
    picked = "".join(
        f" WHEN {_holds(when)} THEN {_pick(list_id, _weights(list_id, named, plain), salt)}" for when, named in lines
    )
    named = RESULTS if list_id == "result" else {}
    rest = _pick(list_id, _weights(list_id, named, plain), salt)
    return f"CASE{picked} ELSE {rest} END" if picked else rest


def _answer(question: str, salt: int) -> str:
    """What a contact says to a question, as an expression of what it said before."""
    drawn = _by_line(question, salt)
    if CODE_LISTS[question].multiple:
        code_list = CODE_LISTS[question]
        plain = code_list.mask(_weights(question, {}, plain=True))
        more = "".join(
            f" | CASE WHEN one & {plain} <> 0 AND {_draw(salt + 2 * n)} < {share}"
            f" THEN {_by_line(question, salt + 2 * n + 1, plain=True)} ELSE 0 END"
            for n, share in enumerate(MORE.get(question, (0.05,)), 1)
        )
        drawn = f"(SELECT one{more} FROM (SELECT {drawn} AS one OFFSET 0) first)"
    asked = " AND ".join(_holds(when) for when in taxonomy.ASKED_WHEN.get(question, ()))
    return f"CASE WHEN {asked} THEN {drawn} ELSE {_literal(question, 'ej_till')} END" if asked else drawn


def _contacts() -> str:
    """One level of select for each question, so that a question may look at the answers before it."""
    rows = "SELECT day, at + n AS i FROM (VALUES %(days)s) days (day, at, many), generate_series(0, many - 1) n"
    rows = f"SELECT day, i::bigint AS i FROM ({rows}) numbered"
    for number, question in enumerate(QUESTIONS):
        rows = f"SELECT *, {_answer(question, 10 * (number + 1))} AS {question} FROM ({rows}) r{number} OFFSET 0"
    said = ", ".join(QUESTIONS)
    return (
        f"SELECT md5('contact ' || i)::uuid, day, {said}, 'utan_nummer', 1, {_draw(1)} < {WITHDRAWN}, false"
        f" FROM ({rows}) contact"
    )


def _referrals() -> str:
    target = _by_line("referral_target", 901)
    outcome = _by_line("referral_outcome", 902)
    shares = ", ".join(map(str, REFERRALS))
    # The number of the referral is a part of what is hashed, so that a contact's differ.
    each = (
        "SELECT c.*, number, c.number_of_contact * 7 + number AS i FROM ("
        " SELECT contact.*, n AS number_of_contact FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) n"
        " JOIN helpline_contact contact ON contact.id = md5('contact ' || n)::uuid WHERE result = 'relevant'"
        ") c, generate_series(1, 4) number"
        f" WHERE ((hashint8extended(c.number_of_contact, 900) & 16777215) / 16777216.0) < (ARRAY[{shares}])[number]"
    )
    said = (
        f"SELECT id, i, ({target}) AS target, ({outcome}) AS outcome, {_draw(903)} < {ARRANGED} AS arranged"
        f" FROM ({each}) each OFFSET 0"
    )
    once = f"SELECT DISTINCT ON (id, target, arranged) * FROM ({said}) said ORDER BY id, target, arranged, i"
    return (
        "SELECT md5('referral ' || i)::uuid, id, target, CASE WHEN arranged THEN 'formedling' ELSE 'hanvisning' END,"
        f" outcome, arranged, {_draw(904)} < 0.01 FROM ({once}) once ORDER BY i"  # as the contacts lie
    )


CONTACT = f"id, day, {', '.join(QUESTIONS)}, case_step, version, is_withdrawn, is_frozen"
REFERRAL = "id, contact_id, target, type, outcome, consent, is_repeat"
CONTACTS, REFERRALS_OF = _contacts(), _referrals()
