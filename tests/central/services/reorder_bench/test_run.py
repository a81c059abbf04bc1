"""The bench over a small hospital: its answer's form, what is null, honest halves, and errors in one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from central.cli import start
from central.errors import BadFile
from central.services.reorder_bench.files import read_history
from central.services.reorder_bench.run import NAMED, bench_reorder
from central.services.reorder_bench.settings import by_fill, by_text, prepare
from central.services.reorder_bench.words import lines_of
from central.services.reorder_bench.world import sites_and_wards
from tests.central.services.reorder_bench.hospital import DAYS, write


def silent(what: str, count: int) -> None:
    del what, count


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return bench_reorder(write(tmp_path_factory.mktemp("whole")), 7.0, silent)


def test_the_answer_holds_every_named_figure_with_its_interval_and_every_baseline(report: dict[str, Any]) -> None:
    for engine in ("item", "system"):
        for name in NAMED:
            value, interval = report[engine][name], report[engine]["intervals"][name]
            assert value is None or value >= 0
            assert interval is None or interval[0] <= interval[1]
        assert set(report[engine]["unit_fill"]) == {"0.95", "0.98", "0.99"}
    baselines = {"3x", "3x-literal", "double-order", "k-adu", "normal", "own", "engine-item", "engine-system"}
    assert set(report["policies"]) == baselines
    assert {"fill", "stock_days", "lines"} <= set(report["policies"]["3x-literal"])


def test_the_engine_holds_less_than_the_literal_rule_at_its_fill(report: dict[str, Any]) -> None:
    assert report["item"]["stock_ratio_at_literal_fill"] < 0.9
    assert report["system"]["stock_ratio_at_literal_fill"] < 0.9


def test_a_book_that_nobody_counts_starves_and_readers_do_not(report: dict[str, Any]) -> None:
    lost = report["lost_records"]["0.1"]
    assert lost["book"]["fill_less_perfect"] < -0.1
    assert lost["readers"]["fill_less_perfect"] > -0.05
    assert lost["readers"]["stock_over_perfect"] < 1.15


def test_gzipped_files_say_the_same(report: dict[str, Any], tmp_path: Path) -> None:
    assert bench_reorder(write(tmp_path, gzipped=True), 7.0, silent) == report


def test_what_has_no_file_is_null_and_the_rest_is_told(tmp_path: Path) -> None:
    bare = bench_reorder(write(tmp_path, orders=False, levels=False), 7.0, silent)
    assert bare["world"]["lead_times"] == "assumed"
    for engine in ("item", "system"):
        assert bare[engine]["stock_ratio_vs_own_levels"] is None
        assert bare[engine]["lines_ratio_vs_own_levels"] is None
        assert bare[engine]["stock_ratio_at_literal_fill"] is not None
    assert "own" not in bare["policies"]


def test_a_policy_knows_nothing_of_the_days_to_come(tmp_path: Path) -> None:
    sites, _ = sites_and_wards(read_history(write(tmp_path)))
    changed = sites.daily.copy()
    changed[:, sites.half :] *= 3
    later = type(sites)(
        sites.keys, changed, sites.counts, sites.requests, sites.packs, sites.leads, sites.known, sites.own
    )
    before, after = prepare(sites, 7.0), prepare(later, 7.0)
    weeks = sites.half // 7 + 1
    for one, other in zip(
        [by_text(before, name="3x"), *by_fill(before, (0.95,))],
        [by_text(after, name="3x"), *by_fill(after, (0.95,))],
        strict=True,
    ):
        assert np.array_equal(one.point[:, :weeks], other.point[:, :weeks])
        assert not np.array_equal(one.point[:, weeks:], other.point[:, weeks:])


def test_the_command_ends_with_one_json_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["bench", "reorder", "--data", str(write(tmp_path)), "--json"]) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert {"item", "system", "policies"} <= set(json.loads(last))


def test_people_get_a_table(report: dict[str, Any]) -> None:
    told = lines_of(report)
    assert "3x-literal" in told
    assert "stock_ratio_at_literal_fill" in told


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("17000,gauze,three,W1,1", "use.csv line 2: expected Total_Qty as a number, got 'three'"),
        ("someday,gauze,3,W1,1", "use.csv line 2: expected Log_Date_Time as days since 1970 or a date, got 'someday'"),
        ("17000,gauze,3", "use.csv line 2: expected as many fields as there are column names"),
        ("17000,gauze,3,W1,1", f"past use: expected at least {420} days, got 1"),
    ],
)
def test_a_fault_is_told_in_one_line_with_its_place(
    row: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "use.csv").write_text(f"Log_Date_Time,NSVCode,Total_Qty,Ward,Site1\n{row}\n")
    assert start(["bench", "reorder", "--data", str(tmp_path)]) == 1
    told = capsys.readouterr().err.strip()
    assert said in told
    assert len(told.splitlines()) == 1


def test_a_folder_without_use_says_which_columns_are_missing(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="Log_Date_Time"):
        read_history(tmp_path)
    with pytest.raises(BadFile, match="expected a folder"):
        read_history(tmp_path / "nothing")
    (tmp_path / "use.csv.gz").write_bytes(b"\x1f\x8bnot gzip at all")
    with pytest.raises(BadFile, match=r"use.csv.gz: expected UTF-8 text"):
        read_history(tmp_path)


def test_days_may_be_dates(tmp_path: Path) -> None:
    (tmp_path / "use.csv").write_text("Log_Date_Time,NSVCode,Total_Qty,Ward,Site1\n2020-01-05,gauze,3,W1,1\n")
    assert read_history(tmp_path).uses[0].day == 18_266
    assert DAYS > 420


def test_receipts_that_cannot_be_and_items_without_a_level_are_set_aside(tmp_path: Path) -> None:
    folder = write(tmp_path)
    with (folder / "orders.csv").open("a") as lines:
        lines.write("gauze,98,S1,Sample,17050.0,17049.0,10.0\ngauze,99,S1,Sample,,17049.0,10.0\n")
    with (folder / "levels.csv").open("a") as lines:
        lines.write("mask,1.0,10.0,,4.0\n")
    history = read_history(folder)
    assert history.set_aside == 2
    assert history.levels is not None
    assert ("mask", "1") not in history.levels
