"""A hospital on SQLite whose lists are long, for the benches of lists; its stock came through the ledger."""

from pathlib import Path

from central.services.imports import import_folder
from central.services.policy import seed_policy
from central.store.engine import Store, open_store
from central.store.migrate import migrate
from protocols.movements import LINES_MAX, MovementBody, PostingLine, write_body
from protocols.values.ids import HOSPITAL_DEFAULT
from tests.central.hospital import FILES, GAUZE, Ward, frozen_clock, write_files

CONFIG = '[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[sync]\nunsigned = true\n'


def founded(folder: Path) -> tuple[Path, Store]:
    """Make a small hospital in a folder; returns its configuration and its store."""
    config = folder / "central.toml"
    config.write_text(CONFIG, "utf-8")
    store = open_store("sqlite:///central.db", base=folder)
    migrate(store)
    seed_policy(store, HOSPITAL_DEFAULT)
    import_folder(store, HOSPITAL_DEFAULT, write_files(folder / "files", FILES), frozen_clock())
    return config, store


def receive_lots(ward: Ward, count: int) -> None:
    """Let a ward receive so many lots of gauze, each a line of its own."""
    lots = [f"L{number:06d}" for number in range(count)]
    for start in range(0, count, LINES_MAX):
        lines = [
            PostingLine(GAUZE, 10, f"supplier@{ward.name}", ward.name, lot=lot)
            for lot in lots[start : start + LINES_MAX]
        ]
        ward.say("ward_receipt", write_body(MovementBody(tuple(lines))), 1, actor="N1001")
