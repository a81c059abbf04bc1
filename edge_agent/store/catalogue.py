"""The hospital's data as the storeroom uses them: items, product codes, staff, places, documents, the policy.

Rows come by the feed (`store.feed`) and are kept as they came; here each is read into the form the work needs. A row
that cannot be read says nothing: the product is unknown, and what is scanned is kept raw. The rule that must not be
broken: bad data of one row takes nothing from another.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from edge_agent.core.permits import Policy
from edge_agent.core.stock import ConsumeOn, Content, Item
from edge_agent.core.work.scene import Document
from edge_agent.store.connection import Connection
from protocols.errors import BadValue, PeerBroke
from protocols.movements.posting import PostingLine
from protocols.movements.tags import Binding
from protocols.permits import Permit
from protocols.policy import PolicyText, read_text
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant

Body = Mapping[str, Any]
_NARROWEST = "ORDER BY CASE scope WHEN 'device' THEN 0 WHEN 'ward' THEN 1 WHEN 'global' THEN 2 ELSE 3 END LIMIT 1"
LINES_MAX = 4_000
"""Lines of one document: a ward's whole weekly delivery."""


def row_of(connection: Connection, kind: str, key: str) -> Body | None:
    """Return one row of the hospital's data, the narrower scope first; None where there is none."""
    rows = connection.query(f"SELECT body FROM master WHERE kind = ? AND key = ? {_NARROWEST}", (kind, key))
    return _object(rows[0][0]) if rows else None


def rows_of(connection: Connection, kind: str) -> list[tuple[str, Body]]:
    """Return every row of a kind by its key."""
    rows = connection.stream("SELECT key, body FROM master WHERE kind = ? ORDER BY key", (kind,))
    return [(key, body) for key, raw in rows if (body := _object(raw)) is not None]


def _object(raw: str) -> Body | None:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def item_of(connection: Connection, code: str) -> Item | None:
    """Return an item by its code."""
    body = row_of(connection, "item", code)
    return None if body is None else read_item(code, body)


def product_of(connection: Connection, code: str) -> tuple[str, int] | None:
    """Return the item a product code stands for, and how many base units one of it is."""
    rows = connection.query(f"SELECT item, factor FROM product WHERE code = ? {_NARROWEST}", (code,))
    return (rows[0][0], int(rows[0][1])) if rows else None


def read_item(code: str, body: Body) -> Item | None:
    """Read an item's row; None for one that says nothing of use."""
    content = body.get("content")
    try:
        return Item(
            code=code,
            name_zh=str(body.get("name_zh", "")),
            name_en=str(body.get("name_en", "")),
            pack=int(body.get("pack", 1)),
            consume_on=ConsumeOn(body.get("consume_on", "unit")),
            scrap_before_months=int(body.get("scrap_before_months", 0)),
            content=Content(str(content["item"]), int(content["qty"])) if isinstance(content, dict) else None,
        )
    except (BadValue, ValueError, TypeError, KeyError):
        return None


def document_of(connection: Connection, number: str) -> Document | None:
    """Return a document as the hospital wrote it; what was done with it is not in it."""
    body = row_of(connection, "document", number)
    if body is None:
        return None
    try:
        lines = msgspec.convert(body["lines"], tuple[PostingLine, ...])[:LINES_MAX]
        bound = msgspec.convert(body.get("bindings", []), tuple[Binding, ...])
        sort, *named = (str(body.get(name, usual)) for name, usual in (("sort", "delivery"), ("order", ""), ("to", "")))
        approved = body.get("approved") is True
        return Document(number, sort, lines, bound, approved=approved, order=named[0], to=named[1])
    except (KeyError, msgspec.ValidationError, BadValue):
        return None


def roles_of(connection: Connection, staff: str) -> tuple[str, ...] | None:
    """Return a person's roles, None where the hospital has told nothing of this person."""
    body = row_of(connection, "staff", staff)
    roles = None if body is None else body.get("roles")
    return tuple(map(str, roles)) if isinstance(roles, list) else None


def place_of(connection: Connection, code: str) -> PlaceId | None:
    """Return the storeroom whose card carries a code."""
    body = row_of(connection, "place", code)
    return PlaceId(str(body["place"])) if body is not None and "place" in body else None


def is_recalled(connection: Connection, item: str, lot: str) -> bool:
    """Tell whether the hospital has recalled a lot."""
    return row_of(connection, "recall", f"{item} {lot}") is not None


def expiry_of(connection: Connection, item: str, lot: str) -> date | None:
    """Return the day a lot expires, None where nobody said one."""
    body = row_of(connection, "lot", f"{item} {lot}")
    return day_of(str(body.get("expiry", ""))) if body is not None else None


def day_of(text: str) -> date | None:
    """Read an ISO date; None for everything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def policy_of(connection: Connection) -> Policy | None:
    """Return the policy the hospital last made known to this storeroom."""
    body = row_of(connection, "policy", "permit")
    if body is None:
        return None
    try:
        if "text" in body:
            return _signed(str(body["text"]))
        until = body.get("lease_until")
        return Policy(
            version=str(body["version"]),
            permit=Permit(body["permit"]),
            since=Instant(int(body.get("since", 0))),
            lease_until=None if until is None else Instant(int(until)),
            after_lease=Permit(body.get("after_lease", Permit.NORMAL.value)),
        )
    except (KeyError, ValueError, TypeError, PeerBroke):
        return None


def _signed(text: str) -> Policy:
    """Read a policy as it was signed; its signature was checked when it was taken in."""
    said = read_text(PolicyText, text)
    return Policy(
        version=str(said.version),
        permit=said.permit,
        since=Instant(said.since),
        issued_at=Instant(said.issued_at),
        lease_until=Instant(said.lease_until),
        after_lease=said.after_lease,
    )
