"""The checker: a good evening is ok with the right figures, every break and every changed row is named."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from central.services.verify import verify
from central.store.engine import open_store
from hardware_sim.breaks import BREAKS, ENTRIES_LOST, apply_break
from hardware_sim.checker import PROBLEMS_MAX, Summary, check
from hardware_sim.errors import PartFailed, SimError, WrongUse
from hardware_sim.evidence.case import read_case
from hardware_sim.evidence.truth import beeps_path, deliveries_path, read_truth, truth_path
from hardware_sim.judges.findings import shelves_said
from hardware_sim.scenario.plan import Misput
from protocols.values.ids import Epc, ItemId, PlaceId, Position
from protocols.values.instant import Instant
from tests.hardware_sim.played import play

CENTRAL = Path("central/central.db")


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("played") / "good"
    state.mkdir()
    play(state)
    return state


@pytest.fixture
def state(good: Path, tmp_path: Path) -> Path:
    shutil.copytree(good, tmp_path / "state")
    return tmp_path / "state"


def said(state: Path) -> str:
    summary = check(state)
    assert summary.ok == (not summary.problems)
    return "\n".join(summary.problems)


def change(path: Path, *statements: str) -> None:
    """Change a database behind everybody's back, triggers and all."""
    connection = sqlite3.connect(path)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert connection.execute(statement).rowcount, statement
    connection.commit()
    connection.close()


def change_json(path: Path, act: Callable[[dict[str, object]], None]) -> None:
    content = json.loads(path.read_text("utf-8"))
    act(content)
    path.write_text(json.dumps(content), "utf-8")


def verified(state: Path) -> bool:
    store = open_store(f"sqlite:///{state / CENTRAL}")
    try:
        return verify(store).ok
    finally:
        store.close()


# --- a good evening --------------------------------------------------------------------------------------------------


def test_a_good_evening_is_ok_and_its_figures_are_those_of_the_truth(good: Path) -> None:
    summary, truth = check(good), read_truth(good)
    assert summary.problems == ()
    assert summary.ok
    assert (summary.seed, summary.wards, summary.seconds) == (7, 2, 70.0)
    assert summary.reads == sum(1000 * len(ward.tags) for ward in truth.wards)
    assert summary.entries == summary.acked > 500
    assert (summary.pending, summary.lost, summary.duplicates) == (0, 0, 0)
    lines = {(ward.place, tag.item, tag.lot) for ward in truth.wards for tag in ward.tags}
    emptied = lines - {(ward.place, tag.item, tag.lot) for ward in truth.wards for tag in ward.on_shelf()}
    assert len(lines) - len(emptied) <= summary.lines <= len(lines)
    assert summary.line_match == round(1 - 1 / summary.lines, 6)
    assert summary.unit_match is not None
    assert 0.99 < summary.unit_match < 1
    assert summary.offline_s == 3600


def test_the_missing_piece_and_the_one_order_are_told_whole(good: Path) -> None:
    summary, truth = check(good), read_truth(good)
    assert truth.take is not None
    (found,) = summary.discrepancies
    assert (found.kind, found.item, found.ward, found.unit) == (
        "missing",
        truth.take.item,
        truth.take.ward,
        truth.take.epc,
    )
    assert found.found_after_s == 662, "the reader found it after 660 s, and central heard of it 2 s later"
    (order,) = summary.orders
    assert (summary.proposals, order.ward) == (1, truth.drive.ward)
    (line,) = order.lines
    assert line.item == truth.drive.item
    assert line.reason["policy"] == "3x"
    assert json.loads(json.dumps(summary.as_json()))["orders"][0]["lines"][0]["qty"] == line.qty


def test_nobody_takes_anything_and_nothing_is_missed(tmp_path: Path) -> None:
    play(tmp_path, seed=11, with_take=False)
    summary = check(tmp_path)
    assert summary.problems == ()
    assert summary.discrepancies == ()
    assert (summary.line_match, summary.unit_match) == (1.0, 1.0)
    with pytest.raises(WrongUse, match="expected an open discrepancy"):
        apply_break(tmp_path, "hide")
    assert check(tmp_path).ok


def test_judging_changes_no_byte(good: Path) -> None:
    files = sorted(path for path in good.rglob("*") if path.is_file() and path.suffix != ".db-shm")
    before = [path.read_bytes() for path in files]
    check(good)
    assert [path.read_bytes() for path in files] == before


# --- the breaks ------------------------------------------------------------------------------------------------------


def broken(state: Path, what: str) -> Summary:
    assert verified(state)
    assert "central" in apply_break(state, what)
    summary = check(state)
    assert not summary.ok
    return summary


