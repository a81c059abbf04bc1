"""The catalogue on a real store: two people for a new item, no order before it is active, reviews, trim, imports."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from central.core.catalogue import CodeFault, ItemState, ItemStep
from central.core.rights import Caller, Grant, Role
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.approvals import approve_as
from central.services.catalogue import Drafted, catalogue_now, freeze_baseline, review_quarter, trims_now
from central.services.desk import Desk
from central.services.imports import import_folder
from central.services.orders import orders_now
from central.services.reasons import names_now
from central.store.queries_catalogue import evidence, evidence_file, item_states, reviews
from central.store.queries_work import proposals
from central.store.tables.work import POLICY_RULE
from protocols.values.ids import ActorId
from protocols.values.instant import plus
from protocols.values.money import yuan
from tests.central.hospital import FILES, GAUZE, HOSPITAL, START, frozen_clock, write_files
from tests.central.purchases import BUYER, CATALOGUE_FILES, DEAR, HEAD, ITEMS, KIT, PLAIN, buying_hospital, propose

BOTH = Caller(ActorId("10023"), "10023", (Grant(Role.PURCHASER), Grant(Role.HEAD_OF_CONSUMABLES)))
NEW = Drafted("HC-NEW", "新型导管", "New catheter", "6Fr", "根", "piece", 1, "high", "normal")


@pytest.fixture
def at_desk(tmp_path: Path) -> Desk:
    made = buying_hospital(tmp_path)
    import_folder(made.store, HOSPITAL, write_files(tmp_path / "catalogue", CATALOGUE_FILES), frozen_clock())
    return made


def state_of(at_desk: Desk, item: str) -> ItemState:
    with at_desk.store.read() as connection:
        return item_states(connection, HOSPITAL).get(item, ItemState.ACTIVE)


def test_a4_a_new_item_is_ordered_only_after_evidence_and_approval_by_another_person(at_desk: Desk) -> None:
    at_desk.catalogue.draft(BOTH, NEW)
    propose(at_desk, "HC-NEW", "S01", yuan("10"))
    with at_desk.store.read() as connection:
        (one,) = proposals(connection, HOSPITAL, id="aaaa1111")
    with pytest.raises(NotNow, match="not-active"):
        approve_as(HEAD, at_desk.store, HOSPITAL, "aaaa1111", plus(START, 60), one.version)
    with pytest.raises(NotNow, match="cannot approve one that is draft"):
        at_desk.catalogue.step(HEAD, "HC-NEW", ItemStep.APPROVE)
    at_desk.catalogue.give_evidence(BOTH, "HC-NEW", "ethics committee", "EC-2026-7", "minutes.pdf", b"%PDF")
    with pytest.raises(NotAllowed, match="neither drafted it nor gave its evidence"):
        at_desk.catalogue.step(BOTH, "HC-NEW", ItemStep.APPROVE)
    with pytest.raises(NotAllowed):
        at_desk.catalogue.step(BUYER, "HC-NEW", ItemStep.APPROVE)
    assert at_desk.catalogue.step(HEAD, "HC-NEW", ItemStep.APPROVE) is ItemState.APPROVED
    at_desk.catalogue.step(BUYER, "HC-NEW", ItemStep.ACTIVATE)
    assert approve_as(HEAD, at_desk.store, HOSPITAL, "aaaa1111", plus(START, 60), one.version).fresh
    with at_desk.store.read() as connection:
        (given,) = evidence(connection, HOSPITAL, "HC-NEW")
        assert evidence_file(connection, HOSPITAL, "HC-NEW", 0) == ("minutes.pdf", b"%PDF")
    assert (given.number, given.person, len(given.sha256)) == ("EC-2026-7", "10023", 64)


def test_a4_the_database_itself_refuses_an_approval_by_who_drafted(at_desk: Desk) -> None:
    at_desk.catalogue.draft(BUYER, NEW)
    at_desk.catalogue.give_evidence(BUYER, "HC-NEW", "ethics committee", "EC-1")
    with pytest.raises(IntegrityError, match="two people are needed"), at_desk.store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO document_step SELECT hospital, document, 9, kind, 'approve', 'approved', at, actor, detail "
            "FROM document_step WHERE document = 'item/HC-NEW' AND seq = 0"
        )


def test_an_item_in_use_is_not_drafted_again_and_a_retired_one_comes_back_as_a_draft(at_desk: Desk) -> None:
    with pytest.raises(NotNow, match="in the catalogue and active"):
        at_desk.catalogue.draft(BUYER, replace(NEW, item=KIT))
    with pytest.raises(BadInput, match="reason"):
        at_desk.catalogue.step(HEAD, KIT, ItemStep.RETIRE)
    at_desk.catalogue.step(HEAD, KIT, ItemStep.RETIRE, "out of production")
    at_desk.catalogue.draft(BUYER, replace(NEW, item=KIT))
    assert state_of(at_desk, KIT) is ItemState.DRAFT
    with pytest.raises(NotThere):
        at_desk.catalogue.step(HEAD, "HC-NONE", ItemStep.APPROVE)
    with pytest.raises(BadInput, match="at most 5242880 bytes"):
        at_desk.catalogue.give_evidence(BUYER, KIT, "t", "n", "f", bytes(5 * 1024 * 1024 + 1))


def test_a1_a_year_of_use_gives_the_exact_list_and_an_item_leaves_only_by_a_decision(at_desk: Desk) -> None:
    with at_desk.store.write() as connection:
        assert review_quarter(connection, HOSPITAL, START) == 1
        assert review_quarter(connection, HOSPITAL, START) == 0
    with at_desk.store.read() as connection:
        (one,) = reviews(connection, HOSPITAL, "2026Q1")
    assert (one.item, one.usage.used, one.usage.all, one.instead) == (PLAIN, 1, 12, (KIT,))
    assert state_of(at_desk, PLAIN) is ItemState.ACTIVE
    with pytest.raises(NotAllowed):
        at_desk.catalogue.decide(BUYER, "2026Q1", PLAIN, "retire", "rare")
    with pytest.raises(BadInput):
        at_desk.catalogue.decide(HEAD, "2026Q1", PLAIN, "retire", " ")
    at_desk.catalogue.decide(HEAD, "2026Q1", PLAIN, "retire", "the selected one does")
    assert state_of(at_desk, PLAIN) is ItemState.RETIRED
    with pytest.raises(NotNow, match="decided before"):
        at_desk.catalogue.decide(HEAD, "2026Q1", PLAIN, "keep", "after all")
    with at_desk.store.read() as connection:
        assert reviews(connection, HOSPITAL, "2026Q1")[0].decision == "retire"


def test_a3_the_baseline_is_frozen_once_and_trim_is_counted_against_it(at_desk: Desk) -> None:
    with at_desk.store.write() as connection:
        assert freeze_baseline(connection, HOSPITAL, START) == 5
    with pytest.raises(NotNow, match="2026 has one"):
        at_desk.catalogue.freeze(HEAD)
    at_desk.catalogue.step(HEAD, DEAR, ItemStep.RETIRE, "dear")
    with at_desk.store.read() as connection:
        found = trims_now(connection, HOSPITAL, 2026)
    assert {name: (one.baseline, one.active) for name, one in found.items()} == {"high": (3, 2), "low": (2, 2)}


def test_codes_stand_as_text_and_warn(at_desk: Desk) -> None:
    with at_desk.store.read() as connection:
        shown = {one.line.item: one for one in catalogue_now(connection, HOSPITAL)}
    assert shown[KIT].faults == ()
    assert shown[KIT].line.codes.registration == "国械注准20183770123"
    assert CodeFault.REGISTRATION_FORM in shown[DEAR].faults
    assert shown["HC-VALVE"].faults == (CodeFault.REGISTRATION_LACKING, CodeFault.PLATFORM_LACKING)


def test_open_orders_are_taken_over_once_and_wait_for_their_goods(at_desk: Desk, tmp_path: Path) -> None:
    file = {"open_orders.csv": CATALOGUE_FILES["open_orders.csv"]}
    for number in range(2):
        import_folder(at_desk.store, HOSPITAL, write_files(tmp_path / f"again{number}", file), frozen_clock())
    found = {one.order_no: (one, come) for one, come in orders_now(at_desk.store, HOSPITAL, START)}
    one, come = found["OLD-77"]
    assert (str(come), one.supplier, [(line.item, line.qty) for line in one.lines]) == (
        "confirmed", "S01", [(GAUZE, 500), (KIT, 5)],
    )  # fmt: skip
    with at_desk.store.read() as connection:
        names = names_now(connection, HOSPITAL)
    assert names.said(GAUZE, "S01", one.lines[0].reason)[1].startswith("An order that was still open")


def test_an_open_order_worth_more_than_sums_can_hold_is_named_and_nothing_is_taken_over(
    at_desk: Desk, tmp_path: Path
) -> None:
    before = orders_now(at_desk.store, HOSPITAL, START)
    head, first, *_ = CATALOGUE_FILES["open_orders.csv"].splitlines()
    rows = [
        head,
        first.replace("OLD-77", "OLD-78"),
        first.replace("OLD-77", "OLD-79").replace("500,0.85", "1000000000,9.00"),
    ]
    folder = write_files(tmp_path / "much", {"open_orders.csv": "\n".join(rows) + "\n"})
    with pytest.raises(BadInput, match=r"open_orders.csv, order OLD-79 line 1: value: expected"):
        import_folder(at_desk.store, HOSPITAL, folder, frozen_clock())
    assert orders_now(at_desk.store, HOSPITAL, START) == before


def test_a4_an_item_imported_after_the_first_imports_is_a_draft(at_desk: Desk, tmp_path: Path) -> None:
    more = FILES["items.csv"] + ITEMS + "HC-LATE,晚来品,Late item,,,个,piece,1,low,normal,0,\n"
    with at_desk.store.write() as connection:
        rule = POLICY_RULE.c.code == "catalogue.imports_draft"
        connection.execute(update(POLICY_RULE).where(rule).values(value="1"))
    for number in range(2):
        import_folder(
            at_desk.store, HOSPITAL, write_files(tmp_path / f"more{number}", {"items.csv": more}), frozen_clock()
        )
    assert (state_of(at_desk, "HC-LATE"), state_of(at_desk, GAUZE)) == (ItemState.DRAFT, ItemState.ACTIVE)
