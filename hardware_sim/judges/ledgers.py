"""Judges the ledgers: every chain holds, every edge's entry is one event at central, every balance is a fold.

The rule that must not be broken: an edge's file and central's are each judged on their own before they are compared, so
that two files that are wrong in the same way are still wrong.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hardware_sim.evidence.book import Bound, Line, bound_in, differing, fold, lines_of, nonzero_sums
from hardware_sim.evidence.case import Case
from hardware_sim.evidence.chains import Chain, Entry, fault_in
from hardware_sim.evidence.tables import BindingRow, CentralFile, EdgeFile, PostingRow


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """Entries of all edges; those central acknowledged; those it did not yet; those it lacks; events counted twice."""

    entries: int
    acked: int
    pending: int
    lost: int
    duplicates: int


def judge_ledgers(case: Case) -> tuple[LedgerFigures, list[str]]:
    """Return the figures of all ledgers and what is wrong with them."""
    edges, central = case.edges, case.central
    chains = [chain for edge in edges.values() for chain in edge.chains]
    lost = [entry for chain in chains for entry in chain.entries if entry.event_id not in central.events]
    twice = _twice(central)
    acked = sum(
        edge.acked.get(chain.incarnation, -1) - chain.before[0] for edge in edges.values() for chain in edge.chains
    )
    entries = sum(len(chain.entries) for chain in chains)
    problems = [f"{ward}: {wrong}" for ward, edge in edges.items() for wrong in _edge_faults(edge)]
    problems += [f"central: {wrong}" for wrong in _central_faults(central)]
    problems += [f"{chain.device}: {wrong}" for chain in chains for wrong in _compared(chain, central)]
    problems += [f"{entry.device} entry {entry.seq} ({entry.kind}) is no event at central" for entry in lost]
    problems += [f"central: event {event.hex()} is counted more than once" for event in sorted(twice)]
    if entries > acked:
        problems.append(f"{entries - acked} entries of edges are not acknowledged")
    return LedgerFigures(entries, acked, entries - acked, len(lost), len(twice)), problems


def _twice(central: CentralFile) -> set[bytes]:
    """Return the events that stand in the ledger more than once or are posted with more lines than they have."""
    entries = central.entries
    found = {event for event, count in Counter(entry.event_id for entry in entries).items() if count > 1}
    return found | {
        entry.event_id for entry in entries if len(central.postings.get(entry.event_id, ())) > len(lines_of(entry))
    }


# --- one edge ---


def _edge_faults(edge: EdgeFile) -> Iterator[str]:
    yield from filter(None, map(fault_in, edge.chains))
    for chain in edge.chains:
        acked, head = edge.acked.get(chain.incarnation, -1), chain.head[0]
        if acked > head:
            yield f"central acknowledged entry {acked}, the ledger ends at {head}"
    entries = edge.entries
    folded = fold(line for entry in entries for line in lines_of(entry))
    yield from differing(edge.balances, folded)
    yield from nonzero_sums(edge.balances)
    places = {line.unit: (line.target, entry.event_id) for entry in entries for line in lines_of(entry) if line.unit}
    yield from _table_faults("custody", {row.unit: (row.place, row.event_id) for row in edge.custody}, places)
    yield from _table_faults(
        "belief", {row.epc: (row.p, row.since, row.event_id) for row in edge.beliefs}, _beliefs(entries)
    )
    yield from _table_faults("binding", _bound(edge.bindings), _bindings(entries))


# --- central ---


def _central_faults(central: CentralFile) -> Iterator[str]:
    yield from filter(None, map(fault_in, central.chains))
    yield from _table_faults(
        "head",
        {
            row.incarnation.hex(): (row.device, row.head_seq, row.head_hash)
            for row in central.heads
            if row.head_seq >= 0
        },
        {chain.incarnation.hex(): (chain.device, *chain.head) for chain in central.chains},
    )
    yield from _event_faults(central)
    yield from _posting_faults(central)
    posted = fold(_line_of(row) for rows in central.postings.values() for row in rows)
    yield from differing(central.balances, posted)
    yield from nonzero_sums(central.balances)
    said = _in_time(central.entries)
    places = {row.device: row.place for row in central.devices}
    yield from _table_faults(
        "belief",
        {(row.device, row.epc): (row.place, row.p, row.since, row.event_id) for row in central.beliefs},
        {
            (entry.device, epc): (places.get(entry.device, ""), *belief)
            for entry in said
            for epc, belief in _beliefs([entry]).items()
        },
    )
    yield from _table_faults("binding", _bound(central.bindings), _bindings(said))
    for row in central.quarantine:
        yield f"entry {row.seq} of {row.incarnation.hex()} is in quarantine: {row.reason}"


def _event_faults(central: CentralFile) -> Iterator[str]:
    """Compare every event with the entry it was made from."""
    first = {entry.event_id: entry for entry in reversed(central.entries)}
    for event_id, row in central.events.items():
        entry = first.get(event_id)
        if entry is None:
            yield f"event {event_id.hex()} of {row.device} is in no ledger"
            continue
        said = (entry.content_hash, entry.device, entry.incarnation, entry.seq, entry.kind, entry.at, entry.actor)
        if said != (row.content_hash, row.device, row.incarnation, row.seq, row.kind, row.at, row.actor):
            yield f"event {event_id.hex()} of {row.device} is not what its entry says"
    for event_id in first.keys() - central.events.keys():
        yield f"{first[event_id].device} entry {first[event_id].seq} is in the ledger and is no event"


def _posting_faults(central: CentralFile) -> Iterator[str]:
    """Compare the posting lines of every event with its entry's body."""
    said = {entry.event_id: entry for entry in central.entries}
    for event_id in said.keys() | central.postings.keys():
        rows = central.postings.get(event_id, [])
        entry = said.get(event_id)
        wanted = [] if entry is None else [(*line, entry.at) for line in lines_of(entry)]
        if [(*_line_of(row), row.at) for row in rows] != wanted:
            where = "no entry" if entry is None else f"{entry.device} entry {entry.seq}"
            yield f"event {event_id.hex()} is posted with {len(rows)} lines that are not the {len(wanted)} of {where}"


