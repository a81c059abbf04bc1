"""A hospital in which everything exists once, and somebody of every role, for tests that try every address.

Everything about stock and orders is ward-01's; of the roles of a ward there is one person of ward-01 and one of
ward-02. `restore` puts the store back as it was, so that one request's doing is not the next one's surprise.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import select

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.conflicts import Flag, Sort
from central.core.purchasing import InvoicedLine
from central.core.requisitions import Wanted, Wish
from central.core.rights import EVERYWHERE, WARD_ROLES, Caller, Grant, Role
from central.core.suppliers import CaseKind
from central.services.alarms import look
from central.services.counts import ask
from central.services.desk import Desk
from central.services.documents import Documents
from central.services.imports import import_folder
from central.services.orders import approve
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from central.services.rules import RuleBook, Version
from central.services.secrets_kept import digest
from central.store.engine import Store
from central.store.merge import add_new
from central.store.queries_alarms import alarms
from central.store.queries_conflicts import keep
from central.store.queries_people import ApiToken, add_person, add_session, add_token, set_grants
from central.store.queries_work import discrepancies, proposals
from central.store.tables.ledger import INCARNATION, QUARANTINE
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import business_day, plus
from protocols.values.money import Money
from tests.central.doors import Watch, desk
from tests.central.hospital import (
    FILES,
    GAUZE,
    HOSPITAL,
    KIT,
    START,
    Ward,
    fresh_store,
    frozen_clock,
    tags,
    use_file,
    write_files,
)
from tests.central.purchases import AGREEMENT_FILES, BATCH, GROUP, ITEMS, SUPPLIER_FILES, TERMS

OWN, OTHER = PlaceId("ward-01"), PlaceId("ward-02")
NOW = plus(START, 1000)
HEAD = Caller(ActorId("head"), "head", (Grant(Role.HEAD_OF_CONSUMABLES),))


def _callers() -> dict[str, Grant]:
    """Return who asks, by name: `nurse@ward-01`, `purchaser`."""
    named = {}
    for role in Role:
        places = (OWN, OTHER) if role in WARD_ROLES else (None,)
        for place in places:
            name = role.value if place is None else f"{role.value}@{place}"
            named[name] = Grant(role, frozenset() if place is None else frozenset({place}))
    return named


CALLERS: Mapping[str, Grant] = _callers()


@dataclass(frozen=True)
class Town:
    """The application with its people: a token and a session each, and what everything is called."""

    app: FastAPI
    store: Store
    tokens: Mapping[str, str]
    sessions: Mapping[str, str]
    names: Mapping[str, str]
    hidden: tuple[str, ...]
    """Numbers and pieces that only ward-01's people and the whole hospital's may read."""
    _kept: sqlite3.Connection

    def restore(self) -> None:
        """Put the store back as it was when the town was built; only where it is in memory."""
        self._copy(self._kept, None)

    def newcomer(self, name: str, role: Role) -> "Town":
        """Return the town with somebody more in it, of a role of the whole hospital."""
        people = _let_in(self.store, {name: Grant(role)})
        return replace(self, tokens=people["tokens"], sessions={**self.sessions, **people["sessions"]})

    def _copy(self, source: sqlite3.Connection | None, target: sqlite3.Connection | None) -> None:
        raw = self.store.engine.raw_connection()
        driver = raw.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        (source or driver).backup(target or driver)
        raw.close()


def town(folder: Path, store: Store | None = None) -> Town:
    """Build a hospital where everything exists once, in memory or in a store that was migrated."""
    store = _filled(folder, fresh_store() if store is None else store)
    watch = Watch(frozen_clock().real_now())
    site = desk(store, watch)
    names = _documents(store, site)
    people = _let_in(store, CALLERS)
    path = folder / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[http]\nrequests_a_minute = 0\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(NOW))
    hidden = (names["proposal"], names["order_no"], names["id"], *tags(6))
    built = Town(
        app,
        store,
        people["tokens"],
        people["sessions"],
        names,
        hidden,
        sqlite3.connect(":memory:", check_same_thread=False),
    )
    if store.is_sqlite:
        built._copy(None, built._kept)
    return built


def _let_in(store: Store, callers: Mapping[str, Grant]) -> dict[str, dict[str, str]]:
    """Make accounts with a token and a session each; return both by name."""
    now = frozen_clock().real_now()
    tokens = {name: f"token of {name}" for name in callers}
    sessions = {name: f"session of {name}" for name in callers}
    with store.write() as connection:
        for name, grant in callers.items():
            person = ActorId(name.replace("@", "-"))
            add_person(connection, HOSPITAL, person, name, now)
            set_grants(connection, HOSPITAL, person, [grant])
            add_session(connection, HOSPITAL, digest(sessions[name]), person, now)
            token = ApiToken(person, "test", False, plus(now, 86_400))
            add_token(connection, HOSPITAL, digest(tokens[name]), token, now)
    return {"tokens": tokens, "sessions": sessions}


def _filled(folder: Path, store: Store) -> Store:
    more = {
        **FILES, **AGREEMENT_FILES, **SUPPLIER_FILES, "use.csv": use_file({KIT: 1, GAUZE: 20}),
        "items.csv": FILES["items.csv"] + ITEMS, "item_suppliers.csv": FILES["item_suppliers.csv"] + TERMS,
    }  # fmt: skip
    import_folder(store, HOSPITAL, write_files(folder / "more", more), frozen_clock())
    ward = Ward(store)
    ward.open(KIT, "K1", tags(6))
    ward.receive(GAUZE, "G1", 5, 200)
    ward.observe(tags(1)[0], 0.02, 900, since_s=300)
    reconcile(store, HOSPITAL, NOW)
    replenish(store, HOSPITAL, NOW, policy="3x", run="replenish:1")
    ask(store, HOSPITAL, NOW)
    return store


def _documents(store: Store, site: Desk) -> dict[str, str]:
    """Make an order, a proposal that stays open, an invoice, a case, a recall; return what they are called."""
    with store.read() as connection:
        found = {one.item: one for one in proposals(connection, HOSPITAL) if one.place == OWN}
        (missing,) = discrepancies(connection, HOSPITAL)
    bought = approve(store, HOSPITAL, found[KIT].id, ActorId("earlier"), NOW)
    line = InvoicedLine(bought.order_no, 1, 5, Money(2_680_000))
    invoice = site.invoices.enter_invoice(HEAD, "S02", "INV-1", business_day(NOW), [line])
    case_no = site.suppliers.open_case(HEAD, CaseKind.EMERGENCY, "S01", KIT, "none left")
    site.recalls.recall(Caller(ActorId("keeper"), "keeper", (Grant(Role.STOREKEEPER),)), GAUZE, "G1", "the letter")
    nurse = Caller(ActorId("nurse-of-1"), "nurse", (Grant(Role.NURSE, frozenset({OWN})),))
    asked = site.requisitions.ask(nurse, Wanted(OWN, (Wish(GAUZE, 7),), "a dressing round"))
    return {
        "proposal": found[GAUZE].id, "requisition": asked.requisition,
        "version": found[GAUZE].version, "order_no": str(bought.order_no),
        "id": missing.id, "document": invoice.document, "case_no": case_no, "place": OWN, "device": OWN, "item": KIT,
        "lot": "K1", "supplier": "S01", "agreement": BATCH, "group": GROUP, "quarter": "2026Q1",
        "half_year": "2026H1", "day": str(business_day(NOW)), "task": "none", "staff": "nurse-ward-02",
        "unit": tags(1)[0], "conflict": _conflict(store),
        "incarnation": _set_aside(store), "rule_change": _rule_change(store), "alarm": _alarm(store),
    }  # fmt: skip


def _alarm(store: Store) -> str:
    """The alarm of the lot that was recalled."""
    look(store, HOSPITAL, NOW)
    with store.read() as connection:
        return next(one.alarm for one in alarms(connection, HOSPITAL, scope=EVERYWHERE) if one.kind == "recall")


def _rule_change(store: Store) -> str:
    """A rule that a second person is asked to loosen."""
    given = Version("approval.automatic", "", "1", None, None, "minutes", "pilot")
    return RuleBook(Documents(store, HOSPITAL, frozen_clock(NOW))).set(HEAD, given).change


def _conflict(store: Store) -> str:
    """A line below zero that somebody must look at."""
    flag = Flag(Sort.NEGATIVE, OWN, "00" * 16, KIT, "K1")
    with store.write() as connection:
        keep(connection, HOSPITAL, [flag], NOW)
    return flag.id


def _set_aside(store: Store) -> str:
    """An entry that was set aside and that nobody can read; its number is the 0 that addresses ask with."""
    with store.write() as connection:
        chain = connection.scalar(select(INCARNATION.c.incarnation).where(INCARNATION.c.device == OWN))
        row = {"hospital": HOSPITAL, "incarnation": chain, "seq": 0, "event_id": b"", "reason": "no entry", "raw": b"?"}
        add_new(connection, QUARANTINE, [row | {"at": NOW}])
    assert chain is not None
    return str(chain.hex())