def test_what_central_lost_is_missed_by_the_edge_that_still_has_it(state: Path) -> None:
    summary = broken(state, "lose")
    assert verified(state), "central alone cannot know"
    assert (summary.lost, summary.duplicates, summary.pending) == (ENTRIES_LOST, 0, 0)
    assert any("are not in central's ledger" in problem for problem in summary.problems)
    assert any("is no event at central" in problem for problem in summary.problems)


def test_an_event_posted_twice_is_noticed_though_every_sum_is_right(state: Path) -> None:
    summary = broken(state, "double")
    assert not any("its lines give" in problem or "sums to" in problem for problem in summary.problems)
    assert (summary.lost, summary.duplicates) == (0, 1)
    assert any("is counted more than once" in problem for problem in summary.problems)


def test_a_discrepancy_that_was_hidden_is_missed(state: Path) -> None:
    summary = broken(state, "hide")
    assert not verified(state), "book and beliefs still call for it"
    assert summary.discrepancies == ()
    assert any("was taken without a scan; central opened 0 discrepancies" in problem for problem in summary.problems)


def test_a_break_keeps_the_seals_of_the_ledger(state: Path) -> None:
    for what in BREAKS:
        apply_break(state, what)
    connection = sqlite3.connect(state / CENTRAL)
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute("DELETE FROM ledger")
    connection.close()


def test_a_break_that_does_not_exist_is_refused_in_one_line(state: Path) -> None:
    with pytest.raises(WrongUse, match="expected one of lose, double, hide, got 'burn'"):
        apply_break(state, "burn")


# --- single rows -----------------------------------------------------------------------------------------------------

ONE_ISSUE = "(SELECT event_id FROM event WHERE kind = 'issue' ORDER BY event_id LIMIT 1)"
ONE_UNIT = "(SELECT unit FROM balance WHERE unit <> '' AND place = 'ward-01' AND qty = 1 ORDER BY unit LIMIT 1)"
TAIL = "(SELECT incarnation FROM incarnation WHERE device = 'ward-01')"

IN_CENTRAL = {
    "a body": ("UPDATE ledger SET body = replace(body, 'ward-01', 'ward-07') WHERE kind = 'issue'", "content hash"),
    "an actor": (f"UPDATE ledger SET actor = 'N9999' WHERE event_id = {ONE_ISSUE}", "content hash"),
    "a hash": (
        f"UPDATE ledger SET hash = zeroblob(32) WHERE incarnation = {TAIL} AND seq = 3",
        "does not give its hash",
    ),
    "a head": (f"UPDATE incarnation SET head_seq = head_seq + 1 WHERE incarnation = {TAIL}", "head "),
    "an event's time": (f"UPDATE event SET at = at + 1 WHERE event_id = {ONE_ISSUE}", "is not what its entry says"),
    "an event gone": (f"DELETE FROM event WHERE event_id = {ONE_ISSUE}", "is no event"),
    "a posted quantity": (f"UPDATE posting_line SET qty = 2 WHERE event_id = {ONE_ISSUE}", "are not the 1 of"),
    "a line gone": (f"DELETE FROM posting_line WHERE event_id = {ONE_ISSUE}", "is posted with 0 lines"),
    "a balance": (f"UPDATE balance SET qty = 2 WHERE unit = {ONE_UNIT}", "its lines give"),
    "a bulk balance": ("UPDATE balance SET qty = qty + 1 WHERE rowid = (SELECT min(rowid) FROM balance)", "sums to 1"),
    "a belief": ("UPDATE belief SET p = 0.4", "belief "),
    "a binding": ("UPDATE binding SET lot = 'X'", "binding "),
    "a stated match": ("UPDATE storeroom_match SET lines_right = lines_right - 1", "central states"),
    "no stated match": ("DELETE FROM storeroom_match WHERE place = 'ward-01'", "central states no match"),
    "another piece missing": (f"UPDATE discrepancy SET unit = {ONE_UNIT}", "that is not true"),
    "another storeroom": ("UPDATE discrepancy SET place = 'main-store'", "which it is not"),
    "found too early": ("UPDATE discrepancy SET found_at = found_at - 3600000000", "found by the reader"),
    "found too late": ("UPDATE discrepancy SET found_at = found_at + 9000000000", "found by the reader"),
    "opened too early": ("UPDATE discrepancy SET opened_at = opened_at - 3600000000", "opened by central"),
    "opened too late": ("UPDATE discrepancy SET opened_at = opened_at + 9000000000", "opened by central"),
    "closed": ("UPDATE discrepancy SET status = 'closed'", "the piece is still gone"),
    "for no reason": (f"UPDATE discrepancy SET found_event_id = {ONE_ISSUE}", "is not a belief about it"),
    "from nowhere": ("UPDATE discrepancy SET found_event_id = zeroblob(16)", "central does not have"),
    "an ordered quantity": ("UPDATE order_line SET qty = qty + 1", "differ from its proposal's"),
    "a price": ("UPDATE order_line SET price = price + 1", "the first supplier of"),
    "a supplier": ("UPDATE purchase_order SET supplier = 'S99'", "differ from its proposal's"),
    "nobody's approval": ("UPDATE purchase_order SET approved_by = ''", "was approved by ''"),
    "an order gone": ("DELETE FROM purchase_order", "0 orders were made of it"),
    "a proposal of another": ("UPDATE proposal SET item = 'HC1001'", "was proposed; only"),
    "a proposal unapproved": ("UPDATE proposal SET status = 'open'", "was never approved"),
    "use that never was": (
        "UPDATE use_day SET qty = qty + 40 WHERE (place, item) = (SELECT place, item FROM proposal)",
        "reckoned from its ledger",
    ),
    "a storeroom's device": ("UPDATE device SET place = 'ward-09' WHERE device = 'ward-01'", "belief "),
}


