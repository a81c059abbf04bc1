"""What makes central's tables a ledger: the rules that refuse, and the indexes and parts that no table says itself.

Data and the statements made of it, one text for each thing, in the order in which they are made; the first revision
runs them, and the store holds what stands against them. The rule that must not be broken: a statement here names one
thing and makes it once, so that what is missing can be told by its name.
"""

from collections.abc import Iterator, Mapping

from migrations.central.months import MONTH_FUNCTION

EVENT_PARTS = 16
REFUSAL = "the ledger is never changed: write a new entry that names what it corrects"
KEPT = "nothing is removed or rewritten here: a thing that is over says so in its status"

REFUSALS = {"refuse_change": REFUSAL, "refuse_removal": KEPT}
"""What an attempt is told, by the name of PostgreSQL's function that says it."""

NEVER_CHANGED = {"ledger": REFUSAL, "event": REFUSAL, "posting_line": REFUSAL, "quarantine": REFUSAL}
NEVER_CHANGED |= {"purchase_order": KEPT, "order_version": KEPT, "audit": KEPT, "audit_checkpoint": KEPT}
NEVER_CHANGED |= {"document_step": KEPT, "receipt_line": KEPT, "invoice": KEPT, "invoice_line": KEPT, "statement": KEPT}
NEVER_CHANGED |= {"settlement": KEPT, "counted_line": KEPT}
NEVER_CHANGED |= {"quarantine_replay": REFUSAL}
NEVER_CHANGED |= {"permit_step": KEPT, "permit_policy": KEPT, "daily_heads": KEPT}
NEVER_CHANGED |= {"vbp_report": KEPT, "order_waiver": KEPT, "order_alert": KEPT}
NEVER_CHANGED |= {"supplier_case": KEPT, "supplier_score": KEPT}
NEVER_CHANGED |= {"evidence": KEPT, "catalogue_baseline": KEPT, "abc_class": KEPT}
NEVER_CHANGED |= {"month_close": KEPT, "stock_value": KEPT, "stock_layer": KEPT, "month_stock": KEPT}
NEVER_CHANGED |= {"supplier_return": KEPT, "supplier_return_line": KEPT, "credit_note": KEPT}
NEVER_CHANGED |= {"requisition": KEPT, "requisition_line": KEPT}
NEVER_CHANGED |= {"price_change": KEPT, "consignment_note": KEPT, "consignment_line": KEPT}
NEVER_CHANGED |= {"charge": KEPT, "policy_change": KEPT}
"""Tables whose rows stand as they were written, and what an attempt on them is told."""

NEVER_REMOVED = {"discrepancy": KEPT, "proposal": KEPT, "belief": REFUSAL, "binding": REFUSAL, "balance": REFUSAL}
NEVER_REMOVED |= {"device_key": KEPT, "device_certificate": KEPT, "enrol_token": KEPT}
NEVER_REMOVED |= {"order_line": KEPT, "recall": KEPT, "consignment_term": KEPT}
NEVER_REMOVED |= {"storeroom_match": KEPT, "ward_task": KEPT, "figure_day": KEPT}
NEVER_REMOVED |= {"bargain_line": KEPT, "purchase_task": KEPT, "catalogue_review": KEPT}
NEVER_REMOVED |= {"alarm": KEPT}
NEVER_REMOVED |= {"charge_use": KEPT, "master_change": KEPT, "budget_cut": KEPT}
"""Tables whose rows may be brought up to date and are never removed."""

TRIMMED = {
    "audit": "NOT EXISTS (SELECT 1 FROM audit_checkpoint c WHERE c.hospital = OLD.hospital AND c.seq >= OLD.seq)"
}
"""When a row may not go: all but those behind a checkpoint."""

KEPT_MICROS = 180 * 86_400 * 1_000_000
TOO_SOON = "acts are kept for 180 days, and a checkpoint names the hash of the last one that goes"
CHECKPOINTS = {
    "audit_checkpoint": (
        "NOT EXISTS (SELECT 1 FROM audit a WHERE a.hospital = NEW.hospital AND a.seq = NEW.seq AND a.hash = NEW.hash "
        f"AND a.at <= NEW.at - {KEPT_MICROS})"
    )
}
"""Which checkpoint must not be added."""

FOUND = (
    *("hospital", "discrepancy", "kind", "device", "place", "item", "lot", "unit"),
    *("opened_at", "found_at", "since", "found_event_id", "evidence"),
)
"""What a discrepancy was opened with; only its closing is written later, once."""

_VERSION = "order_version v WHERE v.hospital = NEW.hospital AND v.order_no = NEW.order_no AND v.line_no = NEW.line_no"
STANDS = ("hospital", "order_no", "line_no", "item", "proposal", "reason", "requisition")
AMENDED = {
    "order_line": " OR ".join(
        (
            *(f"NEW.{name} <> OLD.{name}" for name in STANDS),
            f"NOT EXISTS (SELECT 1 FROM {_VERSION} AND v.qty = OLD.qty AND v.price = OLD.price)",
            f"NOT EXISTS (SELECT 1 FROM {_VERSION} AND v.qty = NEW.qty AND v.price = NEW.price AND v.version = "
            "(SELECT max(w.version) FROM order_version w WHERE w.hospital = NEW.hospital "
            "AND w.order_no = NEW.order_no))",
        )
    )
}
"""When a line of an order may not be changed: it becomes what its newest version says, what it was being kept."""

