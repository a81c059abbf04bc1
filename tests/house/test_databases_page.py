"""docs/databases.md against real databases: every table and column is on the page, and none that does not exist.

Its queries run, what it calls a proof returns nothing on a sound ledger and something on a changed one, and its script
agrees with the chain.
"""

import re
import runpy
import sqlite3
from pathlib import Path

import pytest

from central.store.engine import open_store
from central.store.migrate import migrate
from edge_agent.store.connection import open_to_write
from edge_agent.store.schema import bring_up_to_date
from tests.hardware_sim.played import play

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "databases.md").read_text("utf-8")
PARTS = {"edge": "# Edge: ledger.db", "central": "# Central: central.db"}
SQL = re.compile(r"^```sql ([a-z ]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SCRIPT = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)

Schema = dict[str, dict[str, str]]


def on_page(kind: str) -> Schema:
    """Tables, columns and types as the page tells them."""
    part = PAGE.split(PARTS[kind] + "\n", 1)[1].split("\n# ", 1)[0]
    tables: Schema = {}
    for section in part.split("\n### ")[1:]:
        name, _, text = section.partition("\n")
        rows = re.findall(r"^\| (\w+) \| (\w+) \| (.+) \|$", text, re.MULTILINE)
        assert rows[0] == ("column", "type", "meaning"), name
        tables[name] = {column: kind for column, kind, _ in rows[1:]}
        assert all(len(meaning) > 3 for _, _, meaning in rows[1:]), name
    return tables


def affinity(declared: str) -> str:
    """SQLite's type of a declared one, as the page writes it (sqlite.org/datatype3.html section 3.1)."""
    upper = declared.upper()
    if "INT" in upper or upper == "BOOLEAN":
        return "INTEGER"
    if "CHAR" in upper or "TEXT" in upper or upper == "DATE":
        return "TEXT"
    return "REAL" if upper in {"REAL", "FLOAT"} else "BLOB"


def in_file(path: Path) -> Schema:
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    tables = {
        name: {row[1]: affinity(row[2]) for row in connection.execute(f"PRAGMA table_info({name})")}
        for (name,) in names
        if not name.startswith("sqlite_")
    }
    connection.close()
    return tables


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("fresh")
    edge, central = folder / "ledger.db", folder / "central.db"
    connection = open_to_write(edge)
    bring_up_to_date(connection, "ledger.db")
    connection.close()
    store = open_store(f"sqlite:///{central}")
    migrate(store)
    store.close()
    return {"edge": edge, "central": central}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    state = tmp_path_factory.mktemp("played")
    play(state)
    return {"edge": state / "edge" / "ward-01" / "ledger.db", "central": state / "central" / "central.db"}


@pytest.mark.parametrize("kind", PARTS)
def test_the_page_names_every_table_and_column_and_no_other(fresh: dict[str, Path], kind: str) -> None:
    assert on_page(kind) == in_file(fresh[kind])


def queries() -> list[tuple[str, str]]:
    return [(kind, text) for kinds, text in SQL.findall(PAGE) for kind in kinds.split()]


@pytest.mark.parametrize(("kind", "text"), queries())
def test_every_query_of_the_page_runs(played: dict[str, Path], kind: str, text: str) -> None:
    connection = sqlite3.connect(f"file:{played[kind]}?mode=ro", uri=True)
    rows = connection.execute(text).fetchall()
    connection.close()
    proof = text in PAGE.split("# Verify by hand", 1)[1].split("# Questions", 1)[0]
    assert not (proof and rows), "a proof returns nothing on a sound file"
    assert rows or proof or "seq > (SELECT acked" in text, "a question has an answer in a played story"


def run_script(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (script,) = SCRIPT.findall(PAGE)
    (tmp_path / "verify.py").write_text(script, "utf-8")
    monkeypatch.setattr("sys.argv", ["verify.py", str(path)])
    done = runpy.run_path(str(tmp_path / "verify.py"))
    done["db"].close()


@pytest.mark.parametrize("kind", PARTS)
def test_the_script_of_the_page_finds_the_heads(
    played: dict[str, Path],
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_script(played[kind], monkeypatch, tmp_path)
    connection = sqlite3.connect(played[kind])
    heads = connection.execute(
        "SELECT device, max(seq) + 1, lower(hex(hash)) FROM ledger GROUP BY incarnation ORDER BY device"
    ).fetchall()
    connection.close()
    lines = sorted(capsys.readouterr().out.splitlines())
    assert lines == [f"{device} holds {count} entries, head {digest}" for device, count, digest in heads]


def test_the_proofs_and_the_script_notice_a_change(
    played: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    changed = tmp_path / "ledger.db"
    source, target = sqlite3.connect(played["edge"]), sqlite3.connect(changed)
    source.backup(target)
    target.execute("DROP TRIGGER ledger_refuses_update")
    target.execute("UPDATE ledger SET body = replace(body, '\"qty\":1', '\"qty\":2') WHERE seq = 1")
    target.execute("UPDATE ledger SET prev_hash = zeroblob(32) WHERE seq = 7")
    target.execute("UPDATE balance SET qty = 5 WHERE place = 'ward-01'")
    target.commit()
    for kind, text in queries()[:4]:
        if kind == "edge":
            assert target.execute(text).fetchall(), text
    source.close()
    target.close()
    with pytest.raises(SystemExit, match="entry 1 was changed"):
        run_script(changed, monkeypatch, tmp_path)
