"""Ingest on a real SQLite: what is taken in, what is set aside, what is refused, and that the queue never blocks."""

import random
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import zstandard
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from central.core.facts import read_fact
from central.services.ingest import BUSY_MS, INBOX_MAX
from central.services.verify import verify
from central.store.tables.ledger import BELIEF, BINDING, DEVICE, EVENT, LEDGER, LEDGER_LOSS, OPAQUE_SCHEMA, QUARANTINE
from protocols.entry import GENESIS, chain, decode_entry, encode_entry
from protocols.sync.codec import seal, unpack_entries, unseal
from protocols.sync.frames import (
    FRAME_ENTRIES_MAX,
    NOTHING,
    UNPACKED_BYTES_MAX,
    Ack,
    Branch,
    Facts,
    Fork,
    Frame,
    Head,
    Hello,
    Nack,
    NewInc,
    Pull,
    Refused,
    Welcome,
    Why,
)
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId, PlaceId, incarnation
from protocols.values.quantity import LINE_QTY_MAX
from tests.central.services.parties import (
    CHAIN,
    OPEN,
    WARD,
    Central,
    Device,
    a_central,
    any_entry,
    entry,
    issue,
    line,
    observe,
    opening,
)


def live(central: Central) -> Device:
    device = Device(central)
    assert isinstance(device.greet(), Welcome)
    return device


def rows(central: Central, table: Any) -> list[Any]:  # noqa: ANN401 # rows of any table
    with central.store.read() as connection:
        return list(connection.execute(select(table)))


def test_entries_become_ledger_rows_events_lines_and_balances() -> None:
    central = a_central()
    device = live(central)
    device.write(opening(1, qty=10), issue(2, qty=3))
    (ack,) = device.say(device.frame(0, 2))
    assert ack == Ack(1, device.chained[-1].hash, NOTHING, ())
    assert central.balance() == {("ward-01", "A1"): 7, ("opening@ward-01", "A1"): -10, ("issued@ward-01", "A1"): 3}
    assert [row.kind for row in rows(central, EVENT)] == ["opening", "issue"]
    assert central.places == [frozenset({PlaceId("ward-01")})]
    assert verify(central.store).ok


def test_a_frame_said_twice_is_committed_once_and_acknowledged_twice() -> None:
    central = a_central()
    device = live(central)
    device.write(opening(1), issue(2))
    first = device.say(device.frame(0, 2))
    assert device.say(device.frame(0, 2)) == first
    assert device.say(device.frame(0, 1)) == first
    assert central.balance()["ward-01", "A1"] == 9


def test_a_frame_that_overlaps_what_is_known_adds_only_what_is_new() -> None:
    central = a_central()
    device = live(central)
    device.write(*(issue(n) for n in range(5)))
    device.say(device.frame(0, 3))
    (ack,) = device.say(device.frame(1, 5))
    assert isinstance(ack, Ack)
    assert ack.seq == 4
    assert [seq for seq, _ in central.raws()] == [0, 1, 2, 3, 4]


def test_beliefs_and_bindings_stand_as_last_said() -> None:
    central = a_central()
    device = live(central)
    bound = {
        "epc": "E2000001",
        "item": "A1",
        "gtin": "06901234567892",
        "lot": "L1",
        "serial": "7",
        "expiry": "2027-01-01",
    }
    device.write(entry("bind_tag", {"bindings": [bound]}, 1), observe(2, p=0.9), observe(3, p=0.02))
    device.say(device.frame(0, 3))
    (belief,) = rows(central, BELIEF)
    assert (belief.device, belief.place, belief.epc, belief.p, belief.model) == (
        WARD,
        WARD,
        "E2000001",
        0.02,
        "window-1",
    )
    assert belief.event_id == device.chained[2].entry.event_id
    (binding,) = rows(central, BINDING)
    assert (binding.item, binding.gtin, binding.lot, binding.serial) == ("A1", "06901234567892", "L1", "7")


