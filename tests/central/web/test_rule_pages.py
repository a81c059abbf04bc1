"""The pages, the API and the command of policy rules, with a real store behind."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.bootstrap.parts import migrate_store
from central.cli import start
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.rules import RuleStep
from central.store.engine import Store
from central.store.queries_people import add_person, set_grants
from protocols.values.ids import ActorId
from tests.central.hospital import GAUZE, HOSPITAL, START, frozen_clock, hospital
from tests.central.purchases import HEAD
from tests.central.services.test_rules import book, says, version

WORD = re.compile(r'name="word" value="([^"]+)"')
PERSON = ActorId("page")
FORM = {"source": "会议纪要 7", "why": "pilot on three wards", "scope": "", "first": "", "end": ""}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = hospital(tmp_path / "files")
    with store.write() as connection:
        add_person(connection, HOSPITAL, PERSON, "page", START)
        set_grants(connection, HOSPITAL, PERSON, [Grant(Role.HEAD_OF_CONSUMABLES)])
    return store


@pytest.fixture
def client(store: Store, tmp_path: Path) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one


def sent(client: TestClient, path: str, **fields: str) -> str:
    (word,) = set(WORD.findall(client.get("/rules/of/approval.automatic").text))
    answer: str = client.post(path, data={**fields, "word": word}).text
    return answer


def test_a_rule_is_found_by_its_chinese_name_and_opens_to_its_history(client: TestClient) -> None:
    listed = client.get("/rules", params={"q": "自动审批", "lang": "zh"}).text
    assert "限额内自动审批" in listed
    assert "approval.head_yuan" not in listed
    one = client.get("/rules/of/approval.automatic", params={"lang": "en"}).text
    assert "approved automatically within limits" in one
    assert "A9 (S3)" in one


def cells(text: str) -> list[str]:
    return [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", one)).strip() for one in re.findall(r"<td.*?</td>", text, re.DOTALL)
    ]


def test_values_and_scopes_stand_in_the_readers_words(client: TestClient) -> None:
    chinese = cells(client.get("/rules", params={"lang": "zh"}).text)
    english = cells(client.get("/rules", params={"lang": "en"}).text)
    assert {"¥500,000", "98%", "13小时", "30分钟", "一级库 level-1", "断供 disruption", "准时到货 on-time"} <= set(
        chinese
    )
    assert {"¥500,000", "98%", "wards, class C level-2-C", "After-sales service"} <= set(english)
    assert any(one.startswith("13 h") for one in english), "46,800 seconds are told as people say them"
    assert [one for one in chinese if re.fullmatch(r"[a-z-]+", one)] == []


def test_a_rule_that_loosens_is_set_on_the_page_and_waits_for_another(client: TestClient, store: Store) -> None:
    told = sent(client, "/rules/of/approval.automatic?lang=en", value="1", **FORM)
    assert "a second person must agree before it holds" in told or "须另一人同意后方可生效" in told
    assert says(store, "approval.automatic") == 0
    page = client.get("/rules/of/approval.automatic", params={"lang": "en"}).text
    assert "Agree</button>" not in page, "who proposed it is not offered to agree"
    (change,) = [one.change for one in book(store).told("approval.automatic").changes]
    assert "A second person must agree" in sent(client, f"/rules/changes/{change}/approve?lang=en")
    theirs = book(store).set(HEAD, version("approval.change", "0.9"))
    assert "Agree</button>" in client.get("/rules/of/approval.change", params={"lang": "en"}).text
    sent(client, f"/rules/changes/{theirs.change}/approve")
    assert says(store, "approval.change").limit_denominator(10) == says(store, "approval.change")
    assert float(says(store, "approval.change")) == 0.9


def test_a_limit_in_yuan_is_told_with_its_thousands(client: TestClient) -> None:
    listed = client.get("/rules", params={"lang": "en", "q": "yuan"}).text + client.get("/rules?lang=en").text
    assert re.search(r"¥\d{1,3}(,\d{3})+", listed)
    assert not re.search(r"¥\d{4}", listed)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"value": "nine"}, "between 0 and 10"),
        ({"value": "0.4", "first": "2026-02-01"}, "today or later"),
        ({"value": "0.4", "first": "soon"}, "today or later"),
        ({"value": "0.4", "source": ""}, "name the document"),
        ({"value": "0.4", "scope": "ward-01"}, "cannot hold for"),
    ],
)
def test_a_form_that_does_not_fit_comes_back_as_typed_with_its_fault(
    client: TestClient, typed: dict[str, str], told: str
) -> None:
    answer = sent(client, "/rules/of/approval.change?lang=en", **(FORM | typed))
    client.cookies.set("lang", "en")
    answer = sent(client, "/rules/of/approval.change", **(FORM | typed))
    assert told in answer
    assert 'value="pilot on three wards"' in answer


def test_the_season_of_an_item_is_turned_on_through_the_api_with_etag_and_key(client: TestClient, store: Store) -> None:
    seen = client.get("/api/v1/rules/reorder.season").headers["etag"]
    body = {"value": "1", "scope": GAUZE, "source": "ward round", "reason": "winter"}
    headers = {"If-Match": seen, "Idempotency-Key": "season-1", "X-Form-Word": "x"}
    made = client.post("/api/v1/rules/reorder.season", json=body, headers=headers)
    assert (made.status_code, made.json()["state"]) == (201, "set")
    again = client.post("/api/v1/rules/reorder.season", json=body, headers=headers)
    assert again.json()["change"] == made.json()["change"]
    stale = client.post("/api/v1/rules/reorder.season", json=body | {"value": "0"}, headers={"If-Match": seen})
    assert (stale.status_code, stale.headers["content-type"]) == (412, "application/problem+json")
    assert says(store, "reorder.season", scope=GAUZE) == 1
    told = client.get("/api/v1/rules/reorder.season").json()
    assert [one["state"] for one in told["changes"]] == ["set"]
    assert [one["value"] for one in told["versions"]] == ["1", "0"]


def test_the_api_lists_the_rules_and_decides_what_waits(client: TestClient, store: Store) -> None:
    change = book(store).set(HEAD, version("approval.automatic", "1")).change
    (one,) = client.get("/api/v1/rules", params={"q": "approval.auto"}).json()["items"]
    assert (one["now"]["value"], one["waits"], one["loosens"]) == ("0", True, "up")
    assert client.post(f"/api/v1/rules/changes/{change}/steps/refuse", json={}).status_code == 422
    done = client.post(f"/api/v1/rules/changes/{change}/steps/approve", json={})
    assert done.json()["state"] == "set"
    assert client.post(f"/api/v1/rules/changes/{change}/steps/{RuleStep.REFUSE}", json={}).status_code == 409
    assert client.get("/api/v1/rules/no.such").status_code == 404


def test_the_command_lists_sets_and_shows_and_leaves_what_loosens_to_a_second_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "central.toml"
    text = '[store]\nurl = "sqlite:///central.db"\n[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[sync]\nunsigned = true\n'
    clock = f'[clock]\nstart = "2026-04-02T09:00:00+08:00"\nrate = 1.0\nsince_monotonic_ns = {time.monotonic_ns()}\n'
    path.write_text(text + clock, "utf-8")
    migrate_store(read_config(path))

    def run(*arguments: str) -> tuple[int, str, str]:
        status = start(["rule", *arguments, "--config", str(path)])
        return status, *capsys.readouterr()

    because = ("--source", "minutes 7", "--why", "pilot")
    assert "check.certificate is 2 from 2026-04-02 on" in run("set", "check.certificate", "2", *because)[1]
    waits = json.loads(run("set", "approval.automatic", "1", *because, "--json")[1])
    assert waits["state"] == "proposed"
    assert "a change waits" in run("list", "approval.automatic")[1]
    told = json.loads(run("show", "check.certificate", "--json")[1])
    assert [one["value"] for one in told["versions"]] == ["2", "1"]
    status, _, fault = run("set", "check.certificate", "7", *because)
    assert (status, "expected a whole number from 0 to 2" in fault) == (2, True)
    assert run("set", "approval.change", "0.4", *because, "--days", "tomorrow")[0] == 2
    assert start(["rule", "set", "--help"]) == 0
    assert "Example: wardstock-central rule set" in capsys.readouterr().out
