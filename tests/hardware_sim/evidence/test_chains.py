"""The checker's own reading of a chain: it agrees with the one definition, and finds any change."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hardware_sim.evidence.chains import OPAQUE, Chain, Entry, fault_in
from protocols.entry import GENESIS, ChainedEntry, ClockQuality, chain
from protocols.entry import Entry as Said
from protocols.values.hlc import Hlc
from protocols.values.ids import ActorId, BootId, DeviceId, Incarnation, make_event_id
from protocols.values.instant import Instant

WARD, BORN = DeviceId("ward-01"), Incarnation(bytes(range(16)))

SAID = st.builds(
    Said,
    event_id=st.builds(make_event_id, st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10)),
    hlc=st.builds(Hlc, st.integers(0, 2**63 - 1)),
    wall=st.builds(Instant, st.integers(-(2**63), 2**63 - 1)),
    mono=st.integers(0, 2**63 - 1),
    boot_id=st.builds(BootId, st.binary(min_size=16, max_size=16)),
    clock_quality=st.sampled_from(ClockQuality),
    kind=st.sampled_from(["issue", "observe", "visit", "k" * 32]),
    schema=st.integers(1, 0xFFFF),
    body=st.binary(max_size=300),
    actor=st.builds(ActorId, st.sampled_from(["", "N0101", "N" * 64])),
)


def row(one: ChainedEntry) -> Entry:
    said = one.entry
    return Entry(
        one.incarnation, one.seq, said.event_id, one.device, said.hlc, said.wall, said.mono, said.boot_id,
        int(said.clock_quality), said.kind, said.schema, said.body, said.actor,
        one.content_hash, one.prev_hash, one.hash,
    )  # fmt: skip


def rows(said: list[Said]) -> tuple[Entry, ...]:
    return tuple(map(row, chain(WARD, BORN, from_seq=0, prev_hash=GENESIS, entries=said)))


@given(st.lists(SAID, min_size=1, max_size=5))
def test_a_chain_made_by_the_definition_holds(said: list[Said]) -> None:
    assert fault_in(Chain(WARD, BORN, rows(said))) == ""


@given(st.lists(SAID, min_size=2, max_size=4), st.data())
def test_any_change_of_any_column_is_found(said: list[Said], data: st.DataObject) -> None:
    entries = list(rows(said))
    at = data.draw(st.integers(0, len(entries) - 1))
    column = data.draw(
        st.sampled_from([name for name in Entry.__slots__ if name not in {"incarnation", "received_at"}])
    )
    value = getattr(entries[at], column)
    other = value + 1 if isinstance(value, int) else value + ("x" if isinstance(value, str) else b"x")
    change: dict[str, Any] = {column: other}
    entries[at] = replace(entries[at], **change)
    assert f"entry {at}: " in fault_in(Chain(WARD, BORN, tuple(entries)))


@given(st.lists(SAID, min_size=3, max_size=4), st.integers(0, 1))
def test_an_entry_left_out_is_found(said: list[Said], gone: int) -> None:
    entries = rows(said)
    assert f"entry {gone}: " in fault_in(Chain(WARD, BORN, entries[:gone] + entries[gone + 1 :]))


def test_an_entry_that_central_could_not_read_is_hashed_by_its_bytes() -> None:
    opaque = Entry(BORN, 0, b"", WARD, 0, 0, 0, b"", 0, "", OPAQUE, b"\x93\x01\x02\x03", "", b"", b"", b"")
    assert opaque.raw() == b"\x93\x01\x02\x03"