def _compared(chain: Chain, central: CentralFile) -> Iterator[str]:
    """Compare an edge's chain with central's of the same incarnation."""
    theirs = {
        entry.seq: entry.hash
        for kept in central.chains
        if kept.incarnation == chain.incarnation
        for entry in kept.entries
    }
    ours = {entry.seq: entry.hash for entry in chain.entries}
    missing = sorted(ours.keys() - theirs.keys())
    if missing:
        yield f"entries {missing[0]}..{missing[-1]} ({len(missing)}) are not in central's ledger"
    if theirs.keys() - ours.keys():
        yield f"central has {len(theirs.keys() - ours.keys())} entries that the edge does not"
    other = [seq for seq in sorted(ours.keys() & theirs.keys()) if ours[seq] != theirs[seq]]
    if other:
        yield f"entry {other[0]} is another one at central ({len(other)} differ)"


# --- what entries say ---


def _line_of(row: PostingRow) -> Line:
    return Line(
        row.item,
        row.lot,
        row.owner,
        row.unit,
        row.qty,
        row.source,
        row.target,
        row.source_position,
        row.target_position,
    )


def _beliefs(entries: Iterable[Entry]) -> dict[object, tuple[object, ...]]:
    observed = ((entry, entry.said) for entry in entries if entry.kind == "observe")
    return {said.get("epc"): (said.get("p"), said.get("since"), entry.event_id) for entry, said in observed}


def _bindings(entries: Iterable[Entry]) -> dict[str, Bound]:
    return {epc: bound for entry in entries for epc, bound in bound_in(entry).items()}


def _bound(rows: Iterable[BindingRow]) -> dict[str, Bound]:
    return {row.epc: Bound(row.item, row.gtin, row.lot, row.serial, row.expiry) for row in rows}


def _in_time(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.received_at, entry.device, entry.seq))


def _table_faults(name: str, stored: Mapping[Any, object], said: Mapping[Any, object]) -> Iterator[str]:
    """Compare a table that is kept beside the ledger with what the entries say."""
    for key in sorted(stored.keys() | said.keys(), key=str):
        if stored.get(key) != said.get(key):
            yield f"{name} {key}: expected what the entries say, {said.get(key)}, found {stored.get(key)}"
