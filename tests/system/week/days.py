"""The script of the week, day by day: who does what, and what every answer must be."""

from edge_agent.core.work.words import Word
from tests.system.week.central import network
from tests.system.week.hospital import (
    BALLOON,
    DRAPE,
    EPC_OF_NOTE,
    EPC_OF_SET,
    GAUZE,
    GLUE,
    GTIN_PREFIX_DIGITS,
    GTINS,
    KEEPER,
    NURSE,
    OTHER_PATIENT,
    PATIENT,
    QUOTA,
    SECOND,
    STENT,
    SYRINGE,
    UNKNOWN_GTIN,
    card,
    loose,
    note,
    piece,
    place,
)
from tests.system.week.machines import eventually
from tests.system.week.people import LOOK, NO, OK, Week
from tests.system.week.room import AWAY, HAND, LOST, SENT_BACK, SHELF, USED, WASTE, Key


def first_count(week: Week) -> None:
    """Friday: shelves are full and the book is empty; labels are printed on the way, two people count, power goes."""
    machines, room = week.machines, week.room
    machines.power_on("03-27T09:00", mode="first-count")
    machines.shows(lambda state: state["mode"] == "first-count", "the first count")
    epcs = machines.print_labels(GTINS[STENT], GTIN_PREFIX_DIGITS, "S1", "2027-06-30", serial=1, count=8)
    eventually(lambda: week.tags_bound() == 8, "printed labels are not bound")
    room.bring(STENT, "S1", range(1, 9), SHELF["S1"], epcs)
    assert machines.scan(KEEPER, card("COUNT"), place("S1")) == [OK] * 3
    assert machines.scan(*(piece(STENT, serial) for serial in (1, 2, 3))) == [OK] * 3
    week.scan_through_a_cut([piece(STENT, serial) for serial in (4, 5, 6)], heard=1)

    machines.power_on("03-27T09:20", mode="first-count")
    assert machines.scan(KEEPER, card("COUNT"), place("S1"), piece(STENT, 4)) == [OK, OK, OK, LOOK]
    machines.answer(Word.COUNTED_BEFORE)
    assert NO not in machines.scan(*(piece(STENT, serial) for serial in (5, 6)))
    assert machines.scan(piece(STENT, 7), piece(STENT, 8)) == [OK, OK]
    assert (
        machines.scan(SECOND, card("COUNT"), place("S2"), card("X5"), loose(SYRINGE, "A1", box=True), at="s2")
        == [OK] * 5
    )
    room.put(SYRINGE, "A1", 250, SHELF["S2"])
    for lot in ("B2", "OLD", "END", "R9", ""):
        assert machines.scan(card("X5"), loose(SYRINGE, lot), at="s2") == [OK, OK]
        room.put(SYRINGE, lot, 5, SHELF["S2"])
    assert machines.scan(place("S3"), at="s2") == [OK]
    for item, lot, qty in ((GAUZE, "Z1", 50), (GLUE, "G5", 5), (GLUE, "G9", 5)):
        assert machines.scan(card("X5"), loose(item, lot), at="s2") == [OK, OK]
        room.put(item, lot, qty, SHELF["S3"])
    machines.power_cut()

    machines.power_on("03-27T09:40", mode="first-count")
    assert machines.scan(SECOND, card("COUNT"), place("S4"), card("X5"), loose(QUOTA, "Q1")) == [OK] * 5
    room.put(QUOTA, "Q1", 5, SHELF["S4"])
    assert machines.scan(KEEPER, card("COUNT"), card("COUNT")) == [OK] * 3
    assert machines.answer(Word.COUNT_ENDS)["beep"] == "ok"
    again = machines.tool(
        "label", "--config", str(machines.config), "--gtin", GTINS[STENT], "--prefix-digits", "8", "--lot", "S1",
        "--serial", "8", "--printer", "127.0.0.1:9",
    )  # fmt: skip
    assert again.returncode == 1
    week.compare()
    machines.power_cut()


