"""A small hospital for tests: a migrated store in memory, imported through real files, and wards that write entries.

A hospital of the same files is imported once a process and copied from then on.

What a ward says goes through the same writing as everything that comes from a broker; only the wire is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from central.clock import Clock
from central.services.imports import import_folder
from central.services.policy import seed_policy
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from central.store.chains import enrol, head_of, keep_device, move_head, note_frame, registered
from central.store.engine import Store
from central.store.ledger import Chain, take_in
from protocols.entry import ClockQuality, Digest, Entry, chain, encode_body, encode_entry
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.movements.tags import BindBody, Binding, ObserveBody
from protocols.sync.frames import Head
from protocols.sync.reception import Link, Registered, Standing
from protocols.values.hlc import Hlc, next_hlc
from protocols.values.ids import DeviceId, HospitalId, Incarnation, PlaceId, actor_id, boot_id, make_event_id
from protocols.values.instant import Instant, StoryTime, from_iso, plus
from tests.central.stores import copied, image_of, migrated_store

HOSPITAL = HospitalId("main")
START = from_iso("2026-03-02T16:00:00+08:00")
STORY_DAY = date(2026, 3, 2)

GAUZE, KIT, VALVE = "HC-GAUZE", "HC-KIT", "HC-VALVE"

FILES: Mapping[str, str] = {
    "items.csv": """item,name_zh,name_en,spec,gtin,unit_zh,unit_en,pack,class,criticality,chargeable,storage
HC-GAUZE,医用纱布块,Gauze swab,8cm×8cm,06999990101016,片,piece,10,low,normal,0,room
HC-KIT,一次性使用中心静脉导管包,Central venous catheter kit,7Fr×20cm,06999990101047,包,kit,5,high,vital,1,room
HC-VALVE,止血阀,Haemostasis valve,标准型,,个,piece,1,low,essential,0,room
""",
    "suppliers.csv": """supplier,name_zh,name_en
S01,示例·云汀医疗,Yunting Medical (fictional)
S02,示例·澄江医疗,Chengjiang Medical (fictional)
""",
    "item_suppliers.csv": """item,supplier,rank,price_yuan,pack,moq,lead_days,platform_code
HC-GAUZE,S01,1,0.85,50,100,3,YP1
HC-KIT,S01,2,270.00,5,5,6,YP2
HC-KIT,S02,1,268.00,5,5,4,YP3
""",
    "lots.csv": """item,lot,made,expiry
HC-GAUZE,G1,2025-06-01,2028-06-01
HC-KIT,K1,2025-06-01,2027-06-01
HC-KIT,K2,2025-09-01,
""",
    "places.csv": """place,level,name_zh,name_en,parent,device
main-store,1,一级库,Central store,,
ward-01,2,重症医学科,Intensive care,main-store,ward-01
ward-02,2,普外科,General surgery,main-store,ward-02
""",
    "stock.csv": """place,item,lot,qty
