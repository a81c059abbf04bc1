"""The first schema: every table, and a ledger and a record of decisions that refuse to be changed.

Until the first tag this revision is replaced rather than followed. PostgreSQL keeps the ledger partitioned by received
month (`ledger_month` makes each; a default partition takes what no month claims) and the events in sixteen parts;
SQLite keeps each in one table and adds the unique index that PostgreSQL replaces by the locked head.
"""

from alembic import context, op

from migrations.central.months import MONTH_FUNCTION

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

EVENT_PARTS = 16
REFUSAL = "the ledger is never changed: write a new entry that names what it corrects"
KEPT = "nothing is removed or rewritten here: a thing that is over says so in its status"

REFUSALS = {"refuse_change": REFUSAL, "refuse_removal": KEPT}
"""What an attempt is told, by the name of PostgreSQL's function that says it."""

NEVER_CHANGED = {"ledger": REFUSAL, "event": REFUSAL, "posting_line": REFUSAL, "quarantine": REFUSAL}
NEVER_CHANGED |= {"purchase_order": KEPT, "order_line": KEPT, "audit": KEPT, "audit_checkpoint": KEPT}
NEVER_CHANGED |= {"document_step": KEPT, "receipt_line": KEPT, "invoice": KEPT, "invoice_line": KEPT, "statement": KEPT}
NEVER_CHANGED |= {"settlement": KEPT, "counted_line": KEPT}
NEVER_CHANGED |= {"permit_step": KEPT, "permit_policy": KEPT, "daily_heads": KEPT}
NEVER_CHANGED |= {"vbp_report": KEPT, "order_waiver": KEPT, "order_alert": KEPT}
NEVER_CHANGED |= {"supplier_case": KEPT, "supplier_score": KEPT}
NEVER_CHANGED |= {"evidence": KEPT, "catalogue_baseline": KEPT, "abc_class": KEPT}
NEVER_CHANGED |= {"month_close": KEPT, "stock_value": KEPT, "stock_layer": KEPT, "month_stock": KEPT}
NEVER_CHANGED |= {"price_change": KEPT, "consignment_note": KEPT, "consignment_line": KEPT}
NEVER_CHANGED |= {"charge": KEPT}
"""Tables whose rows stand as they were written, and what an attempt on them is told."""

NEVER_REMOVED = {"discrepancy": KEPT, "proposal": KEPT, "belief": REFUSAL, "binding": REFUSAL, "balance": REFUSAL}
NEVER_REMOVED |= {"device_key": KEPT, "device_certificate": KEPT, "enrol_token": KEPT}
NEVER_REMOVED |= {"recall": KEPT, "consignment_term": KEPT}
NEVER_REMOVED |= {"storeroom_match": KEPT, "ward_task": KEPT, "figure_day": KEPT}
NEVER_REMOVED |= {"bargain_line": KEPT, "purchase_task": KEPT, "catalogue_review": KEPT}
NEVER_REMOVED |= {"charge_use": KEPT, "master_change": KEPT}
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

ENDED = {
    "discrepancy": " OR ".join(("OLD.status <> 'open'", *(f"NEW.{name} IS NOT OLD.{name}" for name in FOUND))),
    "proposal": "OLD.status <> 'open'",
}
"""When a row that may be brought up to date no longer may."""


TWO_PEOPLE = "two people are needed: who approved or proposed it does not also accept, pay for or approve it"