ENDED = {
    "discrepancy": " OR ".join(("OLD.status <> 'open'", *(f"NEW.{name} IS NOT OLD.{name}" for name in FOUND))),
    "proposal": "OLD.status <> 'open'",
}
"""When a row that may be brought up to date no longer may."""


TWO_PEOPLE = "two people are needed: who approved or proposed it does not also accept, pay for or approve it"

FOUR_EYES = {
    "receipt_line": (
        "EXISTS (SELECT 1 FROM purchase_order o WHERE o.hospital = NEW.hospital AND o.order_no = NEW.order_no "
        "AND o.approved_by = NEW.actor) OR EXISTS (SELECT 1 FROM order_version v WHERE v.hospital = NEW.hospital "
        "AND v.order_no = NEW.order_no AND v.made_by = NEW.actor)"
    ),
    "document_step": (
        "NEW.kind = 'return' AND NEW.step = 'approve' AND EXISTS (SELECT 1 FROM supplier_return r "
        "WHERE r.hospital = NEW.hospital AND r.return_no = NEW.document AND r.asked_by = NEW.actor) "
        "OR NEW.kind = 'return' AND NEW.step = 'ship' AND EXISTS (SELECT 1 FROM document_step d "
        "WHERE d.hospital = NEW.hospital AND d.document = NEW.document AND d.step = 'approve' "
        "AND d.actor = NEW.actor) "
        "OR NEW.kind = 'requisition' AND NEW.step IN ('approve', 'place', 'complete') AND EXISTS (SELECT 1 FROM "
        "requisition r WHERE r.hospital = NEW.hospital AND r.requisition = NEW.document AND r.asked_by = NEW.actor) "
        "OR NEW.kind = 'requisition' AND NEW.step = 'complete' AND EXISTS (SELECT 1 FROM document_step d "
        "WHERE d.hospital = NEW.hospital AND d.document = NEW.document AND d.step = 'place' AND d.actor = NEW.actor) "
        "OR NEW.kind = 'invoice' AND NEW.step = 'pay' AND EXISTS (SELECT 1 FROM invoice_line l JOIN order_version v "
        "ON v.hospital = l.hospital AND v.order_no = l.order_no WHERE l.hospital = NEW.hospital "
        "AND l.document = NEW.document AND v.made_by = NEW.actor) "
        "OR NEW.kind = 'invoice' AND NEW.step = 'pay' AND EXISTS (SELECT 1 FROM invoice_line l JOIN purchase_order o "
        "ON o.hospital = l.hospital AND o.order_no = l.order_no WHERE l.hospital = NEW.hospital "
        "AND l.document = NEW.document AND o.approved_by = NEW.actor) OR NEW.kind = 'item' AND NEW.step = 'approve' "
        "AND EXISTS (SELECT 1 FROM document_step d WHERE d.hospital = NEW.hospital AND d.document = NEW.document "
        "AND d.step IN ('draft', 'evidence') AND d.actor = NEW.actor) OR NEW.kind = 'invoice' AND NEW.step = 'pay' "
        "AND EXISTS (SELECT 1 FROM invoice_line l JOIN document_step d ON d.hospital = l.hospital "
        "AND d.document = l.order_no AND d.kind = 'consignment' AND d.step = 'agree' WHERE l.hospital = NEW.hospital "
        "AND l.document = NEW.document AND d.actor = NEW.actor) OR NEW.kind = 'price-change' AND NEW.step = 'approve' "
        "AND EXISTS (SELECT 1 FROM price_change p WHERE p.hospital = NEW.hospital AND p.change = NEW.document "
        "AND p.proposed_by = NEW.actor) OR NEW.kind = 'policy' AND NEW.step = 'approve' "
        "AND EXISTS (SELECT 1 FROM policy_change p WHERE p.hospital = NEW.hospital AND p.change = NEW.document "
        "AND p.proposed_by = NEW.actor) OR NEW.kind = 'incident' AND NEW.step = 'block' "
        "AND EXISTS (SELECT 1 FROM supplier_case c WHERE c.hospital = NEW.hospital AND c.case_no = NEW.document "
        "AND c.opened_by = NEW.actor)"
    ),
    "order_alert": (
        "EXISTS (SELECT 1 FROM order_waiver w JOIN purchase_order o ON o.hospital = w.hospital "
        "WHERE w.hospital = NEW.hospital AND w.waiver = NEW.waiver AND o.order_no = NEW.order_no "
        "AND o.approved_by = w.person)"
    ),
    "purchase_order": (
        "EXISTS (SELECT 1 FROM order_alert a JOIN order_waiver w ON w.hospital = a.hospital AND w.waiver = a.waiver "
        "WHERE a.hospital = NEW.hospital AND a.order_no = NEW.order_no AND w.person = NEW.approved_by)"
    ),
    "policy_rule": (
        "EXISTS (SELECT 1 FROM policy_change p WHERE p.hospital = NEW.hospital AND p.change = NEW.change "
        "AND p.loosens AND NOT EXISTS (SELECT 1 FROM document_step d WHERE d.hospital = p.hospital "
        "AND d.document = p.change AND d.kind = 'policy' AND d.step = 'approve' AND d.actor <> p.proposed_by))"
    ),
    "settlement": (
        "NEW.step = 'approve' AND EXISTS (SELECT 1 FROM settlement s WHERE s.hospital = NEW.hospital "
        "AND s.discrepancy = NEW.discrepancy AND s.seq = NEW.seq - 1 AND s.person = NEW.person)"
    ),
    "permit_step": (
        "NEW.phase = 'confirmed' AND EXISTS (SELECT 1 FROM permit_step s WHERE s.hospital = NEW.hospital "
        "AND s.place = NEW.place AND s.seq = NEW.seq - 1 AND s.person = NEW.person)"
    ),
}
"""Which row must not be added by whom."""


