"""Signed statements of a real store, checked from files alone."""

import json
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.cli import start
from central.core.certainty import CERTAINTY_MAX, certainty, distribution
from central.core.statement import read_sealed
from central.errors import BadInput, NotReady, NotThere
from central.services.reconcile import reconcile
from central.services.statements import make, signer_at, statements, verify_file
from central.store.engine import Store
from protocols.movements import DutyBody, write_body
from protocols.values.instant import plus, to_iso
from tests.central.hospital import HOSPITAL, KIT, START, Ward, hospital, tags

DAY = date(2026, 3, 2)
UNITS = tags(6)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Six kits in ward-01, five of them heard, one gone without a scan."""
    store = hospital(tmp_path / "files")
    ward = Ward(store)
    ward.open(KIT, "K1", UNITS)
    for unit in UNITS[1:]:
        ward.observe(unit, 0.99, 300)
    ward.observe(UNITS[0], 0.02, 900, since_s=300)
    reconcile(store, HOSPITAL, plus(START, 950))
    return store


@pytest.fixture
def written(store: Store, tmp_path: Path) -> Path:
    """A folder with the statements and the public key, and nothing else."""
    signer = signer_at(tmp_path / "keys.key")
    folder = tmp_path / "handed-out"
    folder.mkdir()
    for place, text in make(store, HOSPITAL, plus(START, 1000), signer).items():
        (folder / f"{place}.json").write_text(text, "utf-8")
    (folder / "statement.pub").write_bytes((tmp_path / "keys.pub").read_bytes())
    return folder


def test_a_statement_says_what_book_and_readers_say(written: Path) -> None:
    said, _, _ = read_sealed((written / "ward-01.json").read_text("utf-8"))
    (line,) = said["lines"]
    assert (line["item"], line["book"], line["physical"], line["certified"]) == (KIT, 6, 5, False)
    assert (line["low"], line["high"]) == (4, 5)
    assert said["match"]["line_match"] == "0.000000"
    assert [one["kind"] for one in said["discrepancies"]] == ["missing"]
    assert said["ledger"]["device"] == "ward-01"
    assert (said["readers"]["entries_pending"], said["day"]) == (0, "2026-03-02")


def test_a_statement_says_for_how_long_each_antenna_listened(store: Store, tmp_path: Path) -> None:
    signer = signer_at(tmp_path / "keys.key")
    body = DutyBody("daily_check", START, "done", heard={"r1:1": 1000, "r1:2": 431})
    Ward(store).say("duty", write_body(body), 960)
    said, _, _ = read_sealed(make(store, HOSPITAL, plus(START, 1000), signer)["ward-01"])
    readers = said["readers"]
    assert (readers["antennas"], readers["coverage"]) == ({"r1:1": "1.000", "r1:2": "0.431"}, "0.716")
    assert readers["covered_until"] == to_iso(plus(START, 960))


def test_a_storeroom_whose_device_tells_no_coverage_is_stated_without(written: Path) -> None:
    said, _, _ = read_sealed((written / "ward-01.json").read_text("utf-8"))
    assert (said["readers"]["antennas"], said["readers"]["coverage"]) == (None, None)


def test_a_statement_verifies_from_the_file_and_the_public_key_alone(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_file(written / "ward-01.json", written / "statement.pub")[0]
    assert start(["verify-statement", str(written / "ward-01.json")]) == 0
    assert "whole: ward-01 on 2026-03-02, 0 of 1 lines match" in capsys.readouterr().out


def test_one_changed_quantity_is_found(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written / "ward-01.json"
    whole = json.loads(path.read_text("utf-8"))
    whole["statement"]["lines"][0]["book"] = 5
    path.write_text(json.dumps(whole), "utf-8")
    assert start(["verify-statement", str(path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["why"]) == (False, "something in it is not as it was signed")


def test_any_changed_value_of_a_statement_is_found(written: Path) -> None:
    path = written / "ward-01.json"
    text = path.read_text("utf-8")
    changed = 0
    for at, letter in enumerate(text):
        if not letter.isdigit():
            continue
        path.write_text(text[:at] + str((int(letter) + 1) % 10) + text[at + 1 :], "utf-8")
        with suppress(BadInput):  # where it is no statement at all any more
            assert not verify_file(path, written / "statement.pub")[0], text[at - 20 : at + 5]
        changed += 1
    assert changed > 100


def test_the_key_of_another_hospital_does_not_vouch(written: Path, tmp_path: Path) -> None:
    signer_at(tmp_path / "other.key")
    whole, _, why = verify_file(written / "ward-01.json", tmp_path / "other.pub")
    assert not whole
    assert "it names the key" in why


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"statement": {}, "signature": {}}', "[" * 100_000, '{"a": 1.5}'])
def test_what_is_no_statement_is_told_so(tmp_path: Path, written: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput, match="statement: expected"):
        verify_file(path, written / "statement.pub")
    assert start(["verify-statement", str(path), "--key", str(written / "statement.pub")]) in {1, 2}


def test_a_day_is_stated_once(store: Store, tmp_path: Path) -> None:
    signer = signer_at(tmp_path / "keys.key")
    first = make(store, HOSPITAL, plus(START, 1000), signer)
    Ward(store).observe(UNITS[1], 0.01, 2000)
    assert make(store, HOSPITAL, plus(START, 3000), signer) == first
    with pytest.raises(NotThere):
        statements(store, HOSPITAL, date(2026, 3, 1))
    with pytest.raises(NotThere):
        make(store, HOSPITAL, plus(START, 3000), signer, day=date(2026, 3, 1))


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "keys.key"
    first = signer_at(path)
    assert path.stat().st_mode & 0o077 == 0
    assert signer_at(path).key_id == first.key_id
    path.chmod(0o644)
    with pytest.raises(NotReady, match="chmod 600"):
        signer_at(path)
    path.chmod(0o600)
    path.write_text("no key", "utf-8")
    with pytest.raises(NotReady, match="expected an Ed25519 key"):
        signer_at(path)


def test_a_line_whose_pieces_are_all_surely_there_is_certified_and_never_claims_too_much() -> None:
    found = certainty(3, [0.999] * 3, 0)
    assert (found.certified, found.low, found.high, found.book_right) == (True, 3, 3, CERTAINTY_MAX)


def test_pieces_that_nothing_hears_are_never_certified() -> None:
    assert not certainty(4, [0.9999] * 3, 1).certified
    assert not certainty(5, [], 5).certified


@given(st.lists(st.floats(0, 1), max_size=12), st.integers(0, 5), st.integers(-2, 20))
def test_the_interval_holds_the_mass_it_claims(chances: list[float], loose: int, book: int) -> None:
    counts = distribution(chances)
    assert sum(counts) == pytest.approx(1)
    found = certainty(book, chances, loose)
    assert loose <= found.low <= found.high <= loose + len(chances)
    assert sum(counts[found.low - loose : found.high - loose + 1]) >= 0.95 - 1e-9
    assert 0 <= found.book_right <= CERTAINTY_MAX
