"""`wardstock-edge replay`: what is said over a trace depends on its past only, and a bad trace is one sentence."""

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_agent.agent.replay import replay
from edge_agent.cli import start
from edge_agent.errors import BadTrace

TAGS = [f"30340242201D8D400000{number:04X}" for number in range(8)]
GONE, TAKEN = 0, 1
GONE_AT, TAKEN_AT = 200, 220
BINS = 420

Row = dict[str, Any]


def meta() -> Row:
    tags = [{"epc": epc, "item": f"I{n // 4}", "lot": "L", "shelf": "S1", "home": "here"} for n, epc in enumerate(TAGS)]
    return {
        "start": "2026-03-02T00:00:00+08:00",
        "bin_s": 60,
        "round_s": 2,
        "channels": {"room": [1, 2], "door": [3], "next": [4]},
        "ref": {},
        "tags": tags,
        "book0": dict.fromkeys(TAGS, "here"),
    }


def bins(count: int = BINS) -> list[Row]:
    chance = random.Random(5)
    rows: list[Row] = []
    for b in range(count):
        here = [n for n in range(len(TAGS)) if not (n == GONE and b >= GONE_AT) and not (n == TAKEN and b >= TAKEN_AT)]
        reads = [[n, sum(chance.random() < 0.6 for _ in range(30)), -55.0, 59.0] for n in here]
        door = [[GONE, 3, 4, 10.0, 12.0, -60.0]] if b == GONE_AT else []
        rows.append(
            {
                "b": b,
                "n": {"1": 30, "2": 30, "3": 30, "4": 30},
                "visit": 1 if b in {GONE_AT, TAKEN_AT} else 0,
                "reads": {"room": [row for row in reads if row[1]], "door": door, "next": []},
            }
        )
    return rows