def seals(dialect: str) -> Iterator[str]:
    """Give the statements that seal fresh tables on one of the two databases."""
    return _on_sqlite() if dialect == "sqlite" else _on_postgresql()


def _on_sqlite() -> Iterator[str]:
    yield "CREATE UNIQUE INDEX ledger_chain_once ON ledger (hospital, incarnation, seq)"
    for table, said in NEVER_CHANGED.items():
        yield _refuse(table, "UPDATE", said)
    for table, said in (NEVER_CHANGED | NEVER_REMOVED).items():
        yield _refuse(table, "DELETE", said, f"WHEN {TRIMMED[table]} " if table in TRIMMED else "")
    for table, wrong in CHECKPOINTS.items():
        yield _refuse(table, "INSERT", TOO_SOON, f"WHEN {wrong} ")
    for table, wrong in (ENDED | AMENDED).items():
        yield _refuse(table, "UPDATE", KEPT, f"WHEN {wrong} ")
    for table, alone in FOUR_EYES.items():
        yield _refuse(table, "INSERT", TWO_PEOPLE, f"WHEN {alone} ")


def _refuse(table: str, act: str, said: str, when: str = "") -> str:
    return (
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} {when}"
        f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
    )


def _on_postgresql() -> Iterator[str]:
    yield "CREATE INDEX ledger_chain ON ledger (hospital, incarnation, seq)"
    yield "CREATE TABLE ledger_default PARTITION OF ledger DEFAULT"
    yield MONTH_FUNCTION
    yield "REVOKE EXECUTE ON FUNCTION ledger_month(integer) FROM PUBLIC"
    for part in range(EVENT_PARTS):
        yield f"CREATE TABLE event_{part} PARTITION OF event FOR VALUES WITH (MODULUS {EVENT_PARTS}, REMAINDER {part})"
    for name, said in REFUSALS.items():
        yield (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{said}' "
            "USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    yield from _refusals_on_postgresql({said: name for name, said in REFUSALS.items()})
    for table, wrong in AMENDED.items():
        yield from _refuse_where(table, "UPDATE", f"{table}_amended", wrong, KEPT)
    for table, alone in FOUR_EYES.items():
        yield from _refuse_where(table, "INSERT", f"{table}_alone", alone, TWO_PEOPLE)
    for table, wrong in CHECKPOINTS.items():
        yield from _refuse_where(table, "INSERT", f"{table}_too_soon", wrong, TOO_SOON)


def _refusals_on_postgresql(names: Mapping[str, str]) -> Iterator[str]:
    """Give the rules that refuse a row's change or removal whatever else is there; `names` are the functions'."""
    for table, said in NEVER_CHANGED.items():
        yield _refuse_by(table, "UPDATE", names[said])
    for table, said in (NEVER_CHANGED | NEVER_REMOVED).items():
        if table in TRIMMED:
            yield from _refuse_where(table, "DELETE", f"{table}_trimmed", TRIMMED[table], said)
        else:
            yield _refuse_by(table, "DELETE", names[said])
        yield (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
            f"EXECUTE FUNCTION {names[said]}()"
        )
    for table, ended in ENDED.items():
        yield _refuse_by(table, "UPDATE", names[KEPT], f"WHEN ({ended.replace(' IS NOT ', ' IS DISTINCT FROM ')})")


def _refuse_where(table: str, act: str, function: str, when: str, said: str) -> Iterator[str]:
    """Refuse by a function of the table's own: a trigger's condition may not ask other tables there."""
    row = "OLD" if act == "DELETE" else "NEW"
    yield (
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {when} THEN "
        f"RAISE EXCEPTION '{said}' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN {row}; END $$"
    )
    name = {"DELETE": f"{table}_only_trimmed", "UPDATE": f"{table}_only_amended"}.get(act, f"{table}_no_{act.lower()}")
    yield f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"


def _refuse_by(table: str, act: str, function: str, when: str = "") -> str:
    return (
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} FOR EACH ROW {when} "
        f"EXECUTE FUNCTION {function}()"
    )