main-store,HC-GAUZE,G1,500
""",
}


def use_file(daily: Mapping[str, int], days: int = 90) -> str:
    """Return use of the days before the story in ward-01: so much of an item every day."""
    rows = [
        f"ward-01,{item},{STORY_DAY - timedelta(days=ago)},{qty}"
        for item, qty in daily.items()
        for ago in range(days, 0, -1)
    ]
    return "\n".join(["place,item,day,qty", *rows]) + "\n"


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def frozen_clock(at: Instant = START) -> Clock:
    """A story so slow that a test sees one moment."""
    return Clock(StoryTime(at, 1e-9, 0))


def fresh_store() -> Store:
    return copied(_seeded())


@cache
def _seeded() -> bytes:
    store = migrated_store()
    seed_policy(store, HOSPITAL)
    image = image_of(store)
    store.close()
    return image


def hospital(folder: Path, daily: Mapping[str, int] | None = None) -> Store:
    """A store with the files above, and ward-01 using a kit a day unless told otherwise."""
    used = use_file({KIT: 1} if daily is None else daily)
    write_files(folder, {**FILES, "use.csv": used})
    return copied(_imported(used))


@cache
def _imported(used: str) -> bytes:
    store = fresh_store()
    with TemporaryDirectory() as folder:
        import_folder(store, HOSPITAL, write_files(Path(folder), {**FILES, "use.csv": used}), frozen_clock())
    image = image_of(store)
    store.close()
    return image


@dataclass
class Ward:
    """One ward's device: it writes entries at the seconds of the story it is told."""

    store: Store
    name: str = "ward-01"
    touched: set[str] = field(default_factory=set)
    _number: int = 0
    _hlc: Hlc = field(default_factory=lambda: Hlc(0))

    def __post_init__(self) -> None:
        self.own = Incarnation(self.name.encode().ljust(16, b"."))
        device = DeviceId(self.name)
        with self.store.write() as connection:
            if registered(connection, HOSPITAL, device) is None:
                enrol(connection, HOSPITAL, device, PlaceId(self.name))
            keep_device(connection, HOSPITAL, Registered(device, standing=Standing.LIVE, incarnation=self.own))

    def say(self, kind: str, body: dict[str, object], at_s: float, actor: str = "") -> str:
        """Write one entry and return its event id in hex."""
        wall = plus(START, at_s)
        self._number += 1
        self._hlc = next_hlc(self._hlc, wall)
        event = make_event_id(wall // 1000, self.name[-2:].encode() + self._number.to_bytes(8, "big"))
        boot = boot_id(bytes(16))
        entry = Entry(
            event, self._hlc, wall, self._number, boot, ClockQuality.FREE, kind, 1, encode_body(body), actor_id(actor)
        )
        with self.store.write() as connection:
            head = head_of(connection, HOSPITAL, self.own)
            device = DeviceId(self.name)
            (one,) = chain(device, self.own, from_seq=head.seq + 1, prev_hash=Digest(head.hash), entries=[entry])
            link = Link(one.seq, encode_entry(one.entry), one.content_hash, one.prev_hash, one.hash)
            taken = take_in(connection, Chain(HOSPITAL, device, self.own, PlaceId(self.name)), [link], wall)
            assert not taken.quarantined, body
            move_head(connection, HOSPITAL, device, Head(self.own, one.seq, one.hash), wall)
            note_frame(connection, HOSPITAL, device, wall, one.seq)
        self.touched |= taken.places
        return event.hex()

    def open(self, item: str, lot: str, units: list[str], at_s: float = 0) -> None:
        """Bind tags and put the units into the book."""
        bound = tuple(Binding(unit, item, lot=lot, serial=unit[-4:]) for unit in units)
        self.say("bind_tag", write_body(BindBody(bound)), at_s)
        lines = tuple(
            PostingLine(item, 1, f"opening@{self.name}", self.name, lot=lot, unit=unit, target_position="S1")
            for unit in units
        )
        self.say("opening", write_body(MovementBody(lines)), at_s)

    def move(self, kind: str, item: str, lot: str, unit: str, source: str, target: str, at_s: float) -> str:
        line = PostingLine(item, 1, source, target, lot=lot, unit=unit)
        return self.say(kind, write_body(MovementBody((line,))), at_s, actor="N1001")

    def issue(self, item: str, lot: str, unit: str, at_s: float) -> str:
        return self.move("issue", item, lot, unit, self.name, f"issued@{self.name}", at_s)

    def give_back(self, item: str, lot: str, unit: str, at_s: float) -> str:
        return self.move("return_to_store", item, lot, unit, f"issued@{self.name}", self.name, at_s)

    def receive(self, item: str, lot: str, qty: int, at_s: float) -> str:
        line = PostingLine(item, qty, f"supplier@{self.name}", self.name, lot=lot)
        return self.say("ward_receipt", write_body(MovementBody((line,))), at_s, actor="N1001")

    def observe(self, unit: str, p: float, at_s: float, since_s: float | None = None, model: str = "window-1") -> str:
        since = plus(START, at_s if since_s is None else since_s)
        return self.say("observe", write_body(ObserveBody(unit, p, model, since)), at_s)


def tags(count: int, start: int = 1) -> list[str]:
    """Return EPCs of so many units."""
    return [f"30{number:022X}" for number in range(start, start + count)]


def short_of_kits(folder: Path) -> Store:
    """Return a hospital with a ward that lost a kit and is running out of them, another that was never heard."""
    made = hospital(folder)
    ward, units = Ward(made), tags(6)
    ward.open(KIT, "K1", units)
    ward.observe(units[0], 0.02, 900, since_s=300)
    reconcile(made, HOSPITAL, plus(START, 901))
    replenish(made, HOSPITAL, plus(START, 902), policy="3x", run="replenish:1")
    return made