def write(folder: Path, rows: list[Row], told: Row | None = None) -> Path:
    folder.mkdir()
    (folder / "meta.json").write_text(json.dumps(told or meta()), "utf-8")
    with gzip.open(folder / "bins.ndjson.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    fact = {"b": TAKEN_AT, "at": TAKEN_AT, "epc": TAGS[TAKEN], "kind": "issue", "to": "out"}
    (folder / "book.ndjson").write_text(json.dumps(fact) + "\n", "utf-8")
    return folder


def said(folder: Path, out: Path) -> list[Row]:
    replay(folder, out)
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def alerts(lines: list[Row]) -> list[tuple[str, str]]:
    return [(line["alert"], line["epc"]) for line in lines if "alert" in line]


def test_what_left_without_a_scan_is_missing_and_what_was_scanned_is_not(tmp_path: Path) -> None:
    lines = said(write(tmp_path / "t", bins()), tmp_path / "out")
    assert alerts(lines) == [("missing", TAGS[GONE])]
    (alert,) = [line for line in lines if "alert" in line]
    assert GONE_AT < alert["b"] <= GONE_AT + 20
    assert alert["p"] < 0.05


def test_probabilities_come_every_sixty_bins_and_lines_at_the_end(tmp_path: Path) -> None:
    lines = said(write(tmp_path / "t", bins()), tmp_path / "out")
    told = [line for line in lines if "p" in line and "alert" not in line]
    assert [line["b"] for line in told] == list(range(0, BINS, 60))
    assert all(len(line["p"]) == len(TAGS) for line in told)
    assert {line["item"]: line["count"] for line in lines[-1]["lines"]} == {"I0": 2, "I1": 4}


@pytest.mark.parametrize("cut", [1, 100, 205, 300])
def test_a_prefix_of_a_trace_gives_the_same_beginning(tmp_path: Path, cut: int) -> None:
    whole = said(write(tmp_path / "whole", bins()), tmp_path / "out1")
    part = said(write(tmp_path / "part", bins()[:cut]), tmp_path / "out2")
    assert part[:-1] == [line for line in whole[:-1] if line["b"] < cut]


def test_rounds_by_channel_tags_by_epc_and_short_rows_are_read(tmp_path: Path) -> None:
    rows = bins()
    for row in rows:
        row["n"] = {"room": 30, "door": 30, "next": 30}
        row["reads"] = {"room": [[TAGS[read[0]], read[1]] for read in row["reads"]["room"]]}
    told = meta()
    del told["book0"], told["ref"]
    lines = said(write(tmp_path / "t", rows, told), tmp_path / "out")
    assert {line["item"]: line["count"] for line in lines[-1]["lines"]}["I1"] == 4


def test_where_only_the_rooms_rounds_are_told_the_door_was_watched_all_the_same(tmp_path: Path) -> None:
    rows = bins()
    for row in rows:
        row["n"], row["visit"] = {"1": 30, "2": 30}, row["visit"] > 0
    assert alerts(said(write(tmp_path / "t", rows), tmp_path / "out")) == [("missing", TAGS[GONE])]


def test_an_outage_is_no_evidence(tmp_path: Path) -> None:
    rows = bins()
    for row in rows[100:400]:
        row["n"], row["reads"] = {}, {}
    lines = said(write(tmp_path / "t", rows[:400]), tmp_path / "out")
    assert alerts(lines) == []


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("meta.json", "{", "meta.json: expected JSON"),
        ("meta.json", "[]", "meta.json: tags: expected a list of tags"),
        (
            "bins.ndjson.gz",
            '{"b":0,"n":{"1":30},"visit":0,"reads":{"room":[[99,3]]}}',
            "1: tag: expected a number from 0",
        ),
        ("bins.ndjson.gz", '{"b":0,"n":[],"visit":0}', "1: n: expected rounds alive"),
        ("bins.ndjson.gz", '{"b":1,"n":{}}\n{"b":1,"n":{}}', ":2: expected a bin after 1, got 1"),
        ("bins.ndjson.gz", "", "bins.ndjson.gz: expected gzip, got 0 bytes"),
        ("bins.ndjson.gz", '{"b":-1,"n":{}}', "bins.ndjson.gz:1: b: expected 0 or more, got -1"),
        ("bins.ndjson.gz", '{"b":0,"n":{"1":-30}}', "bins.ndjson.gz:1: n of '1': expected 0 or more, got -30"),
        ("bins.ndjson.gz", '{"b":0,"n":{},"visit":-1}', "bins.ndjson.gz:1: visit: expected 0 or more, got -1"),
        (
            "bins.ndjson.gz",
            '{"b":0,"n":{}}\n{"b":1,"n":{"1":30},"reads":{"room":[[2,-3]]}}',
            "bins.ndjson.gz:2: reads: expected 0 or more, got -3",
        ),
        (
            "bins.ndjson.gz",
            '{"b":0,"n":{},"reads":{"door":[[2,3,-4,1,2,-60]]}}',
            "bins.ndjson.gz:1: reads: expected 0 or more, got -4",
        ),
        ("book.ndjson", '{"b":3,"epc":"00","to":"moon"}', "book.ndjson:1: to: expected here, next or out"),
        ("book.ndjson", '{"b":3,"epc":"00","to":"out"}', "1: epc: expected one of tags in meta.json, got '00'"),
        ("book.ndjson", '{"b":-3,"epc":0,"to":"out"}', "book.ndjson:1: b: expected 0 or more, got -3"),
        ("book.ndjson", '{"b":3,"at":-3,"epc":0,"to":"out"}', "book.ndjson:1: at: expected 0 or more, got -3"),
        (
            "book.ndjson",
            '{"b":3,"epc":0,"to":"out"}\n{"b":2,"epc":0,"to":"here"}',
            "book.ndjson:2: b: expected 3 or later, got 2",
        ),
    ],
)
def test_a_bad_trace_is_refused_in_one_sentence(tmp_path: Path, file: str, text: str, expected: str) -> None:
    folder = write(tmp_path / "t", bins(3))
    (folder / file).write_text(text, "utf-8")
    with pytest.raises(BadTrace) as fault:
        replay(folder, tmp_path / "out")
    assert expected in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_trace_that_breaks_off_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "t", bins(50))
    whole = (folder / "bins.ndjson.gz").read_bytes()
    (folder / "bins.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadTrace, match="breaks off or is damaged"):
        replay(folder, tmp_path / "out")


def test_a_trace_that_heard_nothing_and_was_told_nothing_is_replayed(tmp_path: Path) -> None:
    folder = write(tmp_path / "t", [])
    (folder / "book.ndjson").write_text("", "utf-8")
    lines = said(folder, tmp_path / "out")
    assert [line["count"] for line in lines[-1]["lines"]] == [4, 4], "the book is all there is"


def test_facts_of_one_bin_stand_in_any_order(tmp_path: Path) -> None:
    folder = write(tmp_path / "t", bins(3))
    rows = [{"b": 1, "at": at, "epc": TAGS[tag], "to": "out"} for at, tag in ((1, 2), (0, 1))]
    (folder / "book.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert "lines" in said(folder, tmp_path / "out")[-1]


def test_the_command_refuses_a_spoilt_trace_with_a_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "t", bins(3))
    (folder / "bins.ndjson.gz").write_bytes(b"")
    assert start(["replay", "--trace", str(folder), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr()
    assert (told.out, "bins.ndjson.gz: expected gzip, got 0 bytes" in told.err) == ("", True)


def test_the_command_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["replay", "--trace", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "meta.json: expected a file of the trace" in capsys.readouterr().err


def test_the_command_tells_in_one_line_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = write(tmp_path / "t", bins()), tmp_path / "out"
    assert start(["replay", "--trace", str(folder), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: alerts 1 (missing 1), tags 8, instants 7\n"
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [set(line) for line in lines if "alert" in line] == [{"b", "alert", "epc", "p", "since", "shelf"}]
    assert [len(line["p"]) for line in lines if set(line) == {"b", "p"}] == [8] * 7
    assert [set(line) for line in lines[-1]["lines"]] == [{"item", "count", "low", "high", "certified"}] * 2


def test_the_agent_starts_without_numpy() -> None:
    code = "import sys, edge_agent.cli, edge_agent.agent.life; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_meta_file_beyond_its_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meta.json").write_text("{" + " " * 100, "utf-8")
    monkeypatch.setattr("edge_agent.links.trace.META_BYTES_MAX", 100)
    with pytest.raises(BadTrace, match="expected at most 100 bytes, got 101"):
        replay(tmp_path, tmp_path / "out")
