"""Signed statements of a real store, checked from files alone."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.cli import start
from central.core.certainty import CERTAINTY_MAX, certainty, distribution
from central.core.statement import read_sealed, seal
from central.errors import NotReady
from central.services.reconcile import reconcile
from central.services.statements import Lacking, lacking, make, signer_at, so_far, statements, verify_file
from central.store.engine import Store
from protocols.movements.bodies import write_body
from protocols.movements.reports import DutyBody
from protocols.values.instant import plus, to_iso
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, Ward, hospital, tags

DAY = date(2026, 3, 2)
OVER = plus(START, 9 * 3600)
"""One in the morning after the day: it is over."""
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
    for place, text in make(store, HOSPITAL, OVER, signer).items():
        (folder / f"{place}.json").write_text(text, "utf-8")
    (folder / "statement.pub").write_bytes((tmp_path / "keys.pub").read_bytes())
    return folder


def test_a_statement_says_how_many_lines_have_a_piece_in_another_storeroom(store: Store, tmp_path: Path) -> None:
    Ward(store, "ward-02").observe(UNITS[0], 0.99, 960, since_s=310)
    reconcile(store, HOSPITAL, plus(START, 970))
    made = make(store, HOSPITAL, OVER, signer_at(tmp_path / "keys.key"))
    said = {place: read_sealed(text)[0]["match"]["lines_misplaced"] for place, text in made.items()}
    assert (said["ward-01"], said.get("ward-02", 0)) == (1, 0)


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
    body = DutyBody("day_end", START, "done", heard={"r1:1": 1000, "r1:2": 431})
    Ward(store).say("duty", write_body(body), 960)
    said, _, _ = read_sealed(make(store, HOSPITAL, OVER, signer)["ward-01"])
    readers = said["readers"]
    assert (readers["antennas"], readers["coverage"]) == ({"r1:1": "1.000", "r1:2": "0.431"}, "0.716")
    assert readers["covered_until"] == to_iso(plus(START, 960))


def test_storerooms_without_a_statement_of_a_day_are_named_with_the_reason(tmp_path: Path) -> None:
    store, signer = hospital(tmp_path / "files"), signer_at(tmp_path / "keys.key")
    assert set(lacking(store, HOSPITAL, DAY, plus(START, 60)).values()) == {Lacking.NOT_OVER}
    Ward(store).open(KIT, "K1", tags(2))
    Ward(store, "ward-02").open(KIT, "K2", tags(1, 50), 9 * 3600)
    assert set(make(store, HOSPITAL, OVER, signer)) == {"main-store", "ward-01"}
    assert lacking(store, HOSPITAL, DAY, OVER) == {"ward-02": Lacking.NOT_KNOWN}
    two_days = plus(OVER, 2 * 86_400)
    assert set(lacking(store, HOSPITAL, date(2026, 3, 3), two_days).values()) == {Lacking.NOT_MADE}


def test_a_statement_is_of_the_whole_day_that_ended_and_names_the_head_of_the_one_before(
    store: Store, tmp_path: Path
) -> None:
    signer = signer_at(tmp_path / "keys.key")
    first, _, _ = read_sealed(make(store, HOSPITAL, OVER, signer)["ward-01"])
    assert (first["from"], first["until"], first["day_over"]) == (
        to_iso(plus(START, -16 * 3600)), to_iso(plus(START, 8 * 3600)), True,
    )  # fmt: skip
    assert first["before"] is None
    Ward(store).observe(UNITS[1], 0.01, 10 * 3600)
    second, _, _ = read_sealed(make(store, HOSPITAL, plus(OVER, 86_400), signer)["ward-01"])
    assert second["before"] == {"day": "2026-03-02", "ledger": first["ledger"]}
    assert second["ledger"]["seq"] == first["ledger"]["seq"] + 1


def test_a_day_that_is_not_over_is_stated_so_far_and_that_is_not_kept(store: Store, tmp_path: Path) -> None:
    signer = signer_at(tmp_path / "keys.key")
    said, _, _ = read_sealed(so_far(store, HOSPITAL, plus(START, 1000), signer)["ward-01"])
    assert (said["day"], said["day_over"], said["until"]) == ("2026-03-02", False, to_iso(plus(START, 1000)))
    assert statements(store, HOSPITAL, DAY) == {}


def test_a_storeroom_without_readers_and_without_a_count_is_not_signed_as_matching(
    store: Store, tmp_path: Path
) -> None:
    Ward(store, "ward-02").receive(GAUZE, "G1", 100, 10)
    made = make(store, HOSPITAL, OVER, signer_at(tmp_path / "keys.key"))
    for place in ("main-store", "ward-02"):
        said, _, _ = read_sealed(made[place])
        match = said["match"]
        assert (match["lines"], match["lines_observed"], match["lines_not_observed"]) == (1, 0, 1)
        assert (match["line_match"], match["unit_match"], match["value_match"]) == (None, None, None)
        (line,) = said["lines"]
        assert (line["observed_by"], line["physical"], line["low"], line["book_right"]) == ("nobody", None, None, None)
    told = read_sealed(made["ward-01"])[0]["match"]
    assert (told["lines_observed"], told["lines_differing"], told["value_match"]) == (1, 1, "0.833333")


def test_readers_that_told_that_no_antenna_listened_observe_nothing(store: Store, tmp_path: Path) -> None:
    ward = Ward(store)
    ward.observe(UNITS[0], 0.99, 1000)
    signer = signer_at(tmp_path / "keys.key")
    before = read_sealed(so_far(store, HOSPITAL, plus(START, 1100), signer)["ward-01"])[0]
    assert (before["match"]["lines_matching"], before["readers"]["listening"]) == (1, True)
    ward.say("duty", write_body(DutyBody("day_end", START, "done", heard={"r1:1": 0})), 1200)
    after = read_sealed(so_far(store, HOSPITAL, plus(START, 1300), signer)["ward-01"])[0]
    assert (after["match"]["lines_not_observed"], after["readers"]["listening"]) == (1, False)


def test_a_statement_of_the_former_form_is_still_checked(tmp_path: Path, written: Path) -> None:
    signer, path = signer_at(tmp_path / "keys.key"), tmp_path / "old.json"
    said, _, _ = read_sealed((written / "ward-01.json").read_text("utf-8"))
    path.write_text(seal(said | {"form": "wardstock.statement.1"}, signer.key_id, signer.sign), "utf-8")
    assert verify_file(path, written / "statement.pub")[0]
    assert start(["verify-statement", str(path), "--key", str(written / "statement.pub")]) == 0


def test_a_storeroom_whose_device_tells_no_coverage_is_stated_without(written: Path) -> None:
    said, _, _ = read_sealed((written / "ward-01.json").read_text("utf-8"))
    assert (said["readers"]["antennas"], said["readers"]["coverage"]) == (None, None)
    assert said["readers"]["why"] == "not_told"


def test_a_statement_verifies_from_the_file_and_the_public_key_alone(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_file(written / "ward-01.json", written / "statement.pub")[0]
    assert start(["verify-statement", str(written / "ward-01.json")]) == 0
    told = capsys.readouterr().out
    assert (
        "whole: ward-01.json: ward-01 on 2026-03-02, 2026-03-02T00:00:00+08:00 until 2026-03-03T00:00:00+08:00;" in told
    )
    assert "of 1 lines 0 match, 1 differ, 0 not observed" in told
    said, _, _ = read_sealed((written / "ward-01.json").read_text("utf-8"))
    assert f"made at {said['at']}" in told


def test_a_statement_of_silent_readers_says_since_when(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signer, file = signer_at(tmp_path / "statement.key"), tmp_path / "ward-01.json"
    file.write_text(make(store, HOSPITAL, plus(START, 20 * 3600), signer)["ward-01"], "utf-8")
    said, _, _ = read_sealed(file.read_text("utf-8"))
    assert start(["verify-statement", str(file)]) == 0
    assert said["readers"]["offline"]
    assert (
        f"its readers were offline, last heard {said['readers']['last_contact'] or 'never'}" in capsys.readouterr().out
    )


def test_of_several_statements_each_is_checked_and_one_that_is_not_whole_fails_all(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, none = written / "ward-01.json", written / "changed.json", written / "none.json"
    bad.write_text(good.read_text("utf-8").replace('"book": 6', '"book": 5'), "utf-8")
    assert start(["verify-statement", str(good), str(good)]) == 0
    assert capsys.readouterr().out.count("whole: ward-01.json: ward-01") == 2
    assert start(["verify-statement", str(bad), str(none), str(good)]) == 1
    told = capsys.readouterr().out
    assert "NOT WHOLE: changed.json: something in it is not as it was signed" in told
    assert "NOT WHOLE: none.json: statement: expected a readable file" in told
    assert "whole: ward-01.json: ward-01" in told
    assert start(["verify-statement", "--json", str(bad), str(good)]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["file"], one["ok"]) for one in lines] == [(str(bad), False), (str(good), True)]


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
    whole, said, why = verify_file(path, written / "statement.pub")
    assert (whole, said) == (False, {})
    assert why.startswith("statement: expected")
    assert start(["verify-statement", str(path), "--key", str(written / "statement.pub")]) == 1


def test_a_day_is_stated_once(store: Store, tmp_path: Path) -> None:
    signer = signer_at(tmp_path / "keys.key")
    first = make(store, HOSPITAL, OVER, signer)
    Ward(store).observe(UNITS[1], 0.01, 9 * 3600 + 10)
    assert make(store, HOSPITAL, plus(OVER, 3000), signer) == first
    assert statements(store, HOSPITAL, date(2026, 3, 1)) == {}


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


def test_a_quantity_set_before_the_signed_one_or_half_a_character_makes_it_no_statement(written: Path) -> None:
    file, key = written / "ward-01.json", written / "statement.pub"
    text = file.read_text("utf-8")
    for spoilt in (text.replace('"book": ', '"book": 900, "book": ', 1), text.replace("ward-01", "ward-01\\ud800", 1)):
        assert spoilt != text
        file.write_text(spoilt, "utf-8")
        whole, _, why = verify_file(file, key)
        assert (whole, "expected a file made by" in why) == (False, True)
