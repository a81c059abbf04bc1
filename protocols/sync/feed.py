"""The way down: versions of what the hospital knows, brought to a device whole or as changes. No I/O, no clock.

A scope (`global`, `ward`, `device`) has one version at a time, with the checksum of its rows. The edge compares what
WELCOME offers with what it holds and asks for one scope at a time; central answers with the changes where it still has
the very version held, else with the pages of one immutable blob. A hint only wakes: it makes the edge ask.

The rules that must not be broken: what is handed on is one version, checked by the digest of its blob or by a base that
is the edge's own; pages of two versions are never put together; a version is told from another by its checksum too, so
that a central put back from a backup, which counts the same numbers again, is noticed.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from protocols.errors import BadValue, PeerBroke, WeBroke
from protocols.sync.frames import NOTHING, PAGE_BYTES_MAX, PAGES_MAX, Delta, Fetch, Offer, Snapshot

GLOBAL, WARD, DEVICE = SCOPES = ("global", "ward", "device")
ROWS_MAX = 200_000
"""Rows of one scope: a large hospital's catalogue with its lots."""
BODY_MAX = 256 * 1024
"""Characters of one row's body."""
KIND_MAX, KEY_MAX = 32, 200
PACKED_MAX = PAGE_BYTES_MAX * PAGES_MAX
UNPACKED_MAX = 64 * 1024 * 1024
"""What a scope's rows may be after decompression."""
DELTA_ROWS_MAX = 5_000
"""Changes that are sent as such; more are sent as the whole version."""
ZSTD_LEVEL = 3


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One row of a scope; `body` is the JSON text of an object, None where the row is gone."""

    kind: str
    key: str
    body: str | None

    def __post_init__(self) -> None:
        if not 1 <= len(self.kind) <= KIND_MAX or not 1 <= len(self.key) <= KEY_MAX:
            raise BadValue(
                f"feed row: expected a kind of 1..{KIND_MAX} and a key of 1..{KEY_MAX} characters, "
                f"got {self.kind!r:.40} {self.key!r:.40}"
            )
        if self.body is not None and len(self.body) > BODY_MAX:
            raise BadValue(f"feed row: expected at most {BODY_MAX} characters, {self.key!r:.40} has {len(self.body)}")


@dataclass(frozen=True, slots=True)
class Held:
    """One version of a scope as somebody holds it: `NOTHING` and no checksum before the first."""

    version: int = NOTHING
    checksum: bytes = b""


@dataclass(frozen=True, slots=True)
class Applied:
    """What is to be put into the store: a whole version, or with `before` the changes from there to it."""

    scope: str
    version: int
    checksum: bytes
    rows: tuple[FeedRow, ...]
    before: int | None = None


def row_text(body: Mapping[str, object]) -> str:
    """Return the one JSON text of a body: keys sorted, no spaces."""
    return msgspec.json.encode(body, order="deterministic").decode()


def checksum_of(rows: Iterable[FeedRow]) -> bytes:
    """Return the checksum of a scope's rows: SHA-256 over (kind, key, body) in their order; tombstones do not count."""
    return checksum_in_order(sorted((row.kind, row.key, row.body) for row in rows if row.body is not None))


def checksum_in_order(rows: Iterable[tuple[str, str, str]]) -> bytes:
    """Return the checksum of rows that come ordered by the bytes of kind, key and body."""
    state = hashlib.sha256()
    for row in rows:
        for part in row:
            raw = part.encode()
            state.update(len(raw).to_bytes(4, "big") + raw)
    return state.digest()


_Row = tuple[
    Annotated[str, msgspec.Meta(min_length=1, max_length=KIND_MAX)],
    Annotated[str, msgspec.Meta(min_length=1, max_length=KEY_MAX)],
    Annotated[str, msgspec.Meta(max_length=BODY_MAX)] | None,
]
_encode = msgspec.msgpack.Encoder().encode
_rows = msgspec.msgpack.Decoder(Annotated[tuple[_Row, ...], msgspec.Meta(max_length=ROWS_MAX)]).decode