@pytest.mark.parametrize("what", IN_CENTRAL)
def test_one_changed_row_at_central_is_named(state: Path, what: str) -> None:
    statement, sentence = IN_CENTRAL[what]
    change(state / CENTRAL, statement)
    assert sentence in said(state)


def test_a_quantity_changed_in_proposal_and_order_alike_is_reckoned_anew(state: Path) -> None:
    change(state / CENTRAL, "UPDATE proposal SET qty = qty + 1", "UPDATE order_line SET qty = qty + 1")
    assert "reckoned from its ledger" in said(state)


@pytest.mark.parametrize("key", ["trigger", "order_up_to"])
def test_a_reason_with_another_number_is_reckoned_anew(state: Path, key: str) -> None:
    what = f"reason = json_set(reason, '$.{key}', json_extract(reason, '$.{key}') + 1)"
    change(state / CENTRAL, f"UPDATE proposal SET {what}", f"UPDATE order_line SET {what}")
    assert "reckoned from its ledger" in said(state)


IN_EDGE = {
    "a body": ("UPDATE ledger SET body = replace(body, 'ward-01', 'ward-07') WHERE kind = 'issue'", "content hash"),
    "the last entry gone": ("DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)", "the ledger ends at"),
    "a mark": ("UPDATE mark SET acked = acked - 2", "2 entries of edges are not acknowledged"),
    "a balance": (f"UPDATE balance SET qty = 3 WHERE unit = {ONE_UNIT}", "its lines give"),
    "a custody": ("UPDATE custody SET place = 'scrap@ward-01'", "custody "),
    "a belief": ("UPDATE belief SET since = since + 1", "belief "),
    "a binding": ("UPDATE binding SET serial = 'X'", "binding "),
}


@pytest.mark.parametrize("what", IN_EDGE)
def test_one_changed_row_at_an_edge_is_named(state: Path, what: str) -> None:
    statement, sentence = IN_EDGE[what]
    change(state / "edge" / "ward-01" / "ledger.db", statement)
    assert sentence in said(state)


# --- what the simulator wrote ----------------------------------------------------------------------------------------


def test_an_ok_beep_that_nobody_wrote_down_is_lost_everywhere(state: Path) -> None:
    path = beeps_path(state, PlaceId("ward-01"))
    line = next(json.loads(line) for line in path.read_text("utf-8").splitlines() if '"item"' in line)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**line, "epc": "30AA0000000000000000BEEF"}) + "\n")
    summary = check(state)
    assert summary.lost == 1
    assert any("central has no such issue" in problem for problem in summary.problems)
    assert any("its edge has no such issue" in problem for problem in summary.problems)


def test_a_badge_told_ok_that_began_no_visit_is_lost(state: Path) -> None:
    path = beeps_path(state, PlaceId("ward-02"))
    line = next(json.loads(line) for line in path.read_text("utf-8").splitlines() if '"badge"' in line)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**line, "at": line["at"] + 1}) + "\n")
    assert "no such visit stands" in said(state)


def test_an_issue_that_nobody_scanned_is_named(state: Path) -> None:
    path = beeps_path(state, PlaceId("ward-01"))
    lines = path.read_text("utf-8").splitlines(keepends=True)
    items = [line for line in lines if '"item"' in line]
    path.write_text("".join(line for line in lines if line != items[0]), "utf-8")
    problems = said(state)
    assert "is issued at central and nobody scanned it" in problems
    assert "disagree about" in problems