FOUR_EYES = {
    "receipt_line": (
        "EXISTS (SELECT 1 FROM purchase_order o WHERE o.hospital = NEW.hospital AND o.order_no = NEW.order_no "
        "AND o.approved_by = NEW.actor)"
    ),
    "document_step": (
        "NEW.kind = 'invoice' AND NEW.step = 'pay' AND EXISTS (SELECT 1 FROM invoice_line l JOIN purchase_order o "
        "ON o.hospital = l.hospital AND o.order_no = l.order_no WHERE l.hospital = NEW.hospital "
        "AND l.document = NEW.document AND o.approved_by = NEW.actor) OR NEW.kind = 'item' AND NEW.step = 'approve' "
        "AND EXISTS (SELECT 1 FROM document_step d WHERE d.hospital = NEW.hospital AND d.document = NEW.document "
        "AND d.step IN ('draft', 'evidence') AND d.actor = NEW.actor) OR NEW.kind = 'invoice' AND NEW.step = 'pay' "
        "AND EXISTS (SELECT 1 FROM invoice_line l JOIN document_step d ON d.hospital = l.hospital "
        "AND d.document = l.order_no AND d.kind = 'consignment' AND d.step = 'agree' WHERE l.hospital = NEW.hospital "
        "AND l.document = NEW.document AND d.actor = NEW.actor) OR NEW.kind = 'price-change' AND NEW.step = 'approve' "
        "AND EXISTS (SELECT 1 FROM price_change p WHERE p.hospital = NEW.hospital AND p.change = NEW.document "
        "AND p.proposed_by = NEW.actor)"
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


def upgrade() -> None:
    connection = op.get_bind()
    context.config.attributes["metadata"].create_all(connection)
    if connection.dialect.name == "sqlite":
        _seal_sqlite()
    else:
        _seal_postgresql()


def _seal_sqlite() -> None:
    op.execute("CREATE UNIQUE INDEX ledger_chain_once ON ledger (hospital, incarnation, seq)")
    for table, said in NEVER_CHANGED.items():
        _refuse(table, "UPDATE", said)
    for table, said in (NEVER_CHANGED | NEVER_REMOVED).items():
        _refuse(table, "DELETE", said, f"WHEN {TRIMMED[table]} " if table in TRIMMED else "")
    for table, wrong in CHECKPOINTS.items():
        _refuse(table, "INSERT", TOO_SOON, f"WHEN {wrong} ")
    for table, ended in ENDED.items():
        _refuse(table, "UPDATE", KEPT, f"WHEN {ended} ")
    for table, alone in FOUR_EYES.items():
        _refuse(table, "INSERT", TWO_PEOPLE, f"WHEN {alone} ")


def _refuse(table: str, act: str, said: str, when: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} {when}"
        f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
    )


def _seal_postgresql() -> None:
    op.execute("CREATE INDEX ledger_chain ON ledger (hospital, incarnation, seq)")
    op.execute("CREATE TABLE ledger_default PARTITION OF ledger DEFAULT")
    op.execute(MONTH_FUNCTION)
    op.execute("REVOKE EXECUTE ON FUNCTION ledger_month(integer) FROM PUBLIC")
    for part in range(EVENT_PARTS):
        op.execute(
            f"CREATE TABLE event_{part} PARTITION OF event FOR VALUES WITH (MODULUS {EVENT_PARTS}, REMAINDER {part})"
        )
    for name, said in REFUSALS.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{said}' "
            "USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    names = {said: name for name, said in REFUSALS.items()}
    for table, said in NEVER_CHANGED.items():
        _refuse_on_postgresql(table, "UPDATE", names[said])
    for table, said in (NEVER_CHANGED | NEVER_REMOVED).items():
        if table in TRIMMED:
            _refuse_where_on_postgresql(table, "DELETE", f"{table}_trimmed", TRIMMED[table], said)
        else:
            _refuse_on_postgresql(table, "DELETE", names[said])
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
            f"EXECUTE FUNCTION {names[said]}()"
        )
    for table, ended in ENDED.items():
        _refuse_on_postgresql(table, "UPDATE", names[KEPT], f"WHEN ({ended.replace(' IS NOT ', ' IS DISTINCT FROM ')})")
    for table, alone in FOUR_EYES.items():
        _refuse_where_on_postgresql(table, "INSERT", f"{table}_alone", alone, TWO_PEOPLE)
    for table, wrong in CHECKPOINTS.items():
        _refuse_where_on_postgresql(table, "INSERT", f"{table}_too_soon", wrong, TOO_SOON)


def _refuse_where_on_postgresql(table: str, act: str, function: str, when: str, said: str) -> None:
    """Refuse by a function of the table's own: a trigger's condition may not ask other tables there."""
    row = "OLD" if act == "DELETE" else "NEW"
    op.execute(
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {when} THEN "
        f"RAISE EXCEPTION '{said}' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN {row}; END $$"
    )
    name = f"{table}_only_trimmed" if act == "DELETE" else f"{table}_no_{act.lower()}"
    op.execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")


def _refuse_on_postgresql(table: str, act: str, function: str, when: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} FOR EACH ROW {when} "
        f"EXECUTE FUNCTION {function}()"
    )


def downgrade() -> None:
    raise NotImplementedError("the first schema has nothing before it; restore a backup instead")
