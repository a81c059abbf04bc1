"""What the demo writes, the programs it starts can read."""

import tomllib
from pathlib import Path

from central.config import read_config
from edge_agent.config import load_config
from hardware_sim.config import Ports, edge_folder, write_central, write_edge, write_mosquitto
from hardware_sim.sample.catalogue import read_sample
from hardware_sim.scenario.draw import START, make_plan
from protocols.values.instant import StoryTime, plus

STORY = StoryTime(START, 540.0, 123_456, plus(START, 37_800))
PLAN = make_plan(read_sample(), seed=1, wards=1, with_take=True)


def test_the_edge_reads_the_story_it_lives_in(tmp_path: Path) -> None:
    path = write_edge(tmp_path, PLAN.wards[0], Ports(broker=1883, reader=5084), STORY)
    assert path == edge_folder(tmp_path, PLAN.wards[0].place) / "edge.toml"
    assert load_config(path).story == STORY
    rows = (path.parent / "opening.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + len(PLAN.wards[0].tags)


def test_central_reads_the_story_it_lives_in(tmp_path: Path) -> None:
    assert read_config(write_central(tmp_path, Ports(broker=1883), STORY)).story() == STORY


def test_the_files_are_toml_and_the_brokers_file_keeps_nothing(tmp_path: Path) -> None:
    written = tomllib.loads(write_central(tmp_path, Ports(broker=1883, http=8080), STORY).read_text(encoding="utf-8"))
    assert written["http"] == {"host": "127.0.0.1", "port": 8080}
    assert written["sync"] == {"unsigned": True}
    write_mosquitto(tmp_path / "mosquitto.conf", port=1884, user="root")
    assert "persistence false" in (tmp_path / "mosquitto.conf").read_text(encoding="utf-8")