def test_the_same_event_in_another_place_of_a_chain_is_posted_once() -> None:
    central = a_central()
    device = live(central)
    device.write(opening(1), opening(1), issue(2))
    device.say(device.frame(0, 3))
    assert central.balance()["ward-01", "A1"] == 9
    assert len(rows(central, EVENT)) == 2
    assert len(rows(central, LEDGER)) == 3
    assert central.quarantine() == {}
    assert verify(central.store).ok


def test_the_same_event_id_with_another_content_is_kept_and_set_aside() -> None:
    central = a_central()
    device = live(central)
    device.write(opening(1, qty=10), replace(opening(1, qty=99)), issue(2))
    (ack,) = device.say(device.frame(0, 3))
    assert isinstance(ack, Ack)
    assert (ack.seq, ack.quarantined) == (2, (1,))
    assert central.balance()["ward-01", "A1"] == 9
    assert "another content" in central.quarantine()[1]
    assert verify(central.store).ok


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (entry("from_the_future", {"x": 1}, 5), "kinds of the table"),
        (entry("issue", {"lines": []}, 5), "posting lines"),
        (entry("issue", b"not json", 5), "JSON map"),
        (entry("issue", {"lines": [line("A1", "patient@ward-01", "ward-01")]}, 5), "expected to go from"),
        (entry("observe", {"epc": "E2", "p": 0.5, "model": "m", "since": 1}, 5), "EPC"),
        (entry("observe", {"epc": "E2000001", "p": 7, "model": "m", "since": 1}, 5), "probability"),
        (entry("visit", {}, 5, clock=2**63), "hybrid clock"),
        (entry("issue", {"lines": [line("A1", "ward-01", "issued@ward-01")], "occurred_at": 2**62 + 1}, 5), "9998"),
    ],
)
def test_what_cannot_be_posted_is_kept_with_its_bytes_and_what_is_behind_it_goes_on(bad: Any, says: str) -> None:  # noqa: ANN401 # an Entry
    central = a_central()
    device = live(central)
    device.write(opening(1), bad, issue(9))
    (ack,) = device.say(device.frame(0, 3))
    assert isinstance(ack, Ack)
    assert (ack.seq, ack.quarantined) == (2, (1,))
    assert says in central.quarantine()[1]
    (kept,) = rows(central, QUARANTINE)
    assert decode_entry(kept.raw) == bad
    assert central.balance()["ward-01", "A1"] == 9
    assert verify(central.store).ok


def test_bytes_that_are_no_entry_are_kept_when_their_chain_holds() -> None:
    central = a_central()
    device = live(central)
    good = encode_entry(opening(1))
    (ack,) = device.say(device.raw_frame(0, GENESIS, [b"\xc1 no entry", good, b""]))
    assert isinstance(ack, Ack)
    assert (ack.seq, ack.quarantined) == (2, (0, 2))
    assert [row.body for row in rows(central, LEDGER) if row.schema == OPAQUE_SCHEMA] == [b"\xc1 no entry", b""]
    assert central.balance()["ward-01", "A1"] == 10
    assert verify(central.store).ok


def test_our_own_bug_in_posting_one_entry_sets_aside_that_one_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy(said: Any) -> Any:  # noqa: ANN401 # an Entry, a Fact
        if said.mono == 2:
            raise ZeroDivisionError("ours")
        return read_fact(said)

    monkeypatch.setattr("central.store.ledger.read_fact", buggy)
    central = a_central()
    device = live(central)
    device.write(opening(1), issue(2), issue(3))
    (ack,) = device.say(device.frame(0, 3))
    assert isinstance(ack, Ack)
    assert ack.quarantined == (1,)
    assert central.quarantine() == {1: "bug: ZeroDivisionError: ours"}
    assert central.balance()["ward-01", "A1"] == 9


def test_a_line_the_database_refuses_sets_aside_that_entry_only() -> None:
    central = a_central()
    with central.store.write() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER t BEFORE INSERT ON posting_line WHEN NEW.qty = 7 "
                "BEGIN SELECT RAISE(ABORT, 'seven'); END"
            )
        )
    device = live(central)
    device.write(opening(1), issue(2, qty=7), issue(3, qty=2))
    (ack,) = device.say(device.frame(0, 3))
    assert isinstance(ack, Ack)
    assert ack.quarantined == (1,)
    assert "seven" in central.quarantine()[1]
    assert central.balance()["ward-01", "A1"] == 8
    assert verify(central.store).ok


