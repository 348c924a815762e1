"""A key is drawn once, whole, and never replaced; it is its owner's alone, and in the end it is gone."""

import logging
import os
import traceback
from datetime import date
from pathlib import Path

import pytest
from django.db.models import QuerySet

from reports import keys
from reports.keys import KeyDestroyed, UnusableKey, agreed_key, fingerprint, release_key
from reports.models import ReleaseKey
from tests.at_once import at_once


def test_a_key_is_drawn_once_for_each_scope_and_edition(tmp_path):
    first = release_key(tmp_path / "keys", "2026", 1)
    assert release_key(tmp_path / "keys", "2026", 1) == first and len(first) == 32
    assert release_key(tmp_path / "keys", "2026", 2) != first != release_key(tmp_path / "keys", "pilot", 1)


def test_only_the_owner_can_read_a_key_and_nothing_else_lies_beside_it(tmp_path):
    release_key(tmp_path / "keys", "2026", 1)
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["2026-1.key"]
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("keys", "keys/2026-1.key")] == [0o700, 0o600]


def test_many_workers_that_draw_at_once_all_get_the_one_key(tmp_path):
    for number in range(50):
        folder = tmp_path / str(number)
        got = at_once(*[lambda folder=folder: release_key(folder, "2026", 1) for _ in range(8)])
        assert set(got) == {release_key(folder, "2026", 1)}


