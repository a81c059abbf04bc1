"""Beeps follow the COMMIT: what is on the disk is an ok, what is not is a no, in the order of the scans."""

import io
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.agent.counter import Counter, Scan
from edge_agent.agent.inbox import ScannerClosed, ScannerOpened, ScannerSaid
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, Pen
from edge_agent.core.presence import Belief
from edge_agent.core.presence.window import Window
from edge_agent.core.work.scene import CutShort, Visit
from edge_agent.core.work.scene import Room as WardRoom
from edge_agent.core.work.words import Word
from edge_agent.errors import DiskFull
from edge_agent.store.feed import Row, checksum_of, take_snapshot
from edge_agent.store.ledger import Ledger
from edge_agent.store.queries import cut_short, open_visit
from edge_agent.store.tail import begin_run, end_run
from edge_agent.store.verify import verify
from protocols.codes.label import CommandName, make_badge, make_command
from protocols.readers.reads import RoundEnded, TagRead
from protocols.readers.scanner import Beep, BeepDecoder, BeepFrame, ScannerDecoder, frame_scan
from protocols.values.hlc import Hlc
from protocols.values.ids import ActorId, PlaceId, epc
from protocols.values.instant import Instant, StoryTime, plus
from tests.edge_agent.conftest import START, Scribe

A, B = epc("30340242201D8D4000000001"), epc("30340242201D8D4000000002")
GTIN = "09506000134352"
BADGE, OTHER = make_badge(ActorId("1001")), make_badge(ActorId("1002"))


def label(tag: str) -> str:
    return f"]d201{GTIN}21{tag[-4:]}"


class Wire:
    """A scanner's port: what it was told, and how much the ledger held on the disk when it was told."""

    def __init__(self, path: Path) -> None:
        self._path, self._decoder = path, BeepDecoder()
        self.beeps: list[Beep] = []
        self.entries_seen: list[int] = []

    def send(self, data: bytes) -> None:
        for frame in self._decoder.receive(data):
            assert isinstance(frame, BeepFrame)
            self.beeps.append(frame.beep)
            other = sqlite3.connect(self._path)
            self.entries_seen.append(other.execute("SELECT COUNT(*) FROM ledger").fetchone()[0])
            other.close()


class Room:
    """One scanner before one ledger."""

    def __init__(
        self,
        ledger: Ledger,
        path: Path,
        *,
        visit: Visit | None = None,
        rate: float = 1.0,
        cut: tuple[CutShort, ...] = (),
    ) -> None:
        self.clock = Clock(StoryTime(START, rate, 0))
        self.log = io.StringIO()
        self.ledger = ledger
        self.pen = Pen(self.clock, Hlc(0))
        self.presence = Window({"r1": (1,)}, round_s=60)
        voice = Voice(self.clock, self.log)
        self.counter = Counter(
            {"s1": ScannerDecoder(), "s2": ScannerDecoder()},
            WardRoom(PlaceId("ward-01"), cut_short=cut),
            idle_s=1800,
            clock=self.clock,
            voice=voice,
            presence=self.presence,
            visit=visit,
        )
        self.wire = Wire(path)
        self.counter.take(ScannerOpened("s1", self.wire))

    def hear(self, *texts: str) -> list[Scan]:
        return self.counter.take(ScannerSaid("s1", b"".join(map(frame_scan, texts))))

    def scan(self, *texts: str, beliefs: tuple[Belief, ...] = ()) -> list[Beep]:
        before = len(self.wire.beeps)
        self.counter.write(self.ledger, self.pen, self.hear(*texts), beliefs)
        return self.wire.beeps[before:]


@pytest.fixture
def room(ledger: Ledger, ledger_path: Path, scribe: Scribe) -> Room:
    ledger.append([scribe.bind(A, B), scribe.opening(A, B)])
    return Room(ledger, ledger_path)


def kinds(ledger: Ledger) -> list[tuple[str, str]]:
    return ledger.connection.query("SELECT kind, actor FROM ledger WHERE seq > 1 ORDER BY seq")


def test_badge_then_items_are_entries_with_an_ok_each_after_the_commit(room: Room) -> None:
    assert room.scan(BADGE) == [Beep.OK]
    assert room.scan(label(A)) == [Beep.OK]
    assert room.wire.entries_seen == [3, 4]
    assert kinds(room.ledger) == [("visit", "1001"), ("issue", "1001")]
    assert verify(room.ledger.connection).sound