def saturday(week: Week) -> None:
    """The morning in shadow: nothing is refused. Then live: every refusal there is, and its sentence on the panel."""
    machines = week.machines
    machines.power_on("03-28T06:55", until="03-28T08:10", rate=1800, mode="shadow")
    assert machines.scan(NURSE) == [OK]
    week.take_loose(SYRINGE, "OLD", beep=LOOK)
    week.compare()
    machines.power_cut()

    machines.power_on("03-28T08:30")
    assert machines.scan(NURSE) == [OK]
    week.take(STENT, 1)
    week.take_loose(SYRINGE, "A1", 5)
    assert machines.scan(PATIENT) == [OK]
    week.use_hand((STENT, 1, 1), (SYRINGE, "A1", 5))
    refusals_while_taking(week)
    refusals_in_other_work(week)
    two_people_at_once(week)
    undo_and_return(week)
    week.compare()
    week.wait_for_checks(1)


def refusals_while_taking(week: Week) -> None:
    refused, scan = week.machines.refused, week.machines.scan
    refused(loose(SYRINGE, "OLD"), Word.EXPIRED)
    refused(loose(SYRINGE, "R9"), Word.HELD)
    refused(loose(GLUE, "G5"), Word.HELD)
    refused(piece(STENT, 1), Word.ALREADY_TAKEN)
    refused("hello", Word.UNREADABLE)
    refused("WSB110010", Word.UNREADABLE)
    refused(f"]d201{UNKNOWN_GTIN}", Word.KEPT_RAW, beep=LOOK)
    assert scan(card("X5")) == [OK]
    refused(piece(STENT, 2), Word.ONE_PIECE)
    refused(f"]d201{GTINS[STENT]}", Word.OTHER_HALF, beep=LOOK)
    assert scan(card("PACK")) == [OK]
    refused(loose(GLUE, "G9"), Word.NO_PACK)
    refused(card("CLAIM"), Word.NOTHING_TO_CLAIM)
    refused(card("ADJUST"), Word.NOT_YOURS)


def refusals_in_other_work(week: Week) -> None:
    refused, scan = week.machines.refused, week.machines.scan
    assert scan(card("RETURN")) == [OK]
    refused(piece(STENT, 2), Word.NOT_IN_HAND)
    refused(loose(GAUZE, "Z1"), Word.USED_ON_OPENING)
    refused(f"]d201{UNKNOWN_GTIN}", Word.UNKNOWN_ITEM)
    refused(PATIENT, Word.OUT_OF_ORDER)
    assert scan(card("SCRAP")) == [OK]
    refused(piece(STENT, 2), Word.NOT_YOURS)
    assert scan(card("TRANSFER")) == [OK]
    refused(place("NOSUCH"), Word.UNKNOWN_PLACE)
    refused(piece(STENT, 2), Word.NO_DESTINATION)
    assert scan(card("TRANSFER")) == [OK]
    refused(piece(STENT, 2), Word.NOT_HERE)
    assert scan(card("SET")) == [OK]
    refused(piece(STENT, 2), Word.OUT_OF_ORDER)
    refused(note("PS9"), Word.UNKNOWN_NOTE, beep=LOOK)
    assert scan(card("DONE")) == [OK]
    refused(piece(STENT, 2), Word.NO_BADGE)
    refused(card("UNDO"), Word.OUT_OF_ORDER)
    assert scan(NURSE) == [OK]
    refused(card("UNDO"), Word.NOTHING_TO_UNDO)


def two_people_at_once(week: Week) -> None:
    """Two nurses at two scanners want one piece; a trigger is held too long; an emergency needs no badge."""
    machines, room = week.machines, week.room
    assert machines.scan(SECOND, at="s2") == [OK]
    week.take(STENT, 3)
    machines.refused(piece(STENT, 3), Word.ALREADY_TAKEN, at="s2")
    machines.shows(lambda state: {one["actor"] for one in state["visits"]} == {"1001", "1002"}, "two people")
    assert machines.scanners["s2"].scan(loose(SYRINGE, "A1"), loose(SYRINGE, "A1")) == [OK, LOOK]
    machines.answer(Word.SCANNED_TWICE)
    room.move(SYRINGE, "A1", 1, SHELF["S2"], HAND)
    assert machines.scan(card("DONE"), card("EMERGENCY"), at="s2") == [OK, OK]
    week.take_loose(SYRINGE, "OLD", at="s2", beep=LOOK)
    assert machines.scan(card("DONE"), at="s2") == [OK]
    (expired,) = [body for body in week.bodies("issue") if "emergency" in body.get("flags", ())]
    assert expired["flags"] == ["emergency", "expired", "held"]


