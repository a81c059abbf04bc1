"""What central sends is checked, taken in whole and obeyed: policies by key and lease, recalls at the next scan."""

import io
from dataclasses import dataclass, field

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.agent.feeding import Feeding
from edge_agent.agent.roster import Roster
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, Pen
from edge_agent.core.permits import standing_of
from edge_agent.store.catalogue import policy_of
from edge_agent.store.feed import held
from protocols.codes.label import make_badge
from protocols.permits import Permit
from protocols.policy import HeadsText, PolicyText, SignedText, signed_bytes, text_of
from protocols.readers.scanner import Beep
from protocols.sync.feed import Applied, FeedRow, Held, checksum_of, row_text
from protocols.values.hlc import Hlc
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import Instant, StoryTime, plus
from tests.edge_agent.conftest import START
from tests.edge_agent.desk import STENT, SYRINGE, SYRINGE_GTIN, Desk, loose, stent

DAY_S = 86_400
KEY, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
BADGE = make_badge(ActorId("1001"))


def proves(key_id: str, data: bytes, signature: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, data)
    except InvalidSignature:
        return False
    return key_id == "policy-1"


@dataclass
class Edge:
    """A storeroom that takes the feed in, and what it said."""

    desk: Desk = field(default_factory=Desk)
    log: io.StringIO = field(default_factory=io.StringIO)
    looks: list[str] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=lambda: {"global": 10, "ward": 0, "device": 0})

    def __post_init__(self) -> None:
        clock = Clock(StoryTime(START, 1.0, 0), monotonic_ns=lambda: 0)
        self.clock, voice = clock, Voice(clock, self.log)
        taken = lambda: self.looks.append("now")  # noqa: E731 # one line of a test
        self.feeding = Feeding(PlaceId("ward-01"), clock=clock, voice=voice, proves=proves, taken=taken)
        self.roster = Roster(PlaceId("ward-01"), clock=clock, voice=voice, claims=False)
        self.pen = Pen(clock, Hlc(0))

    def take(self, *rows: FeedRow, scope: str = "device", before: int | None = None, checksum: bytes = b"") -> bool:
        self.versions[scope] += 1
        applied = Applied(scope, self.versions[scope], checksum or checksum_of(rows), rows, before)
        return self.feeding.take(self.desk.ledger.connection, applied)

    def permit(self) -> tuple[Permit, str]:
        stands = standing_of(policy_of(self.desk.ledger.connection), self.desk.now)
        return stands.permit, stands.version


@pytest.fixture
def edge() -> Edge:
    made = Edge()
    made.desk.stock_stents(1, 2)
    made.desk.stock_loose(SYRINGE, "B1", 20)
    return made


def policy(
    permit: Permit = Permit.SUSPENDED,
    *,
    issued_at: Instant = START,
    place: str = "ward-01",
    key: Ed25519PrivateKey = KEY,
    key_id: str = "policy-1",
) -> FeedRow:
    text = text_of(
        PolicyText("main", place, 3, permit, START, issued_at, plus(issued_at, 30 * DAY_S), Permit.NORMAL, "shelves")
    )
    signature = key.sign(signed_bytes(PolicyText, text)).hex()
    return FeedRow("policy", "permit", row_text(msgspec.to_builtins(SignedText(text, key_id, signature))))


def test_e6_a_signed_policy_is_obeyed_and_a_take_is_recorded_with_its_version(edge: Edge) -> None:
    assert edge.take(policy())
    assert edge.permit() == (Permit.SUSPENDED, "3")
    assert edge.desk.scan(BADGE, stent(1)) == [Beep.OK, Beep.LOOK]
    (issued,) = edge.desk.bodies("issue")
    assert (issued["policy"], issued["flags"]) == ("3", ["suspended"])
    assert edge.looks == ["now"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (policy(key=STRANGER), "signature of the hospital's policy key"),
        (policy(key_id="sync-1"), "signature of the hospital's policy key"),
        (policy(place="ward-02"), "expected that of ward-01"),
        (FeedRow("policy", "permit", '{"version":"9","permit":"normal"}'), "expected a signed text"),
        (FeedRow("policy", "permit", '{"text":"{}","key":"","signature":"zz"}'), "expected a signed text"),
    ],
)
def test_a_policy_that_the_hospital_did_not_sign_for_this_storeroom_is_refused_whole(
    edge: Edge, row: FeedRow, why: str
) -> None:
    edge.take(policy())
    assert not edge.take(row, FeedRow("item", "NEW", "{}"))
    assert why in edge.log.getvalue()
    assert edge.permit() == (Permit.SUSPENDED, "3")
    assert held(edge.desk.ledger.connection)["device"].version == 1


def test_a_policy_is_not_taken_away_without_the_policy_key(edge: Edge) -> None:
    edge.take(policy())
    assert not edge.take()
    assert not edge.take(FeedRow("other", "row", "{}"))
    assert not edge.take(FeedRow("policy", "permit", None), before=1, checksum=checksum_of([]))
    assert edge.permit() == (Permit.SUSPENDED, "3")
    assert "got none in place of it" in edge.log.getvalue()
    edge.versions["device"] = 1
    assert edge.take(policy(Permit.WARNED), before=1)


