"""Versions of the feed: made when something changed and only then, signed, and told to who listens."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.core.rights import Grant, Role
from central.services.documents import Documents
from central.services.feed import answers as answering
from central.services.feed.answers import FeedAnswers
from central.services.feed.heads import heads_faults
from central.services.feed.keeper import FeedKeeper, Seals, Times
from central.services.imports import import_folder
from central.services.permits import Permits
from central.store.engine import Store
from central.store.feeds import VERSIONS_KEPT, Listener, checksums_of, version_at
from central.store.queries_people import add_person, change_person, set_grants
from central.store.tables.feed import DAILY_HEADS
from protocols.errors import PeerBroke
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.permits import Audit, Permit
from protocols.policy import HeadsText, PolicyText, SignedText, read_text, signed_bytes
from protocols.sync import feed as limits
from protocols.sync.feed import unpack_rows
from protocols.sync.frames import NOTHING, Delta, Fetch, Hint, Snapshot
from protocols.values.ids import ActorId, DeviceId, PlaceId
from protocols.values.instant import Instant, plus
from tests.central.hospital import FILES, GAUZE, HOSPITAL, KIT, START, Ward, frozen_clock, hospital, write_files
from tests.central.services.test_permits import AUDITOR, NURSING

DAY_S = 86_400
WARD, DEVICE = PlaceId("ward-01"), DeviceId("ward-01")


@dataclass
class Key:
    """A key of the test."""

    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    key_id: str = "policy-1"

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


@dataclass
class Feed:
    """A keeper under a clock that the test moves, and what it said."""

    store: Store
    now: Instant = START
    link_s: float = 0.0
    said: list[tuple[Listener, Hint]] = field(default_factory=list)
    policy: Key = field(default_factory=Key)

    def __post_init__(self) -> None:
        self.keeper = FeedKeeper(
            self.store,
            HOSPITAL,
            Times(lambda: self.now, lambda: self.link_s),
            Seals(self.policy, replace(self.policy, key_id="head-1")),
        )
        self.keeper.speak_by(self.say)

    def say(self, to: Listener, hint: Hint) -> None:
        self.said.append((to, hint))

    def versions(self) -> dict[str, int]:
        with self.store.read() as connection:
            scopes = ["global", "ward:ward-01", "device:ward-01"]
            return {scope: found[0] for scope, found in checksums_of(connection, HOSPITAL, scopes).items()}

    def rows(self, scope: str) -> dict[tuple[str, str], str]:
        with self.store.read() as connection:
            version = version_at(connection, HOSPITAL, scope, None)
        assert version is not None
        return {(row.kind, row.key): row.body or "" for row in unpack_rows(version.packed)}

    def policy_of(self) -> PolicyText:
        (body,) = (body for (kind, _), body in self.rows("device:ward-01").items() if kind == "policy")
        said = msgspec.json.decode(body, type=SignedText)
        self.policy.private.public_key().verify(bytes.fromhex(said.signature), signed_bytes(PolicyText, said.text))
        return read_text(PolicyText, said.text)


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(hospital(tmp_path))


def test_a_version_is_made_when_something_changed_and_only_then(feed: Feed, tmp_path: Path) -> None:
    assert feed.keeper.look() == 5  # the hospital, and ward and device of two wards
    assert feed.keeper.look() == 0
    assert feed.versions() == {"global": 0, "ward:ward-01": 0, "device:ward-01": 0}
    files = {**FILES, "items.csv": FILES["items.csv"].replace("Gauze swab", "Gauze")}
    import_folder(feed.store, HOSPITAL, write_files(tmp_path / "again", files), frozen_clock())
    assert feed.keeper.look() == 1
    assert feed.versions() == {"global": 1, "ward:ward-01": 0, "device:ward-01": 0}
    assert '"Gauze"' in feed.rows("global")["item", GAUZE]
    assert '"code":"06999990101016"' in feed.rows("global")["item", GAUZE]
    assert feed.rows("global")["lot", f"{KIT} K1"] == '{"expiry":"2027-06-01"}'
    assert ("lot", f"{KIT} K2") not in feed.rows("global")
    assert feed.rows("global")["place", "WARD02"] == '{"place":"ward-02"}'
    assert feed.rows("global")["policy", "duties"] == '{"daily_at":"07:00"}'


def test_no_price_and_no_name_of_a_person_goes_down(feed: Feed) -> None:
    with feed.store.write() as connection:
        add_person(connection, HOSPITAL, ActorId("1001"), "王护士", START)
        set_grants(connection, HOSPITAL, ActorId("1001"), [Grant(Role.NURSE, frozenset({WARD}))])
        add_person(connection, HOSPITAL, ActorId("1002"), "李库管", START)
        set_grants(connection, HOSPITAL, ActorId("1002"), [Grant(Role.STOREKEEPER)])
    feed.keeper.look()
    everything = str([feed.rows(scope) for scope in feed.versions()])
    assert "王" not in everything
    assert "price" not in everything
    assert feed.rows("global")["staff", "1001"] == '{"roles":["elsewhere"]}'
    assert feed.rows("ward:ward-01") == {("staff", "1001"): '{"roles":["nurse"]}'}
    assert feed.rows("ward:ward-02") == {}
    with feed.store.write() as connection:
        change_person(connection, HOSPITAL, ActorId("1002"), active=False)
    feed.keeper.look()
    assert feed.rows("global")["staff", "1002"] == '{"roles":["inactive"]}'


def test_e6_a_permit_goes_down_signed_and_its_lease_is_renewed_at_its_half(feed: Feed) -> None:
    permits = Permits(Documents(feed.store, HOSPITAL, frozen_clock()), feed.keeper.changed)
    feed.keeper.round()
    first = feed.policy_of()
    assert (first.permit, first.version, first.lease_until) == (Permit.NORMAL, 0, plus(START, 30 * DAY_S))
    for _ in range(2):
        permits.move(AUDITOR, "ward-01", Audit.FAILED, "shelves")
    permits.decide(NURSING, "ward-01", "confirmed")
    feed.keeper.round()
    closed = feed.policy_of()
    assert (closed.permit, closed.version, closed.why) == (Permit.SUSPENDED, 3, "shelves")
    feed.now = plus(START, 14 * DAY_S)
    feed.keeper.look()
    assert feed.policy_of() == closed
    feed.now = plus(START, 16 * DAY_S)
    feed.keeper.look()
    renewed = feed.policy_of()
    assert (renewed.permit, renewed.version) == (Permit.SUSPENDED, 3)
    assert renewed.lease_until == plus(feed.now, 30 * DAY_S)


def test_another_policy_key_signs_every_policy_anew(feed: Feed) -> None:
    feed.keeper.look()
    old = feed.policy_of()
    feed.policy.private = Ed25519PrivateKey.generate()
    with pytest.raises(InvalidSignature):
        feed.policy_of()
    feed.policy.key_id = "policy-2"
    feed.keeper.look()
    assert feed.policy_of().issued_at > old.issued_at


def test_devices_are_told_once_of_each_change(feed: Feed) -> None:
    feed.keeper.round()
    assert [to.device for to, _ in feed.said] == ["ward-01", "ward-02"]
    hint = feed.said[0][1]
    assert [(offer.scope, offer.version) for offer in hint.feeds] == [("global", 0), ("ward", 0), ("device", 0)]
    feed.link_s = 20.0
    feed.keeper.round()
    assert len(feed.said) == 2
    feed.keeper.round({WARD})
    assert len(feed.said) == 2  # touched, but no fact is new


def test_nobody_looks_more_often_than_it_is_worth(feed: Feed) -> None:
    feed.keeper.round()
    feed.keeper.look = lambda: pytest.fail("looked again at once")  # type: ignore[method-assign]
    feed.link_s = 4.0
    feed.keeper.round()


def test_the_heads_of_a_day_are_signed_told_and_prove_what_the_ledger_was(feed: Feed) -> None:
    ward = Ward(feed.store)
    ward.open(KIT, "K1", ["30340242201D8D4000000001"])
    feed.keeper.look()
    assert ("head", "2026-03-01") in feed.rows("global")
    feed.now = plus(START, DAY_S)
    feed.keeper.look()
    feed.keeper.look()
    assert ("head", "2026-03-02") in feed.rows("global")
    with feed.store.read() as connection:
        assert list(heads_faults(connection)) == []
        texts = [read_text(HeadsText, row.text) for row in connection.execute(DAILY_HEADS.select())]
    assert [text.day for text in texts] == ["2026-03-01", "2026-03-02"]
    with feed.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER ledger_no_update")
        connection.exec_driver_sql("UPDATE ledger SET hash = zeroblob(32) WHERE device = 'ward-01'")
    with feed.store.read() as connection:
        assert any("is not the one that was signed" in fault for fault in heads_faults(connection))


def ask(feed: Feed, fetch: Fetch, answers: FeedAnswers | None = None) -> Delta | Snapshot | None:
    with feed.store.write() as connection:
        return (answers or FeedAnswers()).answer(connection, HOSPITAL, DEVICE, WARD, fetch, START)


def test_a_device_gets_the_changes_from_what_it_holds_and_the_whole_otherwise(feed: Feed, tmp_path: Path) -> None:
    assert ask(feed, Fetch("global", NOTHING, b"", NOTHING, 0)) is None
    feed.keeper.look()
    whole = ask(feed, Fetch("global", NOTHING, b"", NOTHING, 0))
    assert isinstance(whole, Snapshot)
    files = {**FILES, "items.csv": FILES["items.csv"].replace("Gauze swab", "Gauze")}
    import_folder(feed.store, HOSPITAL, write_files(tmp_path / "again", files), frozen_clock())
    feed.keeper.look()
    held = Fetch("global", 0, whole.checksum, NOTHING, 0)
    changed = ask(feed, held)
    assert isinstance(changed, Delta)
    assert [(row.kind, row.key) for row in unpack_rows(changed.rows)] == [("item", GAUZE)]
    assert isinstance(ask(feed, Fetch("global", 0, b"\0" * 32, NOTHING, 0)), Snapshot)
    assert isinstance(ask(feed, Fetch("global", 9, whole.checksum, NOTHING, 0)), Snapshot)
    with pytest.raises(PeerBroke, match="expected one of global, ward, device"):
        ask(feed, Fetch("device:ward-02", NOTHING, b"", NOTHING, 0))


def test_changes_that_are_too_many_are_the_whole_version(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.keeper.look()
    whole = ask(feed, Fetch("global", NOTHING, b"", NOTHING, 0))
    assert isinstance(whole, Snapshot)
    with feed.store.write() as connection:
        add_person(connection, HOSPITAL, ActorId("1001"), "a", START)
    feed.keeper.look()
    monkeypatch.setattr(answering, "DELTA_ROWS_MAX", 0)
    assert isinstance(ask(feed, Fetch("global", 0, whole.checksum, NOTHING, 0)), Snapshot)


def test_only_the_last_versions_are_kept_and_a_number_is_never_given_twice(feed: Feed) -> None:
    for number in range(VERSIONS_KEPT + 3):
        with feed.store.write() as connection:
            add_person(connection, HOSPITAL, ActorId(f"1{number:03}"), "a", START)
        feed.keeper.look()
    with feed.store.read() as connection:
        assert version_at(connection, HOSPITAL, "global", 2) is None
        assert version_at(connection, HOSPITAL, "global", 3) is not None
    assert feed.versions()["global"] == VERSIONS_KEPT + 2


def test_rows_beyond_the_limits_leave_devices_with_what_they_have(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.keeper.look()
    monkeypatch.setattr(limits, "ROWS_MAX", 2)
    with feed.store.write() as connection:
        add_person(connection, HOSPITAL, ActorId("1001"), "a", START)
    assert feed.keeper.look() == 0
    assert feed.versions()["global"] == 0


def send(ward: Ward, lines: tuple[PostingLine, ...], at_s: float, *orders: str) -> None:
    ward.say("transfer_out", write_body(MovementBody(lines, refs=orders)), at_s, "N3001")


def test_a_delivery_note_goes_down_while_its_goods_are_on_the_way_and_is_taken_back_once_received(feed: Feed) -> None:
    order, number = "IR-20260302-ABCDEF12", "IR20260302ABCDEF12"
    store, ward = Ward(feed.store, "main-store"), Ward(feed.store, "ward-01")
    unit = "300000000000000000000001"
    store.open(KIT, "K1", [unit])
    loose = PostingLine(GAUZE, 50, "main-store", "transit@ward-01", lot="G1")
    piece = PostingLine(KIT, 1, "main-store", "transit@ward-01", lot="K1", unit=unit, source_position="S1")
    send(store, (loose,), 60, order)
    send(store, (piece,), 61, order)
    feed.keeper.look()
    rows = {key: json.loads(body) for (kind, key), body in feed.rows("ward:ward-01").items() if kind == "document"}
    (note,) = rows.values()
    assert list(rows) == [number]
    assert (note["sort"], note["order"], note["approved"]) == ("delivery", order, True)
    assert [(line["item"], line["qty"], line["source"], line["target"]) for line in note["lines"]] == [
        (GAUZE, 50, "transit@ward-01", "ward-01"), (KIT, 1, "transit@ward-01", "ward-01"),
    ]  # fmt: skip
    assert [bound["epc"] for bound in note["bindings"]] == [unit]
    assert not [key for kind, key in feed.rows("ward:ward-02") if kind == "document"]
    version = feed.versions()["ward:ward-01"]
    assert feed.keeper.look() == 0

    lines = tuple(PostingLine(**line) for line in note["lines"])
    ward.say("ward_receipt", write_body(MovementBody(lines, refs=(order, number))), 120, "N1001")
    feed.keeper.look()
    assert not [key for kind, key in feed.rows("ward:ward-01") if kind == "document"]
    assert feed.versions()["ward:ward-01"] == version + 1