def undo_and_return(week: Week) -> None:
    machines, room = week.machines, week.room
    assert machines.scan(NURSE) == [OK]
    week.take(STENT, 4)
    assert machines.scan(card("UNDO")) == [OK]
    room.carry(STENT, 4, SHELF["S1"])
    assert machines.scan(card("RETURN"), piece(STENT, 3), loose(SYRINGE, "A1")) == [OK] * 3
    room.carry(STENT, 3, SHELF["S1"])
    room.move(SYRINGE, "A1", 1, HAND, SHELF["S2"])


def cut_while_taking(week: Week) -> None:
    """The power goes in the middle of a burst; who comes back scans again what did not beep, nothing counts twice."""
    machines, room = week.machines, week.room
    assert machines.scan(NURSE) == [OK]
    texts = [loose(SYRINGE, "B2"), piece(STENT, 5), piece(STENT, 6), loose(GAUZE, "Z1")]
    heard = week.scan_through_a_cut(texts, heard=1)
    assert heard[0] is OK
    machines.power_on("03-28T08:34")
    machines.shows(lambda state: any(one["beep"] == "look" for one in state["answers"]), "what was recorded before")
    assert machines.scan(NURSE) == [OK]
    for serial in (5, 6):
        assert machines.scan(piece(STENT, serial))[0] in (OK, NO)  # no: it was recorded before the cut
        room.carry(STENT, serial, HAND)
    machines.refused(loose(SYRINGE, "B2"), Word.AGAIN, beep=LOOK)
    room.move(SYRINGE, "B2", 1, SHELF["S2"], HAND)
    assert machines.scan(loose(GAUZE, "Z1"))[0] in (OK, LOOK)  # look: it was recorded before the cut
    room.move(GAUZE, "Z1", 10, SHELF["S3"], USED)
    week.compare()
    machines.power_cut()


def sunday(week: Week) -> None:
    """A night goes by; deliveries by their notes; two pieces leave without a scan, one of them is claimed."""
    machines, room = week.machines, week.room
    machines.power_on("03-28T21:00", until="03-29T09:00", rate=9000, idle_s=2.0)
    assert machines.scan(NURSE, note("DN1")) == [OK, OK]
    machines.answer(Word.RECEIVED)
    room.put(SYRINGE, "B2", 100, SHELF["S2"])
    room.bring(STENT, "S1", (21, 22), SHELF["S1"], EPC_OF_NOTE)
    room.bring(BALLOON, "S1", (41,), SHELF["S4"], EPC_OF_SET)
    machines.refused(note("DN1"), Word.NOTE_RECEIVED, beep=LOOK)
    machines.refused(note("DN77"), Word.UNKNOWN_NOTE, beep=LOOK)
    assert machines.scan(card("RECEIVE"), note("DN2"), place("S2"), card("X10"), loose(SYRINGE, "B2")) == [OK] * 5
    room.put(SYRINGE, "B2", 10, SHELF["S2"])
    assert machines.scan(card("DONE")) == [OK]
    assert [body["sort"] for body in week.bodies("discrepancy")].count("not_delivered") == 2

    room.carry(STENT, 2, USED)
    machines.shows(lambda state: len(state["unclaimed"]) == 1, "what left without a scan")
    assert machines.scan(SECOND, PATIENT) == [OK, OK]
    machines.answer(Word.CLAIMED)
    machines.shows(lambda state: not state["unclaimed"], "nothing to claim any more")
    room.carry(STENT, 8, LOST)
    machines.shows(lambda state: len(state["unclaimed"]) == 1, "the second piece that left")

    assert machines.scan(NURSE) == [OK]
    machines.shows(lambda state: not state["visits"], "the visit is over after a while")
    machines.refused(piece(STENT, 7), Word.NO_BADGE)
    assert machines.scan(NURSE, loose(SYRINGE, "END"), loose(QUOTA, "Q1"), loose(GAUZE, "Z1")) == [OK] * 4
    room.move(SYRINGE, "END", 1, SHELF["S2"], HAND)
    room.move(QUOTA, "Q1", 1, SHELF["S4"], LOST)
    room.loose[LOST, QUOTA, "Q1"] -= 1
    room.put(DRAPE, "Q1", 12, USED)
    room.move(GAUZE, "Z1", 10, SHELF["S3"], USED)
    week.compare(*ON_THE_BOOK_ONLY)
    week.wait_for_checks(2)
    machines.power_cut()


