"""A hospital on SQLite whose lists are long, for the benches of lists; its stock came through the ledger."""

from pathlib import Path

from central.services.imports import import_folder
from central.services.policy import seed_policy
from central.store.bulk import insert_rows
from central.store.engine import Store, open_store
from central.store.migrate import migrate
from central.store.tables.work import DISCREPANCY, ORDER_LINE, PURCHASE_ORDER
from protocols.movements.bodies import write_body
from protocols.movements.posting import LINES_MAX, MovementBody, PostingLine
from protocols.values.ids import HOSPITAL_DEFAULT
from protocols.values.instant import plus
from tests.central.hospital import FILES, GAUZE, START, Ward, frozen_clock, write_files

YEAR_S = 365 * 86_400
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


def order_much(store: Store, count: int) -> None:
    """Write so many orders of many items over a year, as if they had been imported."""
    order = [
        (HOSPITAL_DEFAULT, f"PO-{n:07d}", "S01", "S01", f"ward-{1 + n % 2:02d}", "approved", at(n, count), "10001")
        for n in range(count)
    ]
    line = [
        (HOSPITAL_DEFAULT, f"PO-{n:07d}", 1, item_of(n), 10, 8_500, f"p{n}", '{"policy": "import"}', "")
        for n in range(count)
    ]
    with store.write() as connection:
        insert_rows(connection, PURCHASE_ORDER, order)
        insert_rows(connection, ORDER_LINE, line)


def differ_much(store: Store, count: int) -> None:
    """Write so many discrepancies over a year, one of twenty open."""
    evidence = '{"belief": {"at": 1, "device": "ward-01", "model": "m", "p": 0.02, "since": 1}, "book": null}'
    rows = [
        {
            "hospital": HOSPITAL_DEFAULT, "discrepancy": f"d{n:07d}", "kind": "missing", "device": "ward-01",
            "place": f"ward-{1 + n % 2:02d}", "item": item_of(n), "lot": "", "unit": f"{n:024X}",
            "opened_at": at(n, count), "found_at": at(n, count), "since": at(n, count), "found_event_id": b"e",
            "status": "closed" if n % 20 else "open", "closed_at": at(n, count), "cause": "", "closed_event_id": None,
            "evidence": evidence,
        }
        for n in range(count)
    ]  # fmt: skip
    with store.write() as connection:
        connection.execute(DISCREPANCY.insert(), rows)


def item_of(number: int) -> str:
    """Return one of two thousand items."""
    return f"HC{number % 2_000:05d}"


def at(number: int, count: int) -> int:
    """Return an instant of the year before the story, the later the higher the number."""
    return int(plus(START, -YEAR_S + number * YEAR_S / count))