def test_a_quantity_no_storeroom_holds_is_set_aside() -> None:
    central = a_central()
    device = live(central)
    device.write(*(opening(number, qty=qty) for number, qty in enumerate((LINE_QTY_MAX, LINE_QTY_MAX + 1, 2**53 - 1))))
    for seq in range(3):
        device.say(device.frame(seq, seq + 1))
    assert list(central.quarantine()) == [1, 2]
    assert central.balance()["ward-01", "A1"] == LINE_QTY_MAX
    assert verify(central.store).ok


def test_a_full_disk_acknowledges_nothing_and_loses_nothing() -> None:
    central = a_central()
    device = live(central)
    device.write(opening(1))
    full = True

    @event.listens_for(central.store.engine, "before_cursor_execute")
    def _fail(*details: Any) -> None:  # noqa: ANN401 # SQLAlchemy's hook
        if full and "INSERT INTO posting_line" in details[2]:
            raise OperationalError(details[2], None, Exception("database or disk is full"))

    with pytest.raises(OperationalError):
        device.say(device.frame(0, 1))
    assert central.raws() == []
    full = False
    (ack,) = device.say(device.frame(0, 1))
    assert isinstance(ack, Ack)


def test_a_hole_is_named_and_nothing_of_the_frame_is_kept() -> None:
    central = a_central()
    device = live(central)
    device.write(*(issue(n) for n in range(4)))
    (nack,) = device.say(device.frame(2, 4))
    assert nack == Nack(Why.GAP, 2, 0, 0, "")
    assert central.raws() == []


def test_a_central_with_a_full_inbox_says_busy_and_takes_the_frame_when_it_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("central.services.ingest.BUSY_FROM", 1)
    central = a_central()
    device = live(central)
    device.write(issue(1), issue(2))
    said: list[bytes] = []
    for from_seq in (0, 1):
        data = seal(device.envelope, device.frame(from_seq, from_seq + 1), OPEN)
        central.ingest.arrive(Topics(central.hospital, 0, WARD).up, data, lambda _topic, reply: said.append(reply))
    while central.ingest.step(0):
        pass
    busy, gap = (unseal(reply, OPEN)[1] for reply in said)
    assert isinstance(busy, Nack)
    assert (busy.reason, busy.from_seq, busy.need, busy.retry_after_ms) == (Why.BUSY, 0, 0, BUSY_MS + 1)
    assert gap == Nack(Why.GAP, 1, 0, 0, "")
    assert device.say(device.frame(0, 2)) == [Ack(1, device.chained[1].hash, -1, ())]


def test_a_frame_of_too_many_entries_is_answered_as_too_large() -> None:
    central = a_central()
    device = live(central)
    device.write(*(issue(number) for number in range(1, 4)))
    frame = device.frame(0, 3)
    (nack,) = device.say(msgspec.structs.replace(frame, n=FRAME_ENTRIES_MAX + 1))
    assert isinstance(nack, Nack)
    assert (nack.reason, nack.need) == (Why.TOO_LARGE, 0)
    bomb = zstandard.ZstdCompressor().compress(bytes(UNPACKED_BYTES_MAX + 1))
    (nack,) = device.say(msgspec.structs.replace(frame, entries=bomb))
    assert isinstance(nack, Nack)
    assert nack.reason is Why.TOO_LARGE


def test_a_frame_packed_by_words_of_a_later_version_is_answered_as_schema() -> None:
    central = a_central()
    device = live(central)
    device.write(issue(1))
    samples: list[Any] = [b"%d words of another day %d" % (number, number * 7) for number in range(900)]
    words = zstandard.train_dictionary(400, samples, dict_id=32_900)
    packed = zstandard.ZstdCompressor(dict_data=words).compress(msgspec.msgpack.encode((b"words of another day",)))
    (nack,) = device.say(msgspec.structs.replace(device.frame(0, 1), entries=packed))
    assert isinstance(nack, Nack)
    assert nack.reason is Why.SCHEMA
    assert "update central" in nack.detail