@pytest.mark.parametrize(
    "content",
    ["", "00" * 31, "00" * 33, "no key at all", "å" * 64],
    ids=["empty", "too short", "too long", "words", "no ASCII"],
)
def test_a_file_that_holds_no_key_is_refused_and_left_alone(tmp_path, content):
    file = tmp_path / "2026-1.key"
    file.write_text(content, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(UnusableKey, match=r"^2026-1\.key does not hold 32 bytes"):
        release_key(tmp_path, "2026", 1)
    assert file.read_text(encoding="utf-8") == content


def test_a_lost_key_is_not_drawn_anew_and_another_one_is_not_taken(tmp_path):
    known = {fingerprint(release_key(tmp_path, "2026", 1))}
    assert release_key(tmp_path, "2026", 1, known=known) == release_key(tmp_path, "2026", 1)
    file = tmp_path / "2026-1.key"
    file.unlink()
    with pytest.raises(UnusableKey, match="missing"):
        release_key(tmp_path, "2026", 1, known=known)
    assert not file.exists()
    release_key(tmp_path, "2026", 1)
    with pytest.raises(UnusableKey, match="earlier releases"):
        release_key(tmp_path, "2026", 1, known=known)


def test_the_fingerprint_is_that_of_hmac_sha256_and_no_draw_of_a_figure():
    # HMAC-SHA256("k" * 32, "fingerprint of a release key"), computed with another tool.
    assert fingerprint(b"k" * 32) == "fb3c02a413f19f44a4ff468cd7bf6da55a9ceba2e2b0aaeb1d4b160e62dc6171"
    assert len(keys.LABEL) > 16  # a draw is made of 16 bytes


# --- whose it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_not_used(tmp_path, mode):
    release_key(tmp_path / "keys", "2026", 1)
    file = tmp_path / "keys" / "2026-1.key"
    file.chmod(mode)
    with pytest.raises(UnusableKey, match=r"^2026-1\.key can be read by others .* mode 0600"):
        release_key(tmp_path / "keys", "2026", 1)
    file.chmod(0o600)
    assert release_key(tmp_path / "keys", "2026", 1)


def test_a_key_of_somebody_else_is_not_used(tmp_path, monkeypatch):
    release_key(tmp_path / "keys", "2026", 1)
    monkeypatch.setattr(keys.os, "geteuid", lambda: 4711)
    with pytest.raises(UnusableKey, match="can be read by others"):
        release_key(tmp_path / "keys", "2026", 1)


# --- the end ----------------------------------------------------------------------------------------------------------

DAY, LATER = date(2027, 3, 1), date(2027, 3, 2)


@pytest.fixture
def drawn(db, tmp_path) -> str:
    """A key that the database knows, in hexadecimal, as it lies in its file."""
    return agreed_key(tmp_path, "2026", 1).hex()


def receipt() -> tuple[str, date | None]:
    return ReleaseKey.objects.values_list("fingerprint", "destroyed_on").get(scope="2026", edition=1)


def test_what_is_left_of_a_destroyed_key_is_a_receipt(drawn, tmp_path):
    keys.destroy(tmp_path, "2026", 1, today=DAY)
    assert list(tmp_path.iterdir()) == []
    assert receipt() == (fingerprint(bytes.fromhex(drawn)), DAY)
    with pytest.raises(KeyDestroyed):
        agreed_key(tmp_path, "2026", 1)
    assert list(tmp_path.iterdir()) == []  # none is drawn in its place


def test_the_bytes_are_overwritten_where_they_lie(drawn, tmp_path):
    """Another name of the same file, as a careless copy by hard link, holds nothing afterwards either."""
    os.link(tmp_path / "2026-1.key", tmp_path / "another name")
    keys.destroy(tmp_path, "2026", 1, today=DAY)
    left = (tmp_path / "another name").read_bytes()
    assert len(left) == 64 and left.strip() == keys.GONE and drawn.encode() not in left


@pytest.mark.parametrize("cut", ["fsync", "update", "unlink"])
def test_a_destruction_that_is_cut_off_is_finished_by_the_next_and_never_lies(drawn, tmp_path, monkeypatch, cut):
    class Cut(Exception):
        pass

    def cut_off(*_: object, **__: object) -> None:
        raise Cut

    where = {"fsync": (keys.os, "fsync"), "update": (QuerySet, "update"), "unlink": (Path, "unlink")}[cut]
    with monkeypatch.context() as patched:
        patched.setattr(*where, cut_off)
        with pytest.raises(Cut):
            keys.destroy(tmp_path, "2026", 1, today=DAY)
    file = tmp_path / "2026-1.key"
    if receipt()[1] is not None:
        assert drawn.encode() not in file.read_bytes()
    elif cut == "update":
        with pytest.raises(UnusableKey, match="does not hold"):
            agreed_key(tmp_path, "2026", 1)
    keys.destroy(tmp_path, "2026", 1, today=LATER)
    assert not file.exists() and receipt()[1] == (DAY if cut == "unlink" else LATER)


def test_a_key_of_before_there_were_rows_of_keys_leaves_a_receipt_too(db, tmp_path):
    key = release_key(tmp_path, "2026", 1)
    keys.destroy(tmp_path, "2026", 1, today=DAY)
    assert receipt() == (fingerprint(key), DAY)


def test_only_files_of_keys_are_taken_for_keys(tmp_path):
    for name in ("2026-1.key", "pilot-2.key", "2026.key", "notes.txt", ".x.new", "26-1.key"):
        (tmp_path / name).touch()
    assert keys.held(tmp_path) == [("2026", 1), ("pilot", 2)]
    assert keys.held(tmp_path / "none") == []


def test_no_log_holds_a_key_from_the_first_draw_to_the_end(drawn, tmp_path, caplog, settings, monkeypatch):
    """T11, with every logger at its loudest and the statements of the database in it."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("django"), "propagate", True)
    caplog.set_level(logging.DEBUG, "django.db.backends")
    settings.DEBUG = True
    agreed_key(tmp_path, "2026", 1)
    (tmp_path / "2026-1.key").chmod(0o644)
    with pytest.raises(UnusableKey) as refused:
        agreed_key(tmp_path, "2026", 1)
    logging.getLogger("reports").exception("refused", exc_info=refused.value)
    keys.destroy(tmp_path, "2026", 1, today=DAY)
    told = caplog.text + "".join(traceback.format_exception(refused.value))
    assert "reports_releasekey" in told
    assert [form for form in (drawn, str(bytes.fromhex(drawn))) if form in told] == []
    logging.getLogger("reports").debug("the control: %s", drawn)
    assert drawn in caplog.text