def pack_rows(rows: Sequence[FeedRow]) -> bytes:
    """Return the packed form of rows. Raises `WeBroke` beyond the limits."""
    unpacked = _encode([(row.kind, row.key, row.body) for row in rows])
    import zstandard

    packed = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(unpacked)
    if len(rows) > ROWS_MAX or len(unpacked) > UNPACKED_MAX or len(packed) > PACKED_MAX:
        raise WeBroke(
            f"feed: expected at most {ROWS_MAX} rows, {UNPACKED_MAX} bytes and {PACKED_MAX} packed, "
            f"got {len(rows)}, {len(unpacked)} and {len(packed)}"
        )
    return packed


def unpack_rows(packed: bytes) -> tuple[FeedRow, ...]:
    """Return packed rows. Raises `PeerBroke`; never makes more than `UNPACKED_MAX` bytes."""
    import zstandard

    try:
        stated = zstandard.frame_content_size(packed)
        if not 0 < stated <= UNPACKED_MAX:
            raise PeerBroke(f"feed: expected a stated size of 1..{UNPACKED_MAX} bytes, got {stated}")
        unpacked = zstandard.ZstdDecompressor(max_window_size=UNPACKED_MAX).decompress(
            packed, max_output_size=UNPACKED_MAX, allow_extra_data=False
        )
        return tuple(FeedRow(*row) for row in _rows(unpacked))
    except (zstandard.ZstdError, MemoryError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise PeerBroke(f"feed: expected packed rows; {error}") from error


def changes(before: Iterable[FeedRow], after: Iterable[FeedRow]) -> tuple[FeedRow, ...]:
    """Return the rows that lead from one version to another, with a tombstone for each that is gone."""
    old = {(row.kind, row.key): row.body for row in before}
    new = {(row.kind, row.key): row.body for row in after}
    gone = [FeedRow(kind, key, None) for kind, key in old if (kind, key) not in new]
    return (*gone, *(FeedRow(*name, body) for name, body in new.items() if old.get(name) != body))


# --- central's end ---


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a scope as central keeps it."""

    version: int
    checksum: bytes
    packed: bytes


def answer(
    fetch: Fetch, newest: Version, held: Version | None, wanted: Version | None, delta: bytes | None
) -> Delta | Snapshot:
    """Answer a FETCH. `held` is the version the device holds, `wanted` the one it collects, where central has them.

    `delta` are the packed changes from `held` to the newest, None where they are too many.
    """
    if held is not None and held.checksum == fetch.checksum and fetch.want == NOTHING and delta is not None:
        return Delta(fetch.scope, held.version, newest.version, newest.checksum, delta)
    pages = _pages(wanted) if wanted is not None else 0
    if wanted is None or fetch.page >= pages:
        return _page(fetch.scope, newest, 0)
    return _page(fetch.scope, wanted, fetch.page)


def _pages(version: Version) -> int:
    return max(1, -(-len(version.packed) // PAGE_BYTES_MAX))


def _page(scope: str, of: Version, page: int) -> Snapshot:
    part = of.packed[page * PAGE_BYTES_MAX : (page + 1) * PAGE_BYTES_MAX]
    digest = hashlib.sha256(of.packed).digest()
    return Snapshot(scope, of.version, of.checksum, digest, page, _pages(of), part)


# --- the edge's end ---


class Collected:
    """The pages of one version, in order, until all are there."""

    def __init__(self, first: Snapshot) -> None:
        self._first = first
        self._parts = [first.part]

    @property
    def version(self) -> int:
        """The version they are of."""
        return self._first.version

    @property
    def next_page(self) -> int:
        """The page that is wanted next."""
        return len(self._parts)

    def continues(self, page: Snapshot) -> bool:
        """Tell whether a page is the next of this very version."""
        return page.page == len(self._parts) and self.is_of(page)

    def is_of(self, page: Snapshot) -> bool:
        """Tell whether a page is of this very version."""
        return _identity(page) == _identity(self._first)

    def add(self, page: Snapshot) -> None:
        """Take the next page."""
        self._parts.append(page.part)

    def whole(self) -> Applied | None:
        """Return the version once all pages are there. Raises `PeerBroke` where they are not its blob."""
        if len(self._parts) < self._first.pages:
            return None
        packed = b"".join(self._parts)
        if hashlib.sha256(packed).digest() != self._first.digest:
            raise PeerBroke(f"feed {self._first.scope}: expected pages that come to the digest said")
        return Applied(self._first.scope, self._first.version, self._first.checksum, unpack_rows(packed))


def _identity(page: Snapshot) -> tuple[str, int, bytes, bytes, int]:
    return page.scope, page.version, page.checksum, page.digest, page.pages


class Fetcher:
    """What is held of each scope, what central offers, and the one question on its way; of other scopes nothing."""

    def __init__(self, held: Mapping[str, Held], scopes: Iterable[str] = SCOPES) -> None:
        self._held = {scope: held.get(scope, Held()) for scope in scopes}
        self._waiting: list[str] = []
        self._given_up: set[str] = set()
        self._collected: Collected | None = None
        self._asked_at = -math.inf
        self._asks = False

    @property
    def versions(self) -> dict[str, int]:
        """The versions held, for HELLO."""
        return {scope: held.version for scope, held in self._held.items() if held.version != NOTHING}

    @property
    def behind(self) -> bool:
        """Whether a scope is to be asked for."""
        return bool(self._waiting)

    def offered(self, offers: Sequence[Offer]) -> None:
        """Take what a WELCOME or a hint says there is; a hint that is older than what is held costs one question."""
        self._given_up.clear()
        for offer in offers:
            known = self._held.get(offer.scope)
            if known is not None and known != Held(offer.version, offer.checksum) and offer.scope not in self._waiting:
                self._waiting.append(offer.scope)

    def ask(self, now: float) -> Fetch | None:
        """Return the question for the scope at hand, None where nothing is wanted; then its answer is waited for."""
        if not self._waiting:
            return None
        scope = self._waiting[0]
        self._asked_at, self._asks = now, True
        held, pages = self._held[scope], self._collected
        want, page = (pages.version, pages.next_page) if pages is not None else (NOTHING, 0)
        return Fetch(scope, held.version, held.checksum, want, page)

    def due_at(self, resend_s: float) -> float:
        """Return when the question is to be asked again; infinite when none waits."""
        return self._asked_at + resend_s if self._asks else math.inf

    @property
    def asks(self) -> bool:
        """Whether an answer is waited for."""
        return self._asks

    def stop(self) -> None:
        """Wait no more; pages of a session that is over are forgotten."""
        self._asks = False
        self._collected = None

    def take(self, message: Delta | Snapshot) -> Applied | None:
        """Return what an answer completes, None while pages are missing or nothing is new. Raises `PeerBroke`."""
        if not self._asks or message.scope != self._waiting[0]:
            return None
        if isinstance(message, Snapshot):
            return self._page(message)
        held = self._held[message.scope]
        if message.before != held.version or self._collected is not None:
            return None
        if message.version == held.version and message.checksum == held.checksum:
            self._asks = False
            self._waiting.remove(message.scope)
            return None
        rows = unpack_rows(message.rows)
        self._asks = False
        return Applied(message.scope, message.version, message.checksum, rows, message.before)

    def _page(self, message: Snapshot) -> Applied | None:
        pages = self._collected
        if pages is not None and pages.continues(message):
            pages.add(message)
        elif message.page == 0 and (pages is None or not pages.is_of(message)):
            pages = Collected(message)
        else:
            return None
        self._collected = None
        whole = pages.whole()
        self._collected = pages if whole is None else None
        self._asks = False
        return whole

    def applied(self, applied: Applied) -> None:
        """Note that a version stands in the store; central hears of it by the next question."""
        self._held[applied.scope] = Held(applied.version, applied.checksum)

    def refused(self, applied: Applied) -> None:
        """Note that the store did not take it: changes are followed by the whole, a whole by the next WELCOME."""
        if applied.before is not None and applied.scope not in self._given_up:
            self._given_up.add(applied.scope)
            self._held[applied.scope] = Held()
            return
        self._waiting.remove(applied.scope)