def test_an_entry_of_a_later_schema_is_kept_and_set_aside_and_the_queue_goes_on() -> None:
    central = a_central()
    device = live(central)
    device.write(opening(1), replace(issue(2), schema=2), issue(3))
    (ack,) = device.say(device.frame(0, 3))
    assert isinstance(ack, Ack)
    assert (ack.seq, ack.quarantined) == (2, (1,))
    assert "update central" in central.quarantine()[1]
    assert len(central.raws()) == 3
    assert central.balance()["ward-01", "A1"] == 9


def test_a_frame_whose_chain_does_not_hold_is_refused() -> None:
    central = a_central()
    device = live(central)
    device.write(issue(1), issue(2))
    frame = device.frame(0, 2)
    (nack,) = device.say(Frame(0, 2, frame.prev_hash, b"x" * 16, frame.entries))
    assert isinstance(nack, Nack)
    assert (nack.reason, nack.need) == (Why.CHAIN, 0)
    (nack,) = device.say(Frame(0, 2, frame.prev_hash, frame.last_half, b"noise"))
    assert isinstance(nack, Nack)
    assert nack.reason is Why.CHAIN
    assert central.raws() == []


def test_a_frame_behind_another_history_is_a_fork() -> None:
    central = a_central()
    device = live(central)
    device.write(issue(1), issue(2))
    device.say(device.frame(0, 2))
    other = Device(central)
    other.envelope = device.envelope
    other.write(issue(1), issue(7), issue(8))
    for frame in (other.frame(2, 3), other.frame(1, 3)):
        (nack,) = other.say(frame)
        assert isinstance(nack, Nack)
        assert nack.reason is Why.FORK
    assert len(central.raws()) == 2


def test_a_disk_put_back_from_an_older_copy_is_told_what_central_holds() -> None:
    central = a_central()
    device = live(central)
    device.write(issue(1), issue(2), issue(3))
    device.say(device.frame(0, 3))
    copy = Device(central, nonce=b"m" * 16)
    copy.write(issue(1), issue(2))
    answer = copy.greet()
    assert isinstance(answer, Welcome)
    assert answer.heads == (Head(CHAIN, 2, device.chained[2].hash),)
    assert rows(central, DEVICE)[0].status == "live"


@pytest.mark.parametrize("numbers", [(1, 7), (1, 7, 8)])
def test_a_copy_that_went_its_own_way_goes_on_in_a_new_chain_and_is_taken(
    numbers: tuple[int, ...],
) -> None:
    central = a_central()
    device = live(central)
    device.write(issue(1), issue(2), issue(3))
    device.say(device.frame(0, 3))
    copy = Device(central, nonce=b"m" * 16)
    copy.write(*(issue(number) for number in numbers))
    assert isinstance(copy.greet(), Welcome)
    asked = Fork(1, tuple(Head(CHAIN, each.seq, each.hash) for each in reversed(copy.chained)))
    (granted,) = copy.say(asked)
    assert copy.say(asked) == [granted]
    assert isinstance(granted, NewInc)
    assert granted.behind == Head(CHAIN, 0, device.chained[0].hash)
    parent = Branch(CHAIN, 0, granted.behind.hash, 0)
    born = Device(central, chain_id=incarnation(granted.incarnation), nonce=b"m" * 16)
    born.envelope = replace(copy.envelope, incarnation=born.chain_id)
    born.chained = chain(
        WARD,
        born.chain_id,
        from_seq=0,
        prev_hash=device.chained[0].hash,
        entries=[issue(number) for number in numbers[1:]],
    )
    hello = Hello(
        2, "", 1, 1, (parent, Branch(born.chain_id, NOTHING, GENESIS, NOTHING, CHAIN, 0)), 0, 0, b"", {}, 0, 0
    )
    (answer,) = born.say(hello)
    assert isinstance(answer, Welcome)
    assert answer.heads == (granted.behind, Head(born.chain_id, NOTHING, GENESIS))
    (ack,) = born.say(born.frame(0, len(born.chained)))
    assert isinstance(ack, Ack)
    assert len(rows(central, EVENT)) == 3 + len(numbers) - 1
    assert verify(central.store).ok
    (lost,) = rows(central, LEDGER_LOSS)
    assert (lost.kind, lost.first_seq, lost.last_seq) == ("device", 1, 2)
    assert answer.facts == 2
    (facts,) = born.say(Pull(0))
    assert isinstance(facts, Facts)
    assert [raw.partition(b"\0")[2] for raw in unpack_entries(facts.entries)] == [
        encode_entry(each.entry) for each in device.chained[1:]
    ]