def test_an_older_policy_said_again_is_refused_after_a_restart_too_and_one_issued_anew_is_taken(edge: Edge) -> None:
    edge.take(policy(issued_at=plus(START, 60)))
    again = Edge(edge.desk)  # what was taken is on the disk, nothing else is left
    again.versions = edge.versions
    assert not again.take(policy(Permit.NORMAL, issued_at=START))
    assert "expected one issued since" in again.log.getvalue()
    assert again.permit() == (Permit.SUSPENDED, "3")
    assert again.take(policy(Permit.SUSPENDED, issued_at=plus(START, 60)))
    assert again.take(policy(Permit.NORMAL, issued_at=plus(START, 61)))
    assert again.permit() == (Permit.NORMAL, "3")


def test_e6_a_lease_that_is_over_or_a_bad_clock_goes_to_what_the_policy_says_for_that(edge: Edge) -> None:
    edge.take(policy())
    for now, stale in ((plus(START, 30 * DAY_S - 1), False), (plus(START, 30 * DAY_S), True), (Instant(0), True)):
        stands = standing_of(policy_of(edge.desk.ledger.connection), now)
        assert (stands.permit is Permit.NORMAL, stands.stale, stands.version) == (stale, stale, "3")


def test_a_recalled_lot_is_refused_at_the_next_scan_and_held_at_the_next_look(edge: Edge) -> None:
    recall = [FeedRow("recall", f"{item} {lot}", row_text({"item": item, "lot": lot})) for item, lot in
              ((STENT, "S1"), (SYRINGE, "B1"))]  # fmt: skip
    assert edge.take(*recall, scope="ward")
    assert edge.desk.scan(BADGE, stent(1), loose(SYRINGE_GTIN, "B1"), stent(77)) == [Beep.OK, Beep.NO, Beep.NO, Beep.NO]
    assert "hold_recall" in edge.desk.last.message or "recall" in edge.desk.last.message
    edge.roster.write(edge.desk.ledger, edge.pen)
    assert edge.desk.kinds()[-1] == "hold_recall"
    assert edge.desk.state(1) == "held"
    assert edge.take(scope="ward")
    assert edge.desk.scan(stent(2)) == [Beep.NO]  # lifted centrally, but held here until somebody has inspected it
    assert edge.desk.scan(stent(77)) != [Beep.NO]


def test_what_does_not_fit_changes_nothing_and_the_old_version_works_on(edge: Edge) -> None:
    assert edge.take(FeedRow("item", "NEW", "{}"), scope="ward")
    assert not edge.take(FeedRow("item", "OTHER", "{}"), scope="ward", before=0)
    assert not edge.take(FeedRow("item", "OTHER", "{}"), scope="ward", checksum=b"\0" * 32)
    assert held(edge.desk.ledger.connection)["ward"].version == 1
    assert "what stands here works on" in edge.log.getvalue()
    assert edge.looks == ["now"]


def test_changes_go_from_what_stands_here(edge: Edge) -> None:
    kept, gone = FeedRow("item", "A", "{}"), FeedRow("item", "B", "{}")
    edge.take(kept, gone, scope="ward")
    changes = (FeedRow("item", "B", None), FeedRow("unheard-of", "C", '{"x":1}'))
    assert edge.take(*changes, scope="ward", before=1, checksum=checksum_of([kept, changes[1]]))
    rows = edge.desk.ledger.connection.query("SELECT kind, key, body FROM master WHERE scope = 'ward' ORDER BY kind")
    assert rows == [("item", "A", "{}"), ("unheard-of", "C", '{"x":1}')]
    assert held(edge.desk.ledger.connection)["ward"] == Held(2, checksum_of([kept, changes[1]]))


def head(day: str, digest: str = "ab" * 32) -> FeedRow:
    text = text_of(HeadsText("main", day, START, 2, digest))
    return FeedRow("head", day, row_text(msgspec.to_builtins(SignedText(text, "head-1", "00" * 64))))


def test_signed_heads_are_written_into_the_ledger_once_each(edge: Edge) -> None:
    edge.take(head("2026-03-01"), head("2026-03-02"), scope="ward")
    edge.roster.write(edge.desk.ledger, edge.pen)
    edge.roster.write(edge.desk.ledger, edge.pen)
    assert [body["text"][:40] for body in edge.desk.bodies("daily_heads")] == [
        '{"hospital":"main","day":"2026-03-01","a', '{"hospital":"main","day":"2026-03-02","a',
    ]  # fmt: skip
    edge.take(head("2026-03-01", "cd" * 32), head("2026-03-03"), scope="ward")
    edge.roster.write(edge.desk.ledger, edge.pen)
    assert len(edge.desk.bodies("daily_heads")) == 3
    assert "cdcdcd" not in str(edge.desk.bodies("daily_heads"))
    edge.desk.check()


def test_without_keys_a_policy_may_go_unsigned(edge: Edge) -> None:
    text = text_of(PolicyText("main", "ward-01", 1, Permit.WARNED, START, START, plus(START, DAY_S), Permit.NORMAL))
    row = FeedRow("policy", "permit", row_text(msgspec.to_builtins(SignedText(text))))
    assert not edge.take(row)
    edge.feeding = Feeding(PlaceId("ward-01"), clock=edge.clock, voice=Voice(edge.clock, edge.log))
    assert edge.take(row)
    assert edge.permit() == (Permit.WARNED, "1")
