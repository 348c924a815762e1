"""A key is drawn once, whole, and never replaced."""

import pytest

from reports import keys
from reports.keys import UnusableKey, fingerprint, release_key
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