def test_a_scan_without_an_answer_may_have_been_written_and_may_not(state: Path) -> None:
    path = beeps_path(state, PlaceId("ward-01"))
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    item = next(line for line in lines if line["what"] == "item")
    item["answer"] = "none"
    lines.append({**item, "answer": "none", "epc": "30AA0000000000000000BEEF"})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    truth = truth_path(state).read_text("utf-8")
    content = json.loads(truth)
    for ward in content["wards"]:
        for move in ward["moves"]:
            if move["epc"] == item["epc"]:
                move["why"] = "answered"
    truth_path(state).write_text(json.dumps(content), "utf-8")
    assert said(state) == ""


def test_a_piece_on_the_shelf_that_is_refused_is_named(state: Path) -> None:
    content = json.loads(truth_path(state).read_text("utf-8"))
    ward = content["wards"][0]
    gone = {move["epc"] for move in ward["moves"]}
    epc = next(tag["epc"] for tag in ward["tags"] if tag["epc"] not in gone)
    path = beeps_path(state, PlaceId(ward["place"]))
    line = next(json.loads(line) for line in path.read_text("utf-8").splitlines() if '"item"' in line)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**line, "epc": epc, "answer": "no"}) + "\n")
    assert "lay on the shelf" in said(state)


def test_a_reader_that_delivered_nothing_is_named(state: Path) -> None:
    deliveries_path(state, PlaceId("ward-02")).write_text('{"reads": 0}')
    assert "ward-02: its reader delivered nothing" in said(state)


def test_a_cut_that_cut_nothing_is_named(state: Path) -> None:
    def move(truth: dict[str, object]) -> None:
        cuts = truth["cuts"]
        assert isinstance(cuts, list)
        cuts[0]["since"] -= 7_200_000_000
        cuts[0]["until"] -= 3_600_000_000

    change_json(truth_path(state), move)
    assert "central still received" in said(state)


def test_a_shelf_that_is_not_as_central_believes_is_named(state: Path) -> None:
    def forget(truth: dict[str, object]) -> None:
        wards = truth["wards"]
        assert isinstance(wards, list)
        gone = {move["epc"] for move in wards[0]["moves"]}
        wards[0]["tags"].remove(next(tag for tag in wards[0]["tags"] if tag["epc"] not in gone))

    change_json(truth_path(state), forget)
    assert "at central; truly" in said(state)


# --- no story --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gone", "error"),
    [("sim/truth.json", WrongUse), ("central/central.db", WrongUse), ("edge/ward-01/ledger.db", WrongUse)],
)
def test_a_folder_without_a_story_is_refused_in_one_line(state: Path, gone: str, error: type[SimError]) -> None:
    (state / gone).unlink()
    with pytest.raises(error, match="name its --state"):
        check(state)


@pytest.mark.parametrize("content", ["", "[]", '{"seed": 1}', "\xff"])
def test_a_truth_of_another_form_is_refused_in_one_line(state: Path, content: str) -> None:
    truth_path(state).write_text(content, "latin-1")
    with pytest.raises(WrongUse, match="expected the form Truth"):
        check(state)


def test_a_database_of_another_form_is_refused_in_one_line(state: Path) -> None:
    change(state / CENTRAL, "ALTER TABLE event RENAME TO happening")
    with pytest.raises(PartFailed, match=r"docs/databases\.md"):
        check(state)
    (state / CENTRAL).write_bytes(b"no database" * 1000)
    with pytest.raises(PartFailed, match="central"):
        check(state)


def test_a_hundred_problems_are_not_all_told(state: Path) -> None:
    change(state / CENTRAL, "UPDATE event SET at = at + 1")
    assert len(check(state).problems) == PROBLEMS_MAX


def test_a_piece_that_is_said_to_stand_on_another_shelf_must_have_been_put_there(good: Path) -> None:
    entry = next(one for one in read_case(good).central.entries if one.kind == "observe")
    told = replace(entry, body=json.dumps(entry.said | {"position": "S1"}).encode())
    put = Misput(PlaceId(entry.device), Epc(str(entry.said["epc"])), ItemId("A"), Position("S2"), Instant(entry.at - 1))
    for misput, wrong in (
        (put, False),
        (None, True),
        (replace(put, position=Position("S5")), True),
        (replace(put, at=Instant(entry.at + 1)), True),
        (replace(put, epc=Epc("30")), True),
    ):
        assert [*shelves_said([entry], misput)] == []
        assert any("is said to stand on shelf S1" in problem for problem in shelves_said([told], misput)) == wrong
