"""What was set aside is looked at and, once central reads it, posted: once, with a record, where ingest would have."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from central.core import facts
from central.core.rights import Caller, Grant, Role
from central.errors import NotAllowed, NotNow, NotThere
from central.services import quarantine as quarantine_service
from central.services.documents import Documents
from central.services.quarantine import Quarantine
from central.services.verify import verify
from central.store.audit import acts
from central.store.paging import PageAsked
from central.store.queries_month import unposted
from central.store.replay import REPLAYED
from protocols.entry import Entry
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import from_iso, plus
from tests.central.services.parties import (
    CHAIN,
    START,
    WARD,
    Central,
    Device,
    a_central,
    entry,
    issue,
    line,
    observe,
    opening,
)

KEEPER, OTHERS = (
    Caller(ActorId(number), "K", (Grant(Role.WARD_KEEPER, frozenset({PlaceId(ward)})),))
    for number, ward in (("30001", "ward-01"), ("30002", "ward-02"))
)
AUDITOR = Caller(ActorId("20001"), "A", (Grant(Role.AUDITOR),))
NEWER = 2
"""A form of entries that this version does not know."""

Upgrade = Callable[[], None]


def newer(one: Entry) -> Entry:
    """The same entry in the form of a later release."""
    return Entry(
        one.event_id, one.hlc, one.wall, one.mono, one.boot_id, one.clock_quality, one.kind, NEWER, one.body, one.actor
    )


@pytest.fixture
def upgrade(monkeypatch: pytest.MonkeyPatch) -> Upgrade:
    """What makes this central the release that reads the newer form."""
    return lambda: monkeypatch.setattr(facts, "SCHEMA_NOW", NEWER)


def told(*entries: Entry) -> Central:
    central = a_central()
    device = Device(central)
    device.greet()
    device.write(*entries)
    device.say(device.frame(0, len(entries)))
    return central


def quarantine(central: Central) -> Quarantine:
    return Quarantine(Documents(central.store, central.hospital, central.clock))


def test_what_a_newer_device_said_is_shown_and_is_posted_once_central_reads_it(upgrade: Upgrade) -> None:
    central = told(opening(1), newer(issue(2, qty=4)), issue(3))
    desk = quarantine(central)
    (kept,) = desk.page(KEEPER, PageAsked()).items
    assert (kept.one.seq, kept.kind, kept.actor) == (1, "issue", "N1001")
    assert "update central" in kept.one.reason
    assert "update central" in kept.now
    assert '"qty":4' in kept.body.replace(" ", "")
    with pytest.raises(NotNow, match="update central"):
        desk.replay(KEEPER, CHAIN.hex(), 1)
    assert central.balance()[WARD, "A1"] == 9

    upgrade()
    (kept,) = desk.page(KEEPER, PageAsked()).items
    assert kept.now == ""
    assert desk.replay(KEEPER, CHAIN.hex(), 1)
    assert central.balance()[WARD, "A1"] == 5
    assert not desk.replay(KEEPER, CHAIN.hex(), 1)
    assert central.balance()[WARD, "A1"] == 5
    assert desk.page(KEEPER, PageAsked()).items == ()
    (done,) = desk.page(KEEPER, PageAsked(), REPLAYED).items
    assert (done.one.replayed_by, done.one.replayed_at) == ("30001", central.clock.now())
    with central.store.read() as connection:
        (act,) = [one for one in acts(connection, central.hospital) if one.act == "replay-quarantine"]
    assert (act.person, act.subject) == ("30001", f"{CHAIN.hex()}/1")
    report = verify(central.store)
    assert (report.ok, report.quarantined) == (True, 0)


def test_only_who_settles_differences_there_may_replay_and_nobody_elses_entry_is_seen(upgrade: Upgrade) -> None:
    central = told(opening(1), newer(issue(2)))
    upgrade()
    desk = quarantine(central)
    assert desk.page(OTHERS, PageAsked()).items == ()
    with pytest.raises(NotThere):
        desk.replay(OTHERS, CHAIN.hex(), 1)
    with pytest.raises(NotAllowed):
        desk.replay(AUDITOR, CHAIN.hex(), 1)
    for chain, seq in (("zz", 1), (CHAIN.hex(), 0)):
        with pytest.raises(NotThere):
            desk.replay(KEEPER, chain, seq)
    assert len(desk.page(AUDITOR, PageAsked()).items) == 1


def test_one_command_posts_all_that_can_be_and_says_of_the_rest_why_not(upgrade: Upgrade) -> None:
    known = opening(1)
    other = entry("issue", {"lines": [line("A1", WARD, f"issued@{WARD}")]}, 1, actor="N1")
    central = told(known, newer(issue(2)), other, newer(issue(4)), entry("from_the_future", {}, 5))
    upgrade()
    desk = quarantine(central)
    done = desk.replay_all(ActorId("operator"))
    assert (done.posted, [(one.seq, one.why.split(":")[0]) for one in done.still]) == (
        2, [(2, "this event id is known with another content"), (4, "movement")],
    )  # fmt: skip
    assert desk.replay_all(ActorId("operator")).posted == 0
    assert central.balance()[WARD, "A1"] == 8
    assert verify(central.store).ok


def test_what_cannot_be_posted_never_hides_what_stands_behind_it(
    upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    central = told(opening(1), entry("from_the_future", {}, 2), newer(issue(3)), newer(issue(4)))
    upgrade()
    monkeypatch.setattr(quarantine_service, "AT_ONCE_MAX", 1)
    desk = quarantine(central)
    assert (desk.standing().posted, len(desk.standing().still)) == (2, 1)
    done = desk.replay_all(ActorId("operator"))
    assert (done.posted, [one.seq for one in done.still]) == (2, [1])
    assert verify(central.store).ok


def test_our_own_bug_in_one_entry_hides_neither_the_list_nor_what_stands_behind_it(
    upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(said: Entry) -> facts.Fact:
        if said.body == bad.body:
            raise ZeroDivisionError("ours")
        return read(said)

    read, bad = facts.read_fact, newer(issue(2, qty=3))
    central = told(opening(1), bad, newer(issue(3)))
    upgrade()
    monkeypatch.setattr("central.store.ledger.read_fact", buggy)
    desk = quarantine(central)
    assert [one.now for one in desk.page(KEEPER, PageAsked()).items] == ["bug: ZeroDivisionError: ours", ""]
    done = desk.replay_all(ActorId("operator"))
    assert (done.posted, [(one.seq, one.why) for one in done.still]) == (1, [(1, "bug: ZeroDivisionError: ours")])
    monkeypatch.undo()
    upgrade()
    assert desk.replay_all(ActorId("operator")).posted == 1
    assert central.balance()[WARD, "A1"] == 6
    assert verify(central.store).ok


def test_what_the_database_refuses_stays_where_it_is_and_costs_no_other(upgrade: Upgrade) -> None:
    central = told(opening(1), newer(issue(2, qty=7)), newer(issue(3)))
    upgrade()
    with central.store.write() as connection:
        refused = (
            "CREATE TRIGGER t BEFORE INSERT ON posting_line WHEN NEW.qty = 7 BEGIN SELECT RAISE(ABORT, 'seven'); END"
        )
        connection.execute(text(refused))
    done = quarantine(central).replay_all(ActorId("operator"))
    assert (done.posted, [(one.seq, one.why) for one in done.still]) == (1, [(1, "bug: IntegrityError: seven")])
    assert central.balance()[WARD, "A1"] == 9


def test_a_belief_is_older_by_where_it_was_written_and_not_by_what_a_clock_said(upgrade: Upgrade) -> None:
    ahead = newer(observe(3, p=0.1))
    central = told(opening(1), replace(ahead, wall=plus(ahead.wall, 86_400)), observe(4, p=0.9))
    upgrade()
    assert quarantine(central).replay_all(ActorId("operator")).posted == 1
    with central.store.read() as connection:
        assert connection.execute(text("SELECT p FROM belief")).scalars().all() == [0.9]
    assert verify(central.store).ok


def test_what_is_replayed_stays_in_the_quarantine_as_it_was_and_neither_can_be_undone(upgrade: Upgrade) -> None:
    central = told(opening(1), newer(issue(2)))
    upgrade()
    quarantine(central).replay(KEEPER, CHAIN.hex(), 1)
    assert list(central.quarantine()) == [1]
    for change in ("DELETE FROM quarantine_replay", "UPDATE quarantine_replay SET person = 'x'"):
        with pytest.raises(IntegrityError), central.store.write() as connection:
            connection.execute(text(change))


def test_a_belief_and_a_binding_that_something_later_replaced_do_not_come_back(upgrade: Upgrade) -> None:
    bound = [
        entry("bind_tag", {"bindings": [{"epc": "E2000001", "item": item}]}, at) for item, at in (("A1", 2), ("A2", 5))
    ]
    central = told(opening(1), newer(bound[0]), newer(observe(3, p=0.1)), observe(4, p=0.9), bound[1])
    upgrade()
    assert quarantine(central).replay_all(ActorId("operator")).posted == 2
    with central.store.read() as connection:
        assert connection.execute(text("SELECT p FROM belief")).scalars().all() == [0.9]
        assert connection.execute(text("SELECT item FROM binding")).scalars().all() == ["A2"]
    assert verify(central.store).ok


def test_a_belief_and_a_binding_of_which_nothing_later_is_known_come_back(upgrade: Upgrade) -> None:
    bound = entry("bind_tag", {"bindings": [{"epc": "E2000001", "item": "A1"}]}, 2)
    central = told(opening(1), newer(bound), observe(3, p=0.9), newer(observe(4, p=0.2)))
    upgrade()
    assert quarantine(central).replay_all(ActorId("operator")).posted == 2
    with central.store.read() as connection:
        assert connection.execute(text("SELECT p FROM belief")).scalars().all() == [0.2]
    assert verify(central.store).ok


def test_a_storerooms_page_counts_what_still_stands_in_quarantine_only(upgrade: Upgrade) -> None:
    central = told(opening(1), newer(issue(2)), newer(issue(3)))
    upgrade()
    quarantine(central).replay(KEEPER, CHAIN.hex(), 1)
    with central.store.read() as connection:
        left = connection.execute(text("SELECT count(*) FROM quarantine")).scalar()
    assert left == 2
    assert verify(central.store).quarantined == 1


def test_another_storeroom_is_told_of_what_a_replay_brought_it(upgrade: Upgrade) -> None:
    sent = entry("transfer_out", {"lines": [line("A1", WARD, "transit@ward-02", qty=2)]}, 2, actor="N1001")
    central = a_central()
    central.enrol(type(WARD)("ward-02"))
    device = Device(central)
    device.greet()
    device.write(opening(1), newer(sent))
    device.say(device.frame(0, 2))
    upgrade()
    quarantine(central).replay(KEEPER, CHAIN.hex(), 1)
    with central.store.read() as connection:
        told_of = connection.execute(text("SELECT event_id FROM ward_fact WHERE place = 'ward-02'")).scalars().all()
    assert told_of == [sent.event_id]


def test_what_is_replayed_after_its_month_was_closed_is_heard_of_then(upgrade: Upgrade) -> None:
    central = told(opening(1), newer(issue(2)))
    upgrade()
    later = from_iso("2026-04-20T09:00:00+08:00")
    central.clock.at = (later - START) / 1_000_000
    quarantine(central).replay(KEEPER, CHAIN.hex(), 1)
    with central.store.read() as connection:
        heard = {
            one.order[1]: at for one, at in unposted(connection, central.hospital, START, plus(later, 60), None)
        }  # fmt: skip
    assert heard[1] == later
