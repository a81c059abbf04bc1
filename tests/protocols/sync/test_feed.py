"""The feed between its two ends: whatever the pipe does, an edge holds whole versions and ends up with the newest.

The oracle is a dict of versions that were ever made; an edge's rows must always be one of them.
"""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from protocols.errors import BadValue, PeerBroke, WeBroke
from protocols.sync import feed as feeds
from protocols.sync.feed import (
    Applied,
    Collected,
    FeedRow,
    Fetcher,
    Held,
    Version,
    answer,
    changes,
    checksum_of,
    pack_rows,
    row_text,
    unpack_rows,
)
from protocols.sync.frames import NOTHING, Delta, Fetch, Offer, Snapshot

RESEND_S = 5.0
KEPT = 3
"""Versions that the test's central keeps."""


def version_of(number: int, rows: Sequence[FeedRow]) -> Version:
    return Version(number, checksum_of(rows), pack_rows(rows))


class Central:
    """Versions of one scope, the last few kept, and the answer to a FETCH; it may be put back to an older state."""

    def __init__(self) -> None:
        self.kept: dict[int, Version] = {}
        self.last = -1

    def publish(self, rows: Sequence[FeedRow]) -> None:
        self.last += 1
        self.kept[self.last] = version_of(self.last, rows)
        self.kept = {number: one for number, one in self.kept.items() if number > self.last - KEPT}

    @property
    def newest(self) -> Version:
        return self.kept[self.last]

    def offer(self) -> Offer:
        return Offer("ward", self.newest.version, self.newest.checksum)

    def hear(self, fetch: Fetch) -> Delta | Snapshot:
        held = self.kept.get(fetch.version)
        delta = None if held is None else changes(unpack_rows(held.packed), unpack_rows(self.newest.packed))
        small = None if delta is None or len(delta) > 6 else pack_rows(delta)
        return answer(fetch, self.newest, held, self.kept.get(fetch.want), small)


