"""The rows a judge reads, each field named as its column in docs/databases.md, and both kinds of file as values.

The rule that must not be broken: a file is read and closed before anything is judged, so that a judge cannot ask twice
and get two answers.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hardware_sim.evidence.book import Key
from hardware_sim.evidence.chains import Chain, Entry, central_chains, edge_chains
from hardware_sim.evidence.databases import HOSPITAL, Database, opened


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """`balance`, both kinds of file."""

    place: str
    position: str
    item: str
    lot: str
    owner: str
    unit: str
    qty: int


@dataclass(frozen=True, slots=True)
class BindingRow:
    """`binding`, both kinds of file."""

    epc: str
    item: str
    gtin: str
    lot: str
    serial: str
    expiry: str


@dataclass(frozen=True, slots=True)
class EdgeBeliefRow:
    """`belief` of an edge."""

    epc: str
    p: float
    model: str
    since: int
    event_id: bytes


@dataclass(frozen=True, slots=True)
class CustodyRow:
    """`custody` of an edge."""

    unit: str
    place: str
    event_id: bytes


@dataclass(frozen=True, slots=True)
class EdgeFile:
    """One edge's ledger.db; `acked` by incarnation."""

    chains: tuple[Chain, ...]
    acked: Mapping[bytes, int]
    balances: Mapping[Key, int]
    custody: tuple[CustodyRow, ...]
    beliefs: tuple[EdgeBeliefRow, ...]
    bindings: tuple[BindingRow, ...]

    @property
    def entries(self) -> list[Entry]:
        """Return every entry, chain after chain."""
        return [entry for chain in self.chains for entry in chain.entries]


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """`device`: `place` is the storeroom it watches."""

    device: str
    place: str


@dataclass(frozen=True, slots=True)
class HeadRow:
    """`incarnation` of central."""

    incarnation: bytes
    device: str
    head_seq: int
    head_hash: bytes


@dataclass(frozen=True, slots=True)
class EventRow:
    """`event`."""

    event_id: bytes
    content_hash: bytes
    device: str
    incarnation: bytes
    seq: int
    kind: str
    at: int
    actor: str


@dataclass(frozen=True, slots=True)
class PostingRow:
    """`posting_line`."""

    event_id: bytes
    line_no: int
    item: str
    lot: str
    owner: str
    unit: str
    qty: int
    source: str
    target: str
    source_position: str
    target_position: str
    at: int


@dataclass(frozen=True, slots=True)
class BeliefRow:
    """`belief` of central."""

    device: str
    epc: str
    place: str
    p: float
    model: str
    since: int
    event_id: bytes
    at: int


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """`quarantine`."""

    incarnation: bytes
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class MatchRow:
    """`storeroom_match`: what central says of a storeroom."""

    place: str
    lines: int
    lines_right: int
    book: int
    differing: int
    unobserved: int


@dataclass(frozen=True, slots=True)
class DiscrepancyRow:
    """`discrepancy`."""

    kind: str
    device: str
    place: str
    item: str
    lot: str
    unit: str
    opened_at: int
    found_at: int
    found_event_id: bytes
    status: str


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """`proposal`; `reason` is JSON text, `price` in 1e-4 yuan."""

    proposal: str
    place: str
    item: str
    source: str
    qty: int
    price: int
    reason: str
    policy: str
    status: str
    renewed_at: int
    order_no: str


@dataclass(frozen=True, slots=True)
class OrderRow:
    """`purchase_order`."""

    order_no: str
    supplier: str
    place: str
    created_at: int
    approved_by: str


@dataclass(frozen=True, slots=True)
class OrderLineRow:
    """`order_line`; `reason` is JSON text, `price` in 1e-4 yuan."""

    order_no: str
    line_no: int
    item: str
    qty: int
    price: int
    proposal: str
    reason: str


