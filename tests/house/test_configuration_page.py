"""docs/configuration.md against the readers of both files: every key is on the page, and its samples are read."""

import ast
import re
from pathlib import Path

import pytest

from central.config import SECTIONS, read_config
from edge_agent import config as edge_config
from edge_agent.config import load_config
from edge_agent.errors import BadConfig

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text("utf-8")
ASKED = {"need", "take", "maybe"}
LISTS = {"reader", "scanner"}
MODULE = 'kind = "uhfreader18"\n'
KINDS = dict.fromkeys(("baud", "bus_address", "active", "answer_s", "url"), MODULE)
"""Kinds of reader that know a key; what is not here is a key of LLRP."""


def keys_of(file: str) -> set[str]:
    part = PAGE.split(f"## {file}\n", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `([a-z_.]+)` \|", part, re.MULTILINE))


def sample_of(program: str) -> str:
    (sample,) = re.findall(rf"^```toml {program}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert isinstance(sample, str)
    return sample


def test_every_key_of_central_is_on_the_page_and_no_other() -> None:
    known = {f"{section}.{key}" for section, model in SECTIONS.items() for key in model.model_fields}
    assert keys_of("central.toml") == known


def test_the_sample_of_central_is_read(tmp_path: Path) -> None:
    path = tmp_path / "central.toml"
    path.write_text(sample_of("central"), "utf-8")
    assert read_config(path).http.port == 8080


def test_every_key_the_edge_asks_for_is_on_the_page_and_no_other() -> None:
    files = Path(edge_config.__file__).parent.glob("*.py")
    calls = [node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))) if is_question(node)]
    asked = {ast.literal_eval(node.args[0]) for node in calls if isinstance(node, ast.Call)}
    assert {key.split(".")[1] for key in keys_of("edge.toml")} == asked
    assert {key.split(".")[0] for key in keys_of("edge.toml")} == set(edge_config.SECTIONS)


def is_question(node: ast.AST) -> bool:
    asks = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKED
    return asks and isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant)


@pytest.mark.parametrize("key", sorted(keys_of("edge.toml")))
def test_a_key_of_the_edge_is_known_in_its_section(tmp_path: Path, key: str) -> None:
    section, name = key.split(".")
    heading = f"[[{section}]]" if section in LISTS else f"[{section}]"
    kind = KINDS.get(name, 'kind = "llrp"\nurl = "tls://h"\n') if section == "reader" and name != "kind" else ""
    path = tmp_path / "edge.toml"
    path.write_text(f"{heading}\n{kind}{name} = {{ wrong = 1 }}\n", "utf-8")
    with pytest.raises(BadConfig) as fault:
        load_config(path)
    told = [line for line in str(fault.value).splitlines() if re.search(rf"{section}(\[0\])?\.{name}:", line)]
    assert told
    assert not any("unknown" in line for line in told)


def test_the_sample_of_the_edge_is_read(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(sample_of("edge"), "utf-8")
    config = load_config(path)
    assert (config.device.id, len(config.readers), len(config.scanners)) == ("ward-01", 1, 1)
