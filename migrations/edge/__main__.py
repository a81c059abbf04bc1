"""`python -P -m migrations.edge FILE`: bring an edge ledger up to date in a process of its own.

The agent asks so, because what this needs stays out of a process that lives for weeks. It says nothing when it is done;
a fault of SQLite is one JSON object on stderr, for who asked to tell it in its own words.
"""

import json
import sqlite3
import sys
from contextlib import closing

from migrations.edge.apply import apply_pending

BUSY_TIMEOUT_S = 10.0


def main() -> int:
    """Apply what the named file lacks; returns the exit status."""
    if len(sys.argv) != 2:
        print(f"migrations.edge: expected one FILE, got {len(sys.argv) - 1}; name a ledger", file=sys.stderr)
        return 2
    try:
        with closing(sqlite3.connect(sys.argv[1], isolation_level=None, timeout=BUSY_TIMEOUT_S)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            apply_pending(connection)
    except sqlite3.Error as error:
        said = {"name": getattr(error, "sqlite_errorname", ""), "said": str(error)}
        print(json.dumps(said), file=sys.stderr)
        return 1
    return 0


sys.exit(main())