def test_a_question_for_facts_that_are_not_is_answered_and_costs_no_session() -> None:
    central = a_central()
    device = live(central)
    device.write(issue(1))
    assert device.say(Pull(0)) == [Facts(0, 0, 0, b"", 0, b"")]
    assert isinstance(device.say(device.frame(0, 1))[0], Ack)


def test_a_question_from_a_version_that_central_never_had_is_sent_to_greet() -> None:
    device = live(a_central())
    (answer,) = device.say(Pull(4))
    assert isinstance(answer, Nack)
    assert answer.reason is Why.SESSION


def test_a_hello_of_the_running_session_that_comes_late_is_no_dispute() -> None:
    central = a_central()
    device = live(central)
    device.write(issue(1), issue(2))
    device.say(device.frame(0, 2))
    late = Device(central)
    late.envelope = device.envelope
    late.write(issue(1))
    assert isinstance(late.greet(number=2), Welcome)
    assert rows(central, DEVICE)[0].status == "live"


def test_a_device_cannot_choose_centrals_generation() -> None:
    central = a_central()
    device = live(central)
    own = device.envelope
    device.envelope = replace(own, generation=2**53 - 1)
    answer = device.greet(acked=41, number=2)
    assert isinstance(answer, Refused)
    assert "generation" in answer.reason
    device.envelope = own
    assert isinstance(device.greet(number=3), Welcome)


def test_a_stale_frame_is_answered_at_most_once_a_second() -> None:
    central = a_central()
    device = live(central)
    device.write(issue(1))
    stale = replace(device.envelope, token=b"x" * 16)
    (nack,) = device.say(device.frame(0, 1), stale)
    assert isinstance(nack, Nack)
    assert nack.reason is Why.SESSION
    assert device.say(device.frame(0, 1), stale) == []
    central.clock.at = 1.1
    assert len(device.say(device.frame(0, 1), stale)) == 1
    assert central.raws() == []


def test_the_token_stays_for_one_boot_and_is_renewed_for_the_next() -> None:
    central = a_central()
    device = live(central)
    token = device.envelope.token
    device.greet(number=2)
    assert device.envelope.token == token
    device.envelope = replace(device.envelope, boot_nonce=b"m" * 16, token=b"")
    device.greet()
    assert device.envelope.token not in {token, b""}


def test_a_device_nobody_enrolled_is_told_what_to_do() -> None:
    central = a_central()
    stranger = Device(central, DeviceId("ward-77"))
    answer = stranger.greet()
    assert isinstance(answer, Refused)
    assert "places.csv" in answer.reason


def test_a_new_disk_of_a_device_is_taken_and_what_the_old_one_held_is_told_to_it() -> None:
    central = a_central()
    device = live(central)
    device.write(opening(1), issue(2))
    device.say(device.frame(0, 2))
    second = Device(central, chain_id=incarnation(b"j" * 16), nonce=b"m" * 16)
    answer = second.greet()
    assert isinstance(answer, Welcome)
    assert answer.facts == 2
    second.write(issue(3))
    assert isinstance(second.say(second.frame(0, 1))[0], Ack)
    (lost,) = rows(central, LEDGER_LOSS)
    assert (lost.kind, lost.incarnation, lost.first_seq, lost.last_seq) == ("device", CHAIN, 0, 1)
    assert central.balance()["ward-01", "A1"] == 8