@dataclass(frozen=True, slots=True)
class TermsRow:
    """`item_supplier`: `price` in 1e-4 yuan a base unit, `pack` and `moq` in base units."""

    item: str
    supplier: str
    rank: int
    price: int
    pack: int
    moq: int
    lead_days: int


@dataclass(frozen=True, slots=True)
class UseRow:
    """`use_day`; `day` as ISO date."""

    place: str
    item: str
    day: str
    qty: int


@dataclass(frozen=True, slots=True)
class StoreroomRow:
    """`place`."""

    place: str
    level: int


@dataclass(frozen=True, slots=True)
class CentralFile:
    """Central's database; `postings` in order of line by event id."""

    chains: tuple[Chain, ...]
    heads: tuple[HeadRow, ...]
    devices: tuple[DeviceRow, ...]
    events: Mapping[bytes, EventRow]
    postings: Mapping[bytes, list[PostingRow]]
    balances: Mapping[Key, int]
    beliefs: tuple[BeliefRow, ...]
    bindings: tuple[BindingRow, ...]
    quarantine: tuple[QuarantineRow, ...]
    matches: tuple[MatchRow, ...]
    discrepancies: tuple[DiscrepancyRow, ...]
    proposals: tuple[ProposalRow, ...]
    orders: tuple[OrderRow, ...]
    order_lines: tuple[OrderLineRow, ...]
    terms: tuple[TermsRow, ...]
    use: tuple[UseRow, ...]
    storerooms: tuple[StoreroomRow, ...]

    @property
    def entries(self) -> list[Entry]:
        """Return every entry, chain after chain."""
        return [entry for chain in self.chains for entry in chain.entries]


def read_edge(path: Path) -> EdgeFile:
    """Read one edge's ledger. Raises `WrongUse`, `PartFailed`."""
    with opened(path) as database:
        return EdgeFile(
            chains=tuple(edge_chains(database)),
            acked=dict(database.rows("SELECT incarnation, acked FROM mark")),
            balances=_balances(database.each(BalanceRow, "balance")),
            custody=tuple(database.each(CustodyRow, "custody")),
            beliefs=tuple(database.each(EdgeBeliefRow, "belief")),
            bindings=tuple(database.each(BindingRow, "binding")),
        )


def read_central(path: Path) -> CentralFile:
    """Read central's database. Raises `WrongUse`, `PartFailed`."""
    with opened(path) as database:
        return CentralFile(
            chains=tuple(central_chains(database)),
            heads=tuple(database.ours(HeadRow, "incarnation")),
            devices=tuple(database.ours(DeviceRow, "device")),
            events={row.event_id: row for row in database.ours(EventRow, "event")},
            postings=_postings(database),
            balances=_balances(database.ours(BalanceRow, "balance")),
            beliefs=tuple(database.ours(BeliefRow, "belief")),
            bindings=tuple(database.ours(BindingRow, "binding")),
            quarantine=tuple(database.ours(QuarantineRow, "quarantine")),
            matches=tuple(database.ours(MatchRow, "storeroom_match")),
            discrepancies=tuple(database.ours(DiscrepancyRow, "discrepancy")),
            proposals=tuple(database.ours(ProposalRow, "proposal")),
            orders=tuple(database.ours(OrderRow, "purchase_order")),
            order_lines=tuple(database.ours(OrderLineRow, "order_line")),
            terms=tuple(database.ours(TermsRow, "item_supplier")),
            use=tuple(database.ours(UseRow, "use_day")),
            storerooms=tuple(database.ours(StoreroomRow, "place")),
        )


def _balances(rows: list[BalanceRow]) -> dict[Key, int]:
    return {Key(row.place, row.position, row.item, row.lot, row.owner, row.unit): row.qty for row in rows}


def _postings(database: Database) -> dict[bytes, list[PostingRow]]:
    found: defaultdict[bytes, list[PostingRow]] = defaultdict(list)
    for row in database.each(PostingRow, "posting_line", "WHERE hospital = ? ORDER BY event_id, line_no", HOSPITAL):
        found[row.event_id].append(row)
    return dict(found)
