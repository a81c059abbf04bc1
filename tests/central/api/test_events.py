"""Who follows the changes hears each once, within what they may see, and is told when they missed some."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from central.api.app import build_api
from central.api.events import stream
from central.core.rights import Caller, Grant, Role
from central.errors import NotSignedIn, TooMany
from central.services.changes import KEPT_MAX, LISTENERS_MAX, Changes, Subject
from central.services.orders import approve
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.queries_changes import Changed
from central.store.queries_work import proposals
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.doors import Watch, open_desk
from tests.central.hospital import HOSPITAL, KIT, START, Ward, hospital, tags

NOW = plus(START, 1000)
HEAD = Caller(ActorId("H1"), "H1", (Grant(Role.HEAD_OF_CONSUMABLES),))
ELSEWHERE = Caller(ActorId("N2"), "N2", (Grant(Role.WARD_KEEPER, frozenset({PlaceId("ward-02")})),))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = hospital(tmp_path)
    ward = Ward(store)
    ward.open(KIT, "K1", tags(6))
    ward.observe(tags(1)[0], 0.02, 900, since_s=300)
    return store


def follow(store: Store, watch: Watch) -> Changes:
    changes = Changes(store, HOSPITAL, watch.read, "boot")
    changes.look()
    return changes


def told(changes: Changes, caller: Caller = HEAD, after: int = 0) -> list[tuple[str, str, str]]:
    found, missed = changes.after(after)
    assert not missed
    return [(one.subject, one.place, one.state) for one in found if one.is_for(caller)]


def test_what_is_found_proposed_ordered_and_silent_is_told_once_each(store: Store) -> None:
    watch = Watch(NOW)
    changes = follow(store, watch)
    assert told(changes) == [], "how things stood at the first look is no change"
    reconcile(store, HOSPITAL, NOW)
    replenish(store, HOSPITAL, NOW, policy="3x", run="replenish:1")
    assert (changes.look(), changes.look()) == (2, 0)
    assert told(changes) == [("discrepancy", "ward-01", "open"), ("proposal", "ward-01", "open")]
    watch.now = plus(NOW, 5)
    with store.read() as connection:
        (one,) = proposals(connection, HOSPITAL)
    approve(store, HOSPITAL, one.id, ActorId("B1"), watch.now)
    changes.look()
    assert told(changes, after=2) == [("proposal", "ward-01", "ordered"), ("order", "ward-01", "approved")]
    watch.now = plus(NOW, 86_400)
    changes.look()
    assert told(changes, after=4) == [("edge", "ward-01", "live silent")]


def test_a_row_written_with_an_older_instant_is_still_told(store: Store) -> None:
    watch = Watch(plus(NOW, 20))
    changes = follow(store, watch)
    watch.now = plus(NOW, 21)
    changes.look()
    reconcile(store, HOSPITAL, NOW)  # its transaction ends after a look that was later by the story's clock
    changes.look()
    assert told(changes) == [("discrepancy", "ward-01", "open")]


def test_a_keeper_of_another_ward_hears_nothing_of_this_one(store: Store) -> None:
    changes = follow(store, Watch(NOW))
    reconcile(store, HOSPITAL, NOW)
    replenish(store, HOSPITAL, NOW, policy="3x", run="replenish:1")
    changes.look()
    assert (told(changes, ELSEWHERE), len(told(changes))) == ([], 2)


def test_who_was_away_too_long_is_told_that_something_was_missed(store: Store) -> None:
    changes = follow(store, Watch(NOW))
    many = [(Subject.ORDER, Changed(f"PO-{number}", "ward-01", "sent", NOW)) for number in range(KEPT_MAX + 5)]
    changes._number(many, quiet=False)  # two thousand orders through the product would take minutes
    assert changes.after(0) == (list(changes._kept), True)
    assert changes.after(10) == (list(changes._kept)[5:], False)
    assert changes.after(10_000)[1]


def test_a_stream_ends_when_who_listens_may_listen_no_more(store: Store) -> None:
    changes = follow(store, Watch(NOW))
    asked: list[int] = []

    def still() -> Caller:
        asked.append(1)
        if len(asked) > 2:
            raise NotSignedIn("over")
        return HEAD

    async def heard() -> list[str]:
        return [one async for one in stream(changes, HEAD, 0, still, heartbeat_s=0.01)]

    assert asyncio.run(heard()) == ["retry: 3000\n\n", ":\n\n", ":\n\n"]
    assert changes._wakes == []


def test_listeners_have_a_limit(store: Store) -> None:
    changes = follow(store, Watch(NOW))
    changes._wakes.extend([lambda: None] * LISTENERS_MAX)
    with pytest.raises(TooMany, match="listeners"):
        changes.check_room()


@pytest.fixture
def served(store: Store) -> Iterator[str]:
    """The API on a socket of its own: a test client reads whole answers only, and a stream has no end."""
    config = uvicorn.Config(
        build_api(open_desk(store, NOW), "1"), port=0, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait = threading.Event()
    for _ in range(600):
        if server.started:
            break
        wait.wait(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name:
            event[name] = value
        elif "event" in event:
            yield event
            event = {}


def test_a_follower_over_http_hears_a_change_and_comes_back_where_it_left(served: str, store: Store) -> None:
    address = f"{served}/api/v1/events"
    with httpx.Client(timeout=20) as client:
        with client.stream("GET", address) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            assert next(lines) == "retry: 3000"
            reconcile(store, HOSPITAL, NOW)
            first = next(events(lines))
        assert (first["event"], json.loads(first["data"])["place"]) == ("discrepancy", "ward-01")
        replenish(store, HOSPITAL, NOW, policy="3x", run="replenish:1")
        with client.stream("GET", address, headers={"Last-Event-ID": first["id"]}) as answer:
            second = next(events(answer.iter_lines()))
        assert second["event"] == "proposal"
        with client.stream("GET", address, headers={"Last-Event-ID": "another-run.7"}) as answer:
            assert next(events(answer.iter_lines()))["event"] == "missed"
