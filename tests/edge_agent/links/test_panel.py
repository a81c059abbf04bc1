"""The panel's server: read-only, bounded, and whoever looks holds nobody up."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from edge_agent.errors import LinkFault
from edge_agent.links.panel import CLIENTS_MAX, PAGES, Panel


@pytest.fixture
def panel() -> Iterator[Panel]:
    panel = Panel("127.0.0.1", 0)
    panel.start()
    yield panel
    panel.stop()


def ask(panel: Panel, path: str, method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
    with closing(http.client.HTTPConnection(panel.address, timeout=5)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())


def watch(panel: Panel) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(panel.address, timeout=5)
    connection.request("GET", "/events")
    return connection.getresponse()


@pytest.mark.parametrize("path", PAGES)
def test_the_page_and_its_parts_are_served_and_may_load_nothing_from_elsewhere(panel: Panel, path: str) -> None:
    status, body, headers = ask(panel, path)
    assert status == 200
    assert body
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert b"://" not in body


@pytest.mark.parametrize("path", ["/nosuch", "/../__init__.py", "/panel.js/x", "//etc/passwd"])
def test_nothing_else_is_served(panel: Panel, path: str) -> None:
    assert ask(panel, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_a_browser_sends_changes_anything(panel: Panel, method: str) -> None:
    assert ask(panel, "/state", method)[0] == 501


def test_the_state_is_the_last_one_published(panel: Panel) -> None:
    panel.publish({"ward": "病房"})
    assert json.loads(ask(panel, "/state")[1]) == {"ward": "病房"}


def test_who_only_asks_now_and_then_has_the_next_state_made(panel: Panel) -> None:
    looked = [panel.watched]
    assert json.loads(ask(panel, "/state")[1]) == {}
    looked.append(panel.watched)
    panel.publish({"n": 1})
    looked.append(panel.watched)
    assert looked == [False, True, False]
    assert json.loads(ask(panel, "/state")[1]) == {"n": 1}


def test_every_change_is_told_and_the_same_again_is_not(panel: Panel) -> None:
    panel.publish({"n": 0})
    with closing(watch(panel)) as events:
        assert events.readline() == b'data: {"n":0}\n'
        for number in (0, 0, 1):
            panel.publish({"n": number})
        events.readline()
        assert events.readline() == b'data: {"n":1}\n'


def test_a_crowd_is_sent_away_and_counted_out_again(panel: Panel) -> None:
    watching = [watch(panel) for _ in range(CLIENTS_MAX)]
    for each in watching:
        each.readline()
    assert panel.watched
    assert ask(panel, "/events")[0] == 503
    for each in watching:
        each.close()
    panel.stop()
    panel_threads = [thread for thread in threading.enumerate() if thread.name == "panel"]
    for thread in panel_threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in panel_threads)


def test_an_address_that_is_taken_is_told_by_its_key(panel: Panel) -> None:
    host, _, port = panel.address.partition(":")
    with pytest.raises(LinkFault, match=r"panel\.listen"):
        Panel(host, int(port))