def test_a_burst_is_one_group_and_each_scan_sees_the_one_before(room: Room) -> None:
    assert room.scan(label(A), BADGE, label(A), label(A), label(B)) == [Beep.NO, Beep.OK, Beep.OK, Beep.NO, Beep.OK]
    assert room.wire.entries_seen == [5, 5, 5, 5, 5]
    assert "already taken by 1001" in room.log.getvalue()


def test_a_refusal_leaves_the_ledger_alone(room: Room) -> None:
    assert room.scan("hello", label(A), "(01)09506000134352(21)9999") == [Beep.NO] * 3
    assert kinds(room.ledger) == []


def test_noise_on_the_line_is_a_no(room: Room) -> None:
    scans = room.counter.take(ScannerSaid("s1", b"\xff\xfe\r"))
    room.counter.write(room.ledger, room.pen, scans, [])
    assert room.wire.beeps == [Beep.NO]


def test_a_half_scan_dies_with_its_plug(room: Room) -> None:
    room.counter.take(ScannerSaid("s1", frame_scan(BADGE)[:5]))
    room.counter.take(ScannerClosed("s1", "unplugged"))
    room.counter.take(ScannerOpened("s1", room.wire))
    assert room.scan(BADGE) == [Beep.OK]


def test_on_a_full_disk_everyone_in_the_group_hears_no_and_nothing_is_lost(
    open_again: Callable[..., Ledger], ledger_path: Path, scribe: Scribe
) -> None:
    first = open_again()
    tags = [epc(f"30340242201D8D400000{number:04X}") for number in range(400)]
    first.append([scribe.bind(*tags), scribe.opening(*tags)])
    ((pages,),) = first.connection.query("PRAGMA page_count")
    first.close()
    room = Room(open_again(max_pages=pages + 2), ledger_path)
    assert room.scan(BADGE) == [Beep.OK]
    taken = 0

    def take_all() -> None:
        nonlocal taken
        for tag in tags:
            assert room.scan(label(tag)) == [Beep.OK]
            taken += 1

    with pytest.raises(DiskFull):
        take_all()
    assert taken < len(tags)
    assert room.wire.beeps[-1] is Beep.NO
    assert room.wire.entries_seen[-1] == 2 + 1 + taken
    assert verify(room.ledger.connection).sound
    room.ledger.close()
    roomy = Room(open_again(), ledger_path, visit=open_visit(open_again().connection))
    assert roomy.scan(BADGE, label(tags[taken])) == [Beep.OK, Beep.OK]


def test_an_issue_that_was_kept_is_told_to_presence(room: Room) -> None:
    room.presence.book(A, True, START)
    room.scan(BADGE, label(A))
    said: list[object] = []
    at = START
    for _ in range(40):  # still heard through more than two windows
        at = plus(at, 60)
        room.presence.receive(TagRead(A, 1, None, at, at), "r1")
        said += room.presence.receive(RoundEnded(at, (1,)), "r1")
    assert len(said) == 2  # first heard, and then unexpected


def test_beliefs_are_written_beside_the_scans(room: Room) -> None:
    room.scan(BADGE, beliefs=(Belief(A, 0.99, START, "window-1"),))
    assert kinds(room.ledger) == [("visit", "1001"), ("observe", "")]


def test_a_visit_ends_with_the_next_badge_and_after_its_idle_time(ledger: Ledger, ledger_path: Path) -> None:
    long_ago = Visit(ActorId("1001"), Instant(START - 2_000_000_000))
    room = Room(ledger, ledger_path, visit=long_ago)
    assert room.counter.due() == plus(long_ago.last_act, 1800)
    room.scan()
    assert room.counter.due() is None
    room.scan(BADGE, OTHER)
    rows = ledger.connection.query("SELECT actor, body FROM ledger ORDER BY seq")
    assert [(actor, b"begin" in body) for actor, body in rows] == [
        ("1001", False),
        ("1001", True),
        ("1001", False),
        ("1002", True),
    ]


def test_the_visit_that_was_open_is_found_again_after_a_restart(room: Room, ledger_path: Path) -> None:
    room.scan(BADGE, label(A))
    found = open_visit(room.ledger.connection)
    assert found is not None
    assert found.actor == "1001"
    again = Room(room.ledger, ledger_path, visit=found)
    assert again.scan(label(B)) == [Beep.OK]