SPOILT = ((SYRINGE, "OLD", "S2"), (SYRINGE, "END", "S2"), (SYRINGE, "R9", "S2"), (GLUE, "G5", "S3"))
ON_THE_BOOK_ONLY: tuple[Key, ...] = (("ward-01", "S1", STENT, "S1"), (LOST.place, "", STENT, "S1"))
"""Where book and room differ while a piece that left without a scan is neither claimed nor found."""


def monday(week: Week) -> None:
    """The monthly count by the list, while somebody takes; what is short is adjusted, what is expired is scrapped."""
    machines, room = week.machines, week.room
    machines.power_on("03-29T19:30", until="03-30T08:10", rate=9000)
    assert "unclaimed" in week.open_discrepancies()
    room.move(SYRINGE, "A1", 5, SHELF["S2"], LOST)
    assert machines.scan(KEEPER, card("COUNT")) == [OK, OK]
    machines.shows(lambda state: state["count"] is not None and state["count"]["lines"], "the list of the count")
    for position in ("S1", "S2", "S3", "S4"):
        count_shelf(week, position)
    assert machines.scan(SECOND, at="s2") == [OK]
    week.take_loose(SYRINGE, "B2", 5, at="s2")
    assert machines.scan(card("COUNT")) == [LOOK]
    machines.answer(Word.COUNT_ENDS)
    assert machines.scan(card("ADJUST")) == [LOOK]
    machines.answer(Word.ADJUSTED)
    week.compare(*ON_THE_BOOK_ONLY)
    assert machines.scan(card("SCRAP")) == [OK]
    for item, lot, position in SPOILT:
        qty = room.loose[SHELF[position], item, lot]
        scan_quantity(week, item, lot, qty)
        room.move(item, lot, qty, SHELF[position], WASTE)
    week.compare(*ON_THE_BOOK_ONLY)
    week.wait_for_checks(3)
    machines.power_cut()


def tuesday(week: Week) -> None:
    """The power comes back late; a procedure set, goods on consignment, another lot than the first, a transfer."""
    machines, room = week.machines, week.room
    machines.power_on("03-31T10:28", until="03-31T10:30", rate=60, blind=True)
    assert machines.scan(NURSE, card("SET"), note("PS1")) == [OK] * 3
    room.bring(BALLOON, "S1", (31, 32), SHELF["S5"], EPC_OF_SET)
    assert machines.scan(PATIENT, piece(BALLOON, 31)) == [OK, OK]
    room.carry(BALLOON, 31, USED)
    machines.refused(piece(BALLOON, 41), Word.NOT_OF_SET)
    assert machines.scan(card("RETURN")) == [OK]
    machines.answer(Word.SET_RETURNED)
    room.carry(BALLOON, 32, SENT_BACK)

    assert machines.scan(SECOND, OTHER_PATIENT) == [OK, OK]
    assert machines.scan(piece(BALLOON, 41)) == [OK]
    room.carry(BALLOON, 41, USED)
    assert machines.scan(NURSE, card("WHYASKED")) == [OK, OK]
    week.take_loose(SYRINGE, "B2", 5)
    assert machines.scan(card("TRANSFER"), place("WARD02"), piece(STENT, 21)) == [OK] * 3
    room.carry(STENT, 21, AWAY)
    assert machines.scan(card("X5"), loose(SYRINGE, "A1"), card("DONE")) == [OK] * 3
    room.move(SYRINGE, "A1", 5, SHELF["S2"], AWAY)
    assert machines.scan(KEEPER, card("COUNT")) == [OK, OK]
    machines.shows(
        lambda state: state["count"] and all(one["book"] is None for one in state["count"]["lines"]), "blind"
    )
    assert machines.scan(card("COUNT"), card("DONE")) == [OK, OK]
    chosen = week.bodies("issue")[-1]
    assert (chosen["reason"], chosen["proposed"]) == ("asked", "A1")
    assert sorted(week.owners_at(USED.place, BALLOON)) == ["hospital", "hospital"]
    week.compare(*ON_THE_BOOK_ONLY)
    week.wait_for_checks(4)
    machines.switch_off()