class Edge:
    """What survives a restart, and the fetcher that does not."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], str] = {}
        self.held = Held()
        self.start()

    def start(self) -> None:
        self.fetcher = Fetcher({"ward": self.held} if self.held.version != NOTHING else {})

    def take(self, applied: Applied) -> bool:
        rows = dict(self.rows) if applied.before is not None else {}
        for row in applied.rows:
            rows.pop((row.kind, row.key), None)
            if row.body is not None:
                rows[row.kind, row.key] = row.body
        whole = [FeedRow(*name, body) for name, body in rows.items()]
        right = applied.before in {None, self.held.version} and checksum_of(whole) == applied.checksum
        if right:
            self.rows, self.held = rows, Held(applied.version, applied.checksum)
            self.fetcher.applied(applied)
        else:
            self.fetcher.refused(applied)
        return right


def rows_of(values: dict[str, int]) -> list[FeedRow]:
    """Rows of bodies that hardly pack, so that a few make several pages."""
    return [
        FeedRow("item", key, row_text({"n": value, "noise": random.Random(f"{key}{value}").randbytes(200).hex()}))
        for key, value in values.items()
    ]


contents = st.dictionaries(st.sampled_from("abcdefghijkl"), st.integers(0, 3), max_size=12)


class Feed(RuleBasedStateMachine):
    """Both ends and a pipe that drops, doubles, keeps and reorders."""

    @initialize(content=contents)
    def begin(self, content: dict[str, int]) -> None:
        self.now = 0.0
        self.central, self.edge = Central(), Edge()
        self.ever: list[dict[tuple[str, str], str]] = [{}]
        self.up: list[Fetch] = []
        self.down: list[Delta | Snapshot] = []
        self.backup: tuple[dict[int, Version], int] | None = None
        self.change(content)

    @rule(content=contents)
    def change(self, content: dict[str, int]) -> None:
        rows = rows_of(content)
        self.central.publish(rows)
        self.ever.append({(row.kind, row.key): row.body or "" for row in rows})

    @rule()
    def back_up(self) -> None:
        self.backup = dict(self.central.kept), self.central.last

    @precondition(lambda self: self.backup is not None)
    @rule()
    def put_central_back(self) -> None:
        assert self.backup is not None
        self.central.kept, self.central.last = dict(self.backup[0]), self.backup[1]

    @rule()
    def welcome(self) -> None:
        """A new session: what was asked in the last is not answered any more."""
        self.edge.fetcher.stop()
        self.edge.fetcher.offered([self.central.offer()])
        self.ask()

    @rule()
    def hint(self) -> None:
        self.edge.fetcher.offered([self.central.offer()])
        if not self.edge.fetcher.asks:
            self.ask()

    @rule()
    def restart(self) -> None:
        self.edge.start()

    @precondition(lambda self: self.up)
    @rule(chance=st.integers(0, 99), twice=st.booleans())
    def central_hears(self, chance: int, twice: bool) -> None:
        fetch = self.up.pop(chance % len(self.up))
        self.down += [self.central.hear(fetch)] * (1 + twice)

    @precondition(lambda self: self.down)
    @rule(chance=st.integers(0, 99), keep=st.booleans())
    def edge_hears(self, chance: int, keep: bool) -> None:
        place = chance % len(self.down)
        message = self.down[place] if keep and len(self.down) < 20 else self.down.pop(place)
        self.hear(message)

    @precondition(lambda self: self.down)
    @rule(chance=st.integers(0, 99))
    def lose(self, chance: int) -> None:
        self.down.pop(chance % len(self.down))

    @rule()
    def wait(self) -> None:
        self.now += RESEND_S
        if self.now >= self.edge.fetcher.due_at(RESEND_S):
            self.ask()

    def ask(self) -> None:
        fetch = self.edge.fetcher.ask(self.now)
        if fetch is not None:
            self.up.append(fetch)

    def hear(self, message: Delta | Snapshot) -> None:
        try:
            applied = self.edge.fetcher.take(message)
        except PeerBroke:
            return
        if applied is not None:
            self.edge.take(applied)
        if not self.edge.fetcher.asks:
            self.ask()

    @invariant()
    def the_edge_holds_one_whole_version(self) -> None:
        if hasattr(self, "edge"):
            assert self.edge.rows in self.ever

    def teardown(self) -> None:
        """A pipe that is whole again, and one more WELCOME: the edge holds what central does."""
        if not hasattr(self, "edge"):
            return
        self.up, self.down = [], []
        self.welcome()
        for _ in range(200):
            if not self.up:
                break
            message = self.central.hear(self.up.pop(0))
            self.hear(message)
        newest = self.central.newest
        assert not self.edge.fetcher.behind
        assert self.edge.held == Held(newest.version, newest.checksum)
        assert self.edge.rows == {(row.kind, row.key): row.body for row in unpack_rows(newest.packed)}


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "PAGE_BYTES_MAX", 700)


TestFeed = Feed.TestCase
TestFeed.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def snapshots(version: Version) -> list[Snapshot]:
    first = feeds._page("ward", version, 0)
    return [feeds._page("ward", version, page) for page in range(first.pages)]


OLD = version_of(3, rows_of(dict.fromkeys("abcdefgh", 0)))
NEW = version_of(4, rows_of(dict.fromkeys("abcdefgh", 1)))


def test_pages_of_two_versions_are_never_put_together() -> None:
    old, new = snapshots(OLD), snapshots(NEW)
    assert len(old) == len(new) >= 3
    fetcher = Fetcher({})
    fetcher.offered([Offer("ward", 3, OLD.checksum)])
    fetcher.ask(0)
    assert fetcher.take(old[0]) is None
    asked = fetcher.ask(0)
    assert asked is not None
    assert (asked.want, asked.page) == (3, 1)
    assert fetcher.take(new[1]) is None  # of another version: not taken, and still waited for
    assert fetcher.asks
    assert fetcher.take(new[0]) is None  # a whole new beginning is
    taken = []
    for page in new[1:]:
        fetcher.ask(0)
        taken.append(fetcher.take(page))
    whole = taken[-1]
    assert whole is not None
    assert (whole.version, checksum_of(whole.rows)) == (4, NEW.checksum)


def test_a_digest_tells_where_a_page_was_changed_on_its_way() -> None:
    first, *rest = snapshots(OLD)
    pages = Collected(first)
    for page in rest:
        pages.add(Snapshot(page.scope, 3, page.checksum, page.digest, page.page, page.pages, page.part[::-1]))
    with pytest.raises(PeerBroke, match="digest"):
        pages.whole()


def test_a_version_no_longer_kept_is_answered_by_the_newest_from_its_beginning() -> None:
    fetch = Fetch("ward", NOTHING, b"", 3, 2)
    said = answer(fetch, NEW, None, None, None)
    assert isinstance(said, Snapshot)
    assert (said.version, said.page) == (4, 0)


def test_the_same_number_with_other_rows_is_another_version() -> None:
    other = version_of(4, rows_of({"z": 2}))
    fetch = Fetch("ward", 4, other.checksum, NOTHING, 0)
    assert isinstance(answer(fetch, NEW, NEW, None, pack_rows([])), Snapshot)
    fetcher = Fetcher({"ward": Held(4, other.checksum)})
    fetcher.offered([Offer("ward", 4, NEW.checksum)])
    assert fetcher.behind


def test_changes_lead_from_any_rows_to_any_others() -> None:
    before, after = rows_of({"a": 1, "b": 2}), rows_of({"b": 3, "c": 1})
    found = changes(before, after)
    assert {(row.key, row.body is None) for row in found} == {("a", True), ("b", False), ("c", False)}
    assert changes(after, after) == ()


def test_a_delta_that_the_store_refuses_is_followed_by_the_whole_and_a_whole_by_nothing() -> None:
    fetcher = Fetcher({"ward": Held(3, OLD.checksum)})
    fetcher.offered([Offer("ward", 4, NEW.checksum)])
    fetcher.ask(0)
    applied = fetcher.take(Delta("ward", 3, 4, NEW.checksum, pack_rows([])))
    assert applied is not None
    fetcher.refused(applied)
    again = fetcher.ask(0)
    assert again is not None
    assert (again.version, again.checksum) == (NOTHING, b"")
    fetcher.refused(Applied("ward", 4, NEW.checksum, ()))
    assert fetcher.ask(0) is None
    fetcher.offered([Offer("ward", 4, NEW.checksum)])
    assert fetcher.behind


@given(st.lists(st.builds(FeedRow, st.text(min_size=1, max_size=9), st.text(min_size=1, max_size=9), st.text())))
def test_packed_rows_come_back(rows: list[FeedRow]) -> None:
    assert unpack_rows(pack_rows(rows)) == tuple(rows)


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_noise_is_the_peers_fault(noise: bytes) -> None:
    with pytest.raises(PeerBroke):
        unpack_rows(noise)


@pytest.mark.parametrize(("kind", "key", "body"), [("", "k", "{}"), ("k", "", "{}"), ("k" * 33, "k", "{}")])
def test_a_row_beyond_the_limits_cannot_be_made(kind: str, key: str, body: str) -> None:
    with pytest.raises(BadValue, match="feed row"):
        FeedRow(kind, key, body)


def test_more_rows_than_a_scope_may_have_cannot_be_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "ROWS_MAX", 3)
    with pytest.raises(WeBroke, match="expected at most 3 rows"):
        pack_rows(rows_of(dict.fromkeys("abcd", 0)))


def test_the_digest_notices_pages_of_two_versions_that_were_put_together_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Collected, "continues", lambda _self, _page: True)
    old, new = snapshots(OLD), snapshots(NEW)
    fetcher = Fetcher({})
    fetcher.offered([Offer("ward", 3, OLD.checksum)])
    for page in [old[0], *new[1:-1]]:
        fetcher.ask(0)
        assert fetcher.take(page) is None
    fetcher.ask(0)
    with pytest.raises(PeerBroke, match="digest"):
        fetcher.take(new[-1])
    assert fetcher.asks  # and it is asked for again, from the beginning


def test_a_device_that_takes_no_feed_never_asks() -> None:
    fetcher = Fetcher({}, scopes=())
    fetcher.offered([Offer("ward", 4, NEW.checksum)])
    assert fetcher.ask(0) is None
    assert fetcher.versions == {}
