"""The people of the scripted week: what they scan at the machines, what their hands do in the room, what is true."""

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from protocols.entry import decode_body
from protocols.readers.scanner import Beep, frame_scan
from tests.system.week.hospital import card, feed, loose, piece, read_only, rows
from tests.system.week.machines import Machines, eventually
from tests.system.week.room import HAND, USED, WATCHED, Key, Room

OK, LOOK, NO = Beep.OK, Beep.LOOK, Beep.NO


class Week:
    """The people of the week: what they scan at the machines and what their hands do in the room."""

    def __init__(self, folder: Path) -> None:
        self.room = Room()
        self.machines = Machines(folder, self.room)
        feed(self.machines.ledger, rows())

    # --- hands ---

    def take(self, item: str, serial: int, *, at: str = "s1", beep: Beep = OK) -> None:
        """Scan one piece and take it in the hand."""
        assert self.machines.scan(piece(item, serial), at=at) == [beep]
        self.room.carry(item, serial, HAND)

    def take_loose(self, item: str, lot: str, qty: int = 1, *, at: str = "s1", beep: Beep = OK) -> None:
        """Scan loose pieces and take them in the hand; five at a time by a number card."""
        shelf = next(spot for (spot, what, of), n in self.room.loose.items() if (what, of) == (item, lot) and n >= qty)
        cards = [card("X5")] * (qty // 5)
        assert self.machines.scan(*cards, loose(item, lot), at=at) == [OK] * len(cards) + [beep]
        self.room.move(item, lot, qty, shelf, HAND)

    def use_hand(self, *what: tuple[str, int | str, int]) -> None:
        """Move what a nurse held to the patient."""
        for item, name, qty in what:
            if isinstance(name, int):
                self.room.carry(item, name, USED)
            else:
                self.room.move(item, name, qty, HAND, USED)

    def scan_through_a_cut(self, texts: list[str], heard: int) -> list[Beep]:
        """Scan without waiting; after some beeps the power goes. Returns the beeps heard before it."""
        plug = self.machines.scanners["s1"]
        plug.send(b"".join(map(frame_scan, texts)))
        beeps = plug.hear(heard)
        self.machines.power_cut()
        return beeps

    # --- what is true ---

    def book(self) -> dict[Key, int]:
        """Return what the ledger's balances say, for every place the book must know."""
        with closing(read_only(self.machines.ledger)) as ledger:
            found = ledger.query("SELECT place, position, item, lot, sum(qty) FROM balance GROUP BY 1, 2, 3, 4")
        return {(where, shelf, item, lot): qty for where, shelf, item, lot, qty in found if qty and where in WATCHED}

    def compare(self, *but: Key) -> None:
        """Hold the book against the room, item by lot by shelf."""
        book, truth = self.book(), self.room.truth()
        differing = {key: (book.get(key, 0), truth.get(key, 0)) for key in book.keys() | truth.keys()}
        wrong = {key: pair for key, pair in differing.items() if pair[0] != pair[1] and key not in but}
        assert not wrong, f"(book, truth): {wrong}"

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        """Return the bodies of a kind of entry."""
        with closing(read_only(self.machines.ledger)) as ledger:
            found = ledger.query("SELECT body FROM ledger WHERE kind = ? ORDER BY seq", (kind,))
        return [decode_body(raw) for (raw,) in found]

    def owners_at(self, place: str, item: str) -> list[str]:
        """Return whose the pieces of an item are at a place, one word a piece."""
        with closing(read_only(self.machines.ledger)) as ledger:
            found = ledger.query("SELECT owner, qty FROM balance WHERE place = ? AND item = ?", (place, item))
        return [owner for owner, qty in found for _ in range(qty)]

    def entries(self) -> int:
        """Return how many entries the ledger holds."""
        with closing(read_only(self.machines.ledger)) as ledger:
            ((found,),) = ledger.query("SELECT COUNT(*) FROM ledger")
        return int(found)

    def duties(self) -> dict[str, list[str]]:
        """Return what became of each duty, in the order in which it was due."""
        found: dict[str, list[str]] = {}
        for body in self.bodies("duty"):
            found.setdefault(body["duty"], []).append(body["state"])
        return found

    def wait_for_checks(self, days: int) -> None:
        """Wait until so many days' checks are judged: a look at the duties comes once a second."""
        eventually(lambda: len(self.duties().get("daily_check", [])) >= days, f"no check of day {days}")

    def tags_bound(self) -> int:
        """Return how many tags the book knows."""
        with closing(read_only(self.machines.ledger)) as ledger:
            ((found,),) = ledger.query("SELECT COUNT(*) FROM binding")
        return int(found)

    def open_discrepancies(self) -> Counter[str]:
        """Return how many of each sort wait for somebody."""
        with closing(read_only(self.machines.ledger)) as ledger:
            found = ledger.query("SELECT sort FROM discrepancy WHERE closed_event_id = x''")
        return Counter(sort for (sort,) in found)
