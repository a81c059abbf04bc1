"""A played story without its processes: the plan's evening written by the edge's own ledger and central's own services.

Only wires, readers and threads are left out: entries go through the edge's store, chains through central's ingest,
discrepancies, proposals and the order through central's services, the truth through the simulator's own forms. What a
reader would have believed is said in `observe` entries a fixed time after each piece left.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import count, groupby
from pathlib import Path

from central.clock import Clock
from central.services.accounts import staff_number
from central.services.imports import import_folder
from central.services.orders import approve
from central.services.policy import seed_policy
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from central.store.chains import keep_device, move_head, note_frame
from central.store.engine import Store, open_store
from central.store.ledger import Chain, take_in
from central.store.migrate import migrate
from central.store.queries_work import open_proposals
from edge_agent.core.opening import Piece, opening_drafts
from edge_agent.store.ledger import Ledger, open_ledger
from hardware_sim.evidence.truth import (
    NO_EPC,
    Beep,
    Deliveries,
    Truth,
    WardTruth,
    beeps_path,
    write_deliveries,
    write_truth,
)
from hardware_sim.sample.catalogue import read_sample
from hardware_sim.sample.files import write_sample
from hardware_sim.scenario.draw import START, make_plan
from hardware_sim.scenario.plan import Plan, Ward
from hardware_sim.world import Move
from protocols.codes.gtin import gtin14
from protocols.entry import ChainedEntry, ClockQuality, Entry, encode_body, encode_entry
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.movements.reports import VisitBody
from protocols.movements.tags import ObserveBody
from protocols.sync.frames import Head
from protocols.sync.reception import Link, Registered, Standing
from protocols.values.hlc import Hlc, next_hlc
from protocols.values.ids import (
    HOSPITAL_DEFAULT,
    HOSPITAL_OWNED,
    ActorId,
    BootId,
    DeviceId,
    Epc,
    Incarnation,
    PlaceId,
    UnitId,
    make_event_id,
)
from protocols.values.instant import Instant, StoryTime, business_day, plus

NOBODY = ActorId("")
BEGINNING = Hlc(0)
RATE = 540.0
STEP_S = 10
"""From one scan to the next."""
BELIEF_AFTER_S = 660
WIRE_S = 2
REPLENISH_S = 1800


@dataclass
class Act:
    """One thing a ward writes down, and the beep that follows it."""

    at: Instant
    kind: str
    body: dict[str, object]
    actor: ActorId = NOBODY
    beep: Beep | None = None


@dataclass
class Evening:
    """One ward's evening: its ledger, what was written, and the truth of it."""

    ward: Ward
    ledger: Ledger
    moves: list[Move] = field(default_factory=list)
    beeps: list[Beep] = field(default_factory=list)
    written: list[ChainedEntry] = field(default_factory=list)
    hlc: Hlc = BEGINNING
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def write(self, act: Act) -> None:
        self.hlc = next_hlc(self.hlc, act.at)
        number = next(self.numbers)
        event = make_event_id(act.at // 1000, bytes(4) + self.ward.place.encode()[-2:] + number.to_bytes(4, "big"))
        boot = BootId(b"b" * 16)
        body = encode_body(act.body)
        entry = Entry(event, self.hlc, act.at, number, boot, ClockQuality.FREE, act.kind, 1, body, act.actor)
        self.written += self.ledger.append([entry])
        if act.beep is not None:
            self.beeps.append(act.beep)


def play(state: Path, *, seed: int = 7, with_take: bool = True) -> Plan:
    """Play an evening of two wards into a new folder; every file is closed at the end."""
    plan = make_plan(read_sample(), seed=seed, wards=2, with_take=with_take)
    evenings = [_evening(state, plan, ward) for ward in plan.wards]
    _central(state, plan, evenings)
    for evening in evenings:
        evening.ledger.set_acked(evening.ledger.head().seq)
        evening.ledger.close()
        _log(state, evening)
    wards = tuple(WardTruth(one.ward.place, one.ward.tags, tuple(one.moves)) for one in evenings)
    write_truth(state, Truth(seed, plan.start, plan.end, RATE, 70.0, wards, (plan.cut,), plan.take, plan.drive))
    return plan


# --- the edges ---


def _evening(state: Path, plan: Plan, ward: Ward) -> Evening:
    folder = state / "edge" / ward.place
    folder.mkdir(parents=True)
    own = Incarnation(ward.place.encode().ljust(16, b"."))
    ledger = open_ledger(folder / "ledger.db", DeviceId(ward.place), newborn=own, now=plan.start)
    evening = Evening(ward, ledger)
    acts = sorted(_acts(plan, evening), key=lambda act: act.at)
    with ledger.group():
        for act in acts:
            evening.write(act)
    return evening


def _acts(plan: Plan, evening: Evening) -> Iterator[Act]:
    ward = evening.ward
    pieces = [
        Piece(
            tag.item,
            gtin14(tag.gtin),
            tag.lot,
            date.fromisoformat(tag.expiry),
            tag.serial,
            tag.epc,
            tag.position,
            HOSPITAL_OWNED,
        )
        for tag in ward.tags
    ]
    for draft in opening_drafts(pieces, ward.place):
        yield Act(plus(plan.start, 1), draft.kind, dict(draft.body), draft.actor)
    for tag in ward.tags:
        yield _belief(tag.epc, 0.99, plus(plan.start, 60), plus(plan.start, 30))
    taken: list[Move] = []
    for visit in ward.visits:
        yield from _visit(evening, visit.at, visit.actor, visit.epcs, taken)
    if plan.take is not None and plan.take.ward == ward.place:
        taken.append(Move(plan.take.epc, plan.take.at, "unscanned"))
    evening.moves = sorted(taken, key=lambda move: move.at)
    for move in taken:
        yield _belief(move.epc, 0.01, plus(move.at, BELIEF_AFTER_S), move.at)


def _visit(evening: Evening, at: Instant, actor: ActorId, epcs: tuple[Epc, ...], taken: list[Move]) -> Iterator[Act]:
    place = evening.ward.place
    tags = {tag.epc: tag for tag in evening.ward.tags}
    heard = Beep(plus(at, 1), "badge", "badge", actor, "ok", NO_EPC)
    yield Act(at, "visit", write_body(VisitBody("begin")), actor, heard)
    for number, epc in enumerate(epcs, start=1):
        then, tag = plus(at, STEP_S * number), tags[epc]
        line = PostingLine(
            tag.item,
            1,
            place,
            f"issued@{place}",
            tag.lot,
            unit=UnitId(epc),
            source_position=tag.position,
        )
        heard = Beep(plus(then, 1), "piece", "item", actor, "ok", epc)
        yield Act(then, "issue", write_body(MovementBody((line,))), actor, heard)
        taken.append(Move(epc, plus(then, 2), "scanned", actor))
    yield Act(plus(at, STEP_S * (len(epcs) + 1)), "visit", write_body(VisitBody("end")), actor)


def _belief(epc: Epc, p: float, at: Instant, since: Instant) -> Act:
    return Act(at, "observe", write_body(ObserveBody(epc, p, "window-1", since)))


def _log(state: Path, evening: Evening) -> None:
    place = evening.ward.place
    beeps_path(state, place).parent.mkdir(parents=True)
    beeps_path(state, place).write_bytes(b"".join(beep.line() for beep in evening.beeps))
    write_deliveries(state, place, Deliveries(reads=1000 * len(evening.ward.tags), rounds=630))


# --- central ---


def _central(state: Path, plan: Plan, evenings: list[Evening]) -> None:
    write_sample(state / "sample", wards=len(plan.wards), until=business_day(START))
    (state / "central").mkdir()
    store = open_store(f"sqlite:///{state / 'central' / 'central.db'}")
    try:
        migrate(store)
        seed_policy(store, HOSPITAL_DEFAULT)
        import_folder(store, HOSPITAL_DEFAULT, state / "sample", Clock(StoryTime(plan.start, 1e-9, 0)))
        _receive_all(store, plan, evenings)
    finally:
        store.close()


def _receive_all(store: Store, plan: Plan, evenings: list[Evening]) -> None:
    """Take in every entry when it comes through, compare after each batch, and run the policy every half hour."""
    came = sorted(
        ((_arrival(plan, one.ward.place, entry), one.ward.place, entry) for one in evenings for entry in one.written),
        key=lambda each: (each[0], each[1], each[2].seq),
    )
    ring = plus(plan.start, REPLENISH_S)
    for (at, place), batch in groupby(came, key=lambda each: (each[0], each[1])):
        while ring < at:
            _buy(store, ring)
            ring = plus(ring, REPLENISH_S)
        _take_in(store, place, [entry for _, _, entry in batch], at)
        reconcile(store, HOSPITAL_DEFAULT, at, [place])
    while ring < plan.end:
        _buy(store, ring)
        ring = plus(ring, REPLENISH_S)


def _arrival(plan: Plan, place: PlaceId, chained: ChainedEntry) -> Instant:
    at = plus(chained.entry.wall, WIRE_S)
    cut = plan.cut
    return plus(cut.until, 30) if cut.ward == place and cut.since <= at < plus(cut.until, 30) else at


def _take_in(store: Store, place: PlaceId, entries: list[ChainedEntry], at: Instant) -> None:
    device, last = DeviceId(place), entries[-1]
    links = [Link(one.seq, encode_entry(one.entry), one.content_hash, one.prev_hash, one.hash) for one in entries]
    with store.write() as connection:
        registered = Registered(device, standing=Standing.LIVE, incarnation=last.incarnation)
        keep_device(connection, HOSPITAL_DEFAULT, registered)
        taken = take_in(connection, Chain(HOSPITAL_DEFAULT, device, last.incarnation, place), links, at)
        assert not taken.quarantined
        move_head(connection, HOSPITAL_DEFAULT, device, Head(last.incarnation, last.seq, last.hash), at)
        note_frame(connection, HOSPITAL_DEFAULT, device, at, last.seq)


def _buy(store: Store, at: Instant) -> None:
    replenish(store, HOSPITAL_DEFAULT, at, policy="3x", run=f"replenish:{at}")
    with store.read() as connection:
        proposals = open_proposals(connection, HOSPITAL_DEFAULT)
    for proposal in proposals:
        approve(store, HOSPITAL_DEFAULT, proposal.id, staff_number("demo-buyer"), plus(at, 300))
