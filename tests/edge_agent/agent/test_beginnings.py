"""What a configuration's files give an agent before its first turn."""

from pathlib import Path

import pytest

from edge_agent.agent.beginnings import read_files
from edge_agent.config import Config, load_config
from edge_agent.errors import BadConfig

CONFIG = """
[device]
id = "ward-01"
fit = 1
[[scanner]]
name = "s1"
url = "serial:/dev/null"
feedback = "host-beep"
[broker]
urls = ["mqtt://127.0.0.1:1883"]
[sync]
unsigned = true
[visit]
patient_key = "patient.key"
[master]
items = "items.csv"
opening = "opening.csv"
cards = "cards.csv"
bins = "bins.csv"
"""
OPENING = "item,gtin,lot,expiry,serial,epc,position,owner\n"


def config_of(folder: Path, **files: str) -> Config:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    (folder / "edge.toml").write_text(CONFIG, "utf-8")
    return load_config(folder / "edge.toml")


def test_the_faults_of_all_files_are_told_at_once_each_under_its_key(tmp_path: Path) -> None:
    config = config_of(
        tmp_path,
        items="item,pack\nC001,ten\nC 2,\n",
        opening=OPENING + "C001,9506000134352,L1,soon,42,30340242201D8D4000000001,S3,\n",
        bins="card,item,qty\nA,C001,2\nA,C001,2\n",
    )
    with pytest.raises(BadConfig) as caught:
        read_files(config, opened=False)
    told = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in told] == [
        "master.items",
        "master.items",
        "master.opening",
        "master.cards",
        "master.bins",
        "visit.patient_key",
    ]
    assert "items.csv line 2: pack: expected a whole number" in told[0]
    assert "No such file or directory" in told[3]


def test_an_opening_that_is_written_is_asked_for_no_more(tmp_path: Path) -> None:
    good = {"items": "item\nC001\n", "cards": "uid,staff\n", "bins": "card,item,qty\n"}
    (tmp_path / "patient.key").write_bytes(b"k" * 16)
    config = config_of(tmp_path, **good)
    files = read_files(config, opened=True)
    assert (files.pieces, files.patient_key) == (None, b"k" * 16)
    assert [row.key for row in files.items or ()] == ["C001"]
    with pytest.raises(BadConfig, match=r"^master\.opening: .*opening\.csv: expected a CSV file"):
        read_files(config, opened=False)
