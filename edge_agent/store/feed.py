"""Master data as the hospital sends them: versions of a scope, taken in whole or not at all.

A scope (`global`, `ward`, `device`, or `file` for the CSV beside the configuration) has one version. A snapshot
replaces the scope; a delta goes from exactly the version that stands here to another, with tombstones for what is
gone; both carry the checksum of what the scope must hold afterwards. What a row means is read in `store.catalogue`;
rows of an unknown kind are kept as they came. The rule that must not be broken: a scope is never a mixture of two
versions, so whatever does not fit is refused as a whole and the old version works on, for weeks if it must.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_agent.errors import FeedRefused
from edge_agent.store.connection import Connection, transaction
from protocols.errors import BadValue
from protocols.sync.feed import ROWS_MAX, SCOPES, Applied, FeedRow, Held, checksum_in_order, row_text
from protocols.sync.feed import checksum_of as checksum_of_said
from protocols.values.instant import Instant

FILE = "file"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a scope as it is written here; `body` None is a tombstone."""

    kind: str
    key: str
    body: Mapping[str, Any] | None

    @property
    def said(self) -> FeedRow:
        """Return the row as the feed says it. Raises `BadValue` beyond the feed's limits."""
        return FeedRow(self.kind, self.key, None if self.body is None else row_text(self.body))


def checksum_of(rows: Iterable[Row]) -> str:
    """Return the checksum of a scope's rows, hex."""
    return checksum_of_said(row.said for row in rows).hex()


def version_of(connection: Connection, scope: str) -> int:
    """Return the version of a scope that stands here, -1 for none."""
    rows = connection.query("SELECT version FROM feed WHERE scope = ?", (scope,))
    return int(rows[0][0]) if rows else -1


def checksum_at(connection: Connection, scope: str) -> str:
    """Return the checksum of a scope's rows as they stand, empty when there are none."""
    rows = connection.query("SELECT checksum FROM feed WHERE scope = ?", (scope,))
    return str(rows[0][0]) if rows else ""


def versions(connection: Connection) -> dict[str, int]:
    """Return every scope's version."""
    return {scope: int(version) for scope, version in connection.query("SELECT scope, version FROM feed")}


def held(connection: Connection) -> dict[str, Held]:
    """Return every scope's version and checksum as the sync says them."""
    rows = connection.query("SELECT scope, version, checksum FROM feed WHERE scope <> ?", (FILE,))
    return {scope: Held(int(version), bytes.fromhex(checksum)) for scope, version, checksum in rows}


def take_snapshot(
    connection: Connection, scope: str, version: int, rows: Sequence[Row], *, checksum: str, now: Instant
) -> None:
    """Make a scope what a snapshot says. Raises `FeedRefused`, `StoreFault`; then the scope is as it was."""
    _take(connection, scope, version, rows, checksum, now)


def take_delta(
    connection: Connection, scope: str, versions: tuple[int, int], rows: Sequence[Row], *, checksum: str, now: Instant
) -> None:
    """Bring a scope from one version to another. Raises `FeedRefused`, `StoreFault`; then the scope is as it was.

    A delta from another version than the one that stands here is refused: its sender must send a snapshot.
    """
    _take(connection, scope, versions[1], rows, checksum, now, before=versions[0])


def _take(
    connection: Connection,
    scope: str,
    version: int,
    rows: Sequence[Row],
    checksum: str,
    now: Instant,
    before: int | None = None,
) -> None:
    try:
        said = tuple(row.said for row in rows)
    except BadValue as error:
        raise FeedRefused(f"feed {scope}: {error}") from error
    with transaction(connection):
        put(connection, Applied(scope, version, bytes.fromhex(checksum), said, before), now)


def put(connection: Connection, applied: Applied, now: Instant) -> None:
    """Put a version into the tables, within the caller's transaction. Raises `FeedRefused`, `StoreFault`."""
    scope, version = applied.scope, applied.version
    if scope not in (*SCOPES, FILE) or version < 0:
        raise FeedRefused(f"feed: expected a version of {', '.join(SCOPES)} or {FILE}, got {version} of {scope!r:.40}")
    if len(applied.rows) > ROWS_MAX:
        raise FeedRefused(f"feed {scope}: expected at most {ROWS_MAX} rows, got {len(applied.rows)}")
    if applied.before is None:
        connection.execute("DELETE FROM master WHERE scope = ?", (scope,))
    else:
        stands = version_of(connection, scope)
        if applied.before != stands or version == stands:
            raise FeedRefused(
                f"feed {scope}: expected a delta from {stands}, got {applied.before} to {version}; ask for a snapshot"
            )
        gone = [(scope, row.kind, row.key) for row in applied.rows if row.body is None]
        connection.executemany("DELETE FROM master WHERE scope = ? AND kind = ? AND key = ?", gone)
    connection.executemany(
        "INSERT INTO master (scope, kind, key, version, body) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body",
        [(scope, row.kind, row.key, version, row.body) for row in applied.rows if row.body is not None],
    )
    _finish(connection, applied, now)


def _finish(connection: Connection, applied: Applied, now: Instant) -> None:
    """Check what the scope holds now, index its products, and write down its version."""
    scope, version = applied.scope, applied.version
    rows = connection.query("SELECT kind, key, body FROM master WHERE scope = ? ORDER BY kind, key, body", (scope,))
    found = checksum_in_order(rows)
    if found != applied.checksum:
        raise FeedRefused(
            f"feed {scope} version {version}: expected the checksum {applied.checksum.hex():.16}…, "
            f"got {found.hex():.16}…"
        )
    connection.execute("DELETE FROM product WHERE scope = ?", (scope,))
    products = [product for kind, key, body in rows if kind == "item" for product in _products(scope, key, body)]
    connection.executemany(
        "INSERT INTO product (scope, code, item, factor) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", products
    )
    connection.execute(
        "INSERT INTO feed (scope, version, checksum, applied_at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "version = excluded.version, checksum = excluded.checksum, applied_at = excluded.applied_at",
        (scope, version, found.hex(), now),
    )


def _products(scope: str, item: str, raw: str) -> Iterable[tuple[str, str, str, int]]:
    body = _object(raw)
    said = body.get("products", [])
    for product in said if isinstance(said, list) else []:
        code = product.get("code") if isinstance(product, dict) else None
        factor = product.get("factor", 1) if isinstance(product, dict) else None
        if isinstance(code, str) and type(factor) is int and factor >= 1:
            yield scope, code, item, factor


def _object(raw: str) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
