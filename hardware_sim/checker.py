"""Judges a played story: every figure of the summary recomputed from the truth, the beeps and the databases.

Its input is a state folder, read-only, its databases opened so that they cannot be written:

    DIR/sim/truth.json, DIR/sim/<ward>/beeps.ndjson, DIR/sim/<ward>/deliveries.json    forms in `evidence/truth.py`
    DIR/edge/<ward>/ledger.db, DIR/central/central.db                                  columns in docs/databases.md

It imports neither the edge nor central: what it recomputes, it recomputes by its own reading of the documented columns
and rules. The rule that must not be broken: no figure is taken from the processes that are judged without being
compared with one of its own.
"""