def test_after_a_restart_in_the_middle_of_a_count_nothing_is_taken(room: Room, ledger_path: Path) -> None:
    room.scan(BADGE, make_command(CommandName.COUNT), label(A))
    again = Room(room.ledger, ledger_path, visit=open_visit(room.ledger.connection))
    assert again.scan(label(B)) == [Beep.NO]
    assert "expected a badge first" in again.log.getvalue()
    assert kinds(room.ledger)[-1] == ("visit", "1001")


def test_after_a_restart_the_last_act_can_still_be_undone(room: Room, ledger_path: Path) -> None:
    room.scan(BADGE, label(A), label(B), make_command(CommandName.UNDO))
    again = Room(room.ledger, ledger_path, visit=open_visit(room.ledger.connection))
    assert again.scan(make_command(CommandName.UNDO), make_command(CommandName.UNDO)) == [Beep.OK, Beep.NO]
    assert again.scan(label(A), label(B)) == [Beep.OK, Beep.OK]
    assert verify(room.ledger.connection).sound


def test_two_people_at_two_scanners_have_visits_of_their_own_and_one_piece_goes_to_one(
    room: Room, ledger_path: Path
) -> None:
    wire = Wire(ledger_path)
    room.counter.take(ScannerOpened("s2", wire))

    def second(*texts: str) -> list[Scan]:
        return room.counter.take(ScannerSaid("s2", b"".join(map(frame_scan, texts))))

    scans = [*room.hear(BADGE), *second(OTHER), *room.hear(label(A)), *second(label(A), label(B))]
    room.counter.write(room.ledger, room.pen, scans, [])
    assert (room.wire.beeps, wire.beeps) == ([Beep.OK, Beep.OK], [Beep.OK, Beep.NO, Beep.OK])
    assert kinds(room.ledger) == [("visit", "1001"), ("visit", "1002"), ("issue", "1001"), ("issue", "1002")]
    assert {name: visit.actor for name, visit in room.counter.visits.items()} == {"s1": "1001", "s2": "1002"}


def loose_room(room: Room) -> str:
    """Give the storeroom twenty loose syringes; returns their label."""
    rows = [Row("item", "LC1", {"products": [{"code": GTIN}]})]
    take_snapshot(room.ledger.connection, "global", 1, rows, checksum=checksum_of(rows), now=START)
    line = {"item": "LC1", "lot": "A1", "qty": 20, "source": "opening@ward-01", "target": "ward-01"}
    room.ledger.append([Scribe(count=900).entry("opening", {"lines": [line]})])
    return f"]d201{GTIN}10A1"


def test_after_a_power_cut_the_same_persons_same_label_is_asked_about_once(room: Room, ledger_path: Path) -> None:
    syringe = loose_room(room)
    begin_run(room.ledger)
    assert room.scan(BADGE, syringe) == [Beep.OK, Beep.OK]
    cut = cut_short(room.ledger.connection, room.clock.now())
    assert [(one.kind, one.actor, one.item, one.lot, one.qty) for one in cut] == [("issue", "1001", "LC1", "A1", 1)]
    after = Room(room.ledger, ledger_path, cut=cut)
    assert [answer.decision.word for answer in after.counter.answers] == [Word.BEFORE_CUT]
    head = room.ledger.head().seq
    assert after.scan(OTHER, syringe, BADGE, syringe) == [Beep.OK, Beep.OK, Beep.OK, Beep.LOOK]
    assert after.counter.answers[-1].decision.word is Word.AGAIN
    assert after.scan(make_command(CommandName.TIMES_5), syringe) == [Beep.OK, Beep.OK]
    assert [kind for kind, _ in kinds(room.ledger)].count("issue") == 3
    assert room.ledger.head().seq > head
    assert verify(room.ledger.connection).sound


def test_after_a_power_cut_an_emergency_is_asked_nothing_and_ten_minutes_later_nobody_is(
    room: Room, ledger_path: Path
) -> None:
    syringe = loose_room(room)
    begin_run(room.ledger)
    assert room.scan(BADGE, syringe) == [Beep.OK, Beep.OK]
    cut = cut_short(room.ledger.connection, room.clock.now())
    after = Room(room.ledger, ledger_path, cut=cut)
    assert after.scan(BADGE, make_command(CommandName.EMERGENCY), syringe) == [Beep.OK] * 3
    assert cut_short(room.ledger.connection, plus(room.clock.now(), 601)) == ()
    end_run(room.ledger)
    assert cut_short(room.ledger.connection, room.clock.now()) == ()