def test_two_machines_that_speak_by_turns_are_a_suspected_clone_and_both_are_heard() -> None:
    central = a_central()
    one, other = Device(central), Device(central, nonce=b"m" * 16)
    for number in range(1, 7):
        central.clock.at += 30
        assert isinstance((one if number % 2 else other).greet(number=number), Welcome)
    (kept,) = rows(central, DEVICE)
    assert kept.status == "disputed"
    assert "two machines speak as ward-01" in kept.reason
    other.write(opening(1))
    assert isinstance(other.say(other.frame(0, 1))[0], Ack)


def test_a_ledger_of_another_device_is_refused() -> None:
    central = a_central()
    live(central).write(opening(1))
    device = Device(central)
    device.greet(number=2)
    device.write(opening(1))
    device.say(device.frame(0, 1))
    central.enrol(DeviceId("ward-02"))
    thief = Device(central, DeviceId("ward-02"))
    answer = thief.greet()
    assert isinstance(answer, Refused)
    assert "is of device ward-01" in answer.reason


def test_a_central_that_lost_entries_says_so_and_believes_no_late_acknowledgement() -> None:
    central = a_central()
    device = live(central)
    before = device.envelope.generation
    assert isinstance(device.greet(acked=41, number=2), Welcome)
    assert device.envelope.generation == before + 1
    (loss,) = rows(central, LEDGER_LOSS)
    assert (loss.kind, loss.first_seq, loss.last_seq) == ("central", 0, 41)


def test_a_message_on_another_devices_topic_is_dropped_and_counted() -> None:
    central = a_central()
    device = live(central)
    device.write(opening(1))
    assert central.hear(seal(device.envelope, device.frame(0, 1), OPEN), DeviceId("ward-02")) == []
    assert central.ingest.counts.refused_bytes == 1


@pytest.mark.parametrize("noise", [b"", b"x", b"\x99" * 40, bytes(300_000)])
def test_noise_is_counted_and_nothing_more(noise: bytes) -> None:
    central = a_central()
    assert central.hear(noise) == []
    assert central.ingest.counts.refused_bytes == 1


def test_one_device_whose_row_is_spoiled_does_not_hold_the_others_up() -> None:
    central = a_central()
    device = live(central)
    central.enrol(DeviceId("ward-02"))
    other = Device(central, DeviceId("ward-02"), incarnation(b"j" * 16))
    other.greet()
    with central.store.write() as connection:
        connection.execute(text("UPDATE device SET generation = 0 WHERE device = 'ward-02'"))
    device.write(opening(1))
    other.write(opening(2, "ward-02"))
    said: list[bytes] = []
    for each in (other, device):
        data = seal(each.envelope, each.frame(0, 1), OPEN)
        central.ingest.arrive(
            Topics(central.hospital, 0, each.device).up, data, lambda _topic, reply: said.append(reply)
        )
    assert central.ingest.step(0)
    assert len(said) == 1
    assert central.ingest.counts.faults == 1
    assert central.balance()["ward-01", "A1"] == 10


def test_a_full_inbox_drops_what_comes_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    central = a_central()
    for _ in range(INBOX_MAX + 5):
        central.ingest.arrive("ws/1/main/0/ward-01/up", b"x", lambda _topic, _data: None)
    assert central.ingest.counts.dropped == 5
    assert len(caplog.records) == 1


def test_two_hospitals_in_one_store_know_nothing_of_each_other() -> None:
    first = a_central("north")
    second = a_central("south", first.store)
    for central in (first, second):
        device = live(central)
        device.write(opening(1), issue(2))
        device.say(device.frame(0, 2))
    assert first.balance() == second.balance()
    assert first.balance()["ward-01", "A1"] == 9
    assert verify(first.store).ok


def test_a_thousand_entries_in_frames_of_any_size_arrive_in_order() -> None:
    central = a_central()
    device = live(central)
    chance = random.Random(7)
    device.write(*(any_entry(chance, n) for n in range(1_000)))
    at = 0
    while at < 1_000:
        until = min(1_000, at + chance.randint(1, 300))
        device.say(device.frame(at, until))
        at = until
    assert central.raws() == [(c.seq, c.entry.event_id) for c in device.chained]
    assert verify(central.store).ok
