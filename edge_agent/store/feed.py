"""Master data as the hospital sends them: versions of a scope, taken in whole or not at all.

A scope (`global`, `ward`, `device`, or `file` for the CSV beside the configuration) has one version. A snapshot
replaces the scope; a delta goes from exactly the version that stands here to the next, with tombstones for what is
gone; both carry the checksum of what the scope must hold afterwards. What a row means is read in `store.catalogue`;
rows of an unknown kind are kept as they came. The rule that must not be broken: a scope is never a mixture of two
versions, so whatever does not fit is refused as a whole and the old version works on, for weeks if it must.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_agent.errors import FeedRefused
from edge_agent.store.connection import Connection, transaction
from protocols.values.instant import Instant

ROWS_MAX = 200_000
"""Rows of one scope: a large hospital's catalogue with its lots."""
BODY_MAX = 256 * 1024
FILE = "file"
SCOPES = ("global", "ward", "device", FILE)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a scope; `body` None is a tombstone."""

    kind: str
    key: str
    body: Mapping[str, Any] | None


def checksum_of(rows: Iterable[Row]) -> str:
    """Return the checksum of a scope's rows: SHA-256 over (kind, key, body) in their order, hex."""
    return _digest(sorted((row.kind, row.key, _text(row.body)) for row in rows if row.body is not None))


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


def take_snapshot(
    connection: Connection, scope: str, version: int, rows: Sequence[Row], *, checksum: str, now: Instant
) -> None:
    """Make a scope what a snapshot says. Raises `FeedRefused`, `StoreFault`; then the scope is as it was."""
    _check_form(scope, version, rows)
    with transaction(connection):
        connection.execute("DELETE FROM master WHERE scope = ?", (scope,))
        _put(connection, scope, version, rows)
        _finish(connection, scope, version, checksum, now)


def take_delta(
    connection: Connection, scope: str, versions: tuple[int, int], rows: Sequence[Row], *, checksum: str, now: Instant
) -> None:
    """Bring a scope from one version to the next. Raises `FeedRefused`, `StoreFault`; then the scope is as it was.

    A delta from another version than the one that stands here is refused: its sender must send a snapshot.
    """
    old, new = versions
    _check_form(scope, new, rows)
    stands = version_of(connection, scope)
    if old != stands or new <= old:
        raise FeedRefused(f"feed {scope}: expected a delta from {stands}, got {old} to {new}; ask for a snapshot")
    with transaction(connection):
        gone = [(scope, row.kind, row.key) for row in rows if row.body is None]
        connection.executemany("DELETE FROM master WHERE scope = ? AND kind = ? AND key = ?", gone)
        _put(connection, scope, new, rows)
        _finish(connection, scope, new, checksum, now)


def _check_form(scope: str, version: int, rows: Sequence[Row]) -> None:
    if scope not in SCOPES or version < 0:
        raise FeedRefused(f"feed: expected a version of {', '.join(SCOPES)}, got {version} of {scope!r:.40}")
    if len(rows) > ROWS_MAX:
        raise FeedRefused(f"feed {scope}: expected at most {ROWS_MAX} rows, got {len(rows)}")


def _put(connection: Connection, scope: str, version: int, rows: Sequence[Row]) -> None:
    values = []
    for row in rows:
        text = _text(row.body)
        if len(text) > BODY_MAX:
            raise FeedRefused(f"feed {scope}: expected at most {BODY_MAX} characters a row, {row.key!r:.40} has more")
        if row.body is not None:
            values.append((scope, row.kind, row.key, version, text))
    connection.executemany(
        "INSERT INTO master (scope, kind, key, version, body) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body",
        values,
    )


def _finish(connection: Connection, scope: str, version: int, checksum: str, now: Instant) -> None:
    """Check what the scope holds now, index its products, and write down its version."""
    rows = connection.query("SELECT kind, key, body FROM master WHERE scope = ? ORDER BY kind, key, body", (scope,))
    found = _digest(rows)
    if found != checksum:
        raise FeedRefused(f"feed {scope} version {version}: expected the checksum {checksum:.16}…, got {found:.16}…")
    connection.execute("DELETE FROM product WHERE scope = ?", (scope,))
    products = [product for kind, key, body in rows if kind == "item" for product in _products(scope, key, body)]
    connection.executemany(
        "INSERT INTO product (scope, code, item, factor) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", products
    )
    connection.execute(
        "INSERT INTO feed (scope, version, checksum, applied_at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "version = excluded.version, checksum = excluded.checksum, applied_at = excluded.applied_at",
        (scope, version, checksum, now),
    )


def _products(scope: str, item: str, raw: str) -> Iterable[tuple[str, str, str, int]]:
    said = json.loads(raw).get("products", [])
    for product in said if isinstance(said, list) else []:
        code = product.get("code") if isinstance(product, dict) else None
        factor = product.get("factor", 1) if isinstance(product, dict) else None
        if isinstance(code, str) and type(factor) is int and factor >= 1:
            yield scope, code, item, factor


def _text(body: Mapping[str, Any] | None) -> str:
    return json.dumps(dict(body), ensure_ascii=False, sort_keys=True, separators=(",", ":")) if body is not None else ""


def _digest(rows: Iterable[tuple[Any, ...]]) -> str:
    state = hashlib.sha256()
    for row in rows:
        for part in row:
            raw = str(part).encode()
            state.update(len(raw).to_bytes(4, "big") + raw)
    return state.hexdigest()