def thursday(week: Week) -> None:
    """After a day without power: the ward is suspended, and knew it beforehand; the lost piece is found."""
    machines, room = week.machines, week.room
    machines.power_on("04-02T06:55", until="04-02T08:10", rate=1800)
    machines.shows(lambda state: state["permit"] == "suspended", "the permit")
    assert machines.scan(NURSE) == [OK]
    week.take(STENT, 7, beep=LOOK)
    assert week.bodies("issue")[-1]["flags"] == ["suspended"]
    machines.refused(note("DN4"), Word.NEEDS_APPROVAL)
    assert machines.scan(note("DN5")) == [OK]
    room.put(SYRINGE, "B2", 50, SHELF["S2"])
    assert machines.scan(card("TRANSFER")) == [OK]
    machines.refused(piece(STENT, 99), Word.NEEDS_APPROVAL)
    assert machines.scan(card("EMERGENCY")) == [OK]
    week.take(STENT, 22)
    room.carry(STENT, 8, SHELF["S1"])
    machines.shows(lambda state: not state["unclaimed"], "the lost piece is seen again")
    week.wait_for_checks(6)
    machines.power_cut()


def friday(week: Week) -> None:
    """The network comes back: central has everything once."""
    machines = week.machines
    machines.power_on("04-03T08:30")
    week.compare()
    assert machines.scan(KEEPER) == [OK]
    machines.refused(card("RECONCILE"), Word.UNEVEN, beep=LOOK)
    assert [body["state"] for body in week.bodies("duty") if body["duty"] == "weekly_reconcile"] == ["signed"]
    with network(machines.broker, machines.folder) as central:
        week.wait_for_checks(7)  # what the agent has left to say of this morning
        machines.shows(lambda state: state["pending"] == 0, "everything is at central")
        eventually(lambda: central.events() == week.entries(), "central has another number of events")
        assert central.book() == week.room.truth()
        assert central.faults() == []
        machines.switch_off()


def count_shelf(week: Week, position: str) -> None:
    """Scan whatever lies on one shelf, in fives and single pieces."""
    machines, room = week.machines, week.room
    assert machines.scan(place(position)) == [OK]
    for one in room.pieces.values():
        if one.spot == SHELF[position]:
            assert machines.scan(piece(one.item, one.serial)) == [OK]
    for (spot, item, lot), qty in list(room.loose.items()):
        if spot == SHELF[position] and qty:
            scan_quantity(week, item, lot, qty // (10 if item == GAUZE else 1))


def scan_quantity(week: Week, item: str, lot: str, times: int) -> None:
    """Scan loose pieces so many times: number cards for fives, then one by one, no label twice in a row."""
    machines = week.machines
    while times >= 5:
        fives = min(times // 5, 20)
        assert machines.scan(*[card("X5")] * fives, loose(item, lot)) == [OK] * (fives + 1)
        times -= fives * 5
    for each in range(times):
        assert machines.scan(loose(item, lot, made=each % 2 == 0)) == [OK]
