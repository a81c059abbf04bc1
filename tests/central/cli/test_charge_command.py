"""`wardstock-central charges`: a CSV by its mapping; what does not fit is told by row, and the rest is in."""

import json
from pathlib import Path

import pytest

from central.cli import start
from tests.central.hospital import FILES, KIT, write_files

CONFIG = """[broker]
urls = ["mqtt://127.0.0.1:1"]
[his]
patient_key = "patient.key"
[his.charges_columns]
charge = "FEE"
at = "TIME"
ward = "DEPT"
code = "CODE"
qty = "QTY"
patient = "PAT"
refunds = "OF"
[his.wards]
"0301" = "ward-01"
"""
CODES = f"code,item,effective_from,effective_to,ratio\nF-KIT,{KIT},2026-01-01,,1\n"
CHARGES = """FEE,TIME,DEPT,CODE,QTY,PAT,OF
F1,2026-03-02 16:00:00,0301,F-KIT,2,P1,
R1,2026/03/02 17:00:00,0301,F-KIT,-1,P1,F1
F2,2026-03-02 16:00:00,0399,F-KIT,1,P1,
F3,yesterday,0301,F-KIT,1,P1,
"""


def test_charges_come_by_a_file_as_its_mapping_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "central.toml"
    config.write_text(CONFIG, "utf-8")
    (tmp_path / "patient.key").write_bytes(b"a key that hides patients")
    assert start(["migrate", "--config", str(config)]) == 0
    folder = write_files(tmp_path / "files", {**FILES, "charge_items.csv": CODES})
    assert start(["import", "--config", str(config), str(folder)]) == 0
    (tmp_path / "charges.csv").write_text("\ufeff" + CHARGES, "utf-8")
    capsys.readouterr()
    assert start(["charges", "--config", str(config), str(tmp_path / "charges.csv"), "--json"]) == 1
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["fresh"], told["known"]) == (2, 0)
    assert [one.split(":")[0:2] for one in told["faults"]] == [["row 4", " ward"], ["row 5", " at"]]
    assert "2 do not" in err
    assert "0399" in err


def test_a_file_without_a_needed_column_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "central.toml"
    config.write_text(CONFIG, "utf-8")
    (tmp_path / "patient.key").write_bytes(b"a key that hides patients")
    start(["migrate", "--config", str(config)])
    (tmp_path / "charges.csv").write_text("FEE,TIME\nF1,x\n", "utf-8")
    capsys.readouterr()
    assert start(["charges", "--config", str(config), str(tmp_path / "charges.csv")]) == 2
    assert "it lacks DEPT" in capsys.readouterr().err
