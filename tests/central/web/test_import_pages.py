"""The pages of imports: from a messy workbook to rows in the catalogue, with scripts off, in both languages."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.intake.kinds import KINDS
from central.core.intake.meanings import MEANINGS
from central.store.engine import Store
from central.store.queries_master import items
from tests.central.hospital import HOSPITAL, frozen_clock, hospital
from tests.central.services.messy import messy_items

WORD = re.compile(r'name="word" value="([^"]+)"')
FIELD = re.compile(
    r'name="column" value="(\w+)"><select[^>]*>(.*?)</select>.*?name="fixed"[^>]*value="([^"]*)"', re.DOTALL
)
CHOSEN = re.compile(r'<option value="([^"]*)" selected>')


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return hospital(tmp_path / "files", {})


@pytest.fixture
def client(tmp_path: Path, store: Store) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one


def upload(client: TestClient, content: bytes, name: str = "目录.xlsx") -> str:
    word = WORD.findall(client.get("/imports").text)[0]
    answer = client.post("/imports", data={"kind": "items", "word": word}, files={"file": (name, content)})
    return str(answer.url.path) if answer.status_code == 200 else answer.text


def fields(page: str) -> dict[str, list[str]]:
    found = FIELD.findall(page)
    heads = [(CHOSEN.findall(options) or [""])[0] for _, options, _ in found]
    return {"column": [name for name, _, _ in found], "head": heads, "fixed": [text for _, _, text in found]}


def test_a_messy_workbook_goes_from_upload_to_the_catalogue(client: TestClient, store: Store) -> None:
    path = upload(client, messy_items())
    page = client.get(path, params={"lang": "zh"}).text
    assert "列的对应" in page
    assert "物资信息 / 物资编码*" in page
    form = fields(page) | {"word": WORD.findall(page)[:1], "name": ["物资处目录"]}
    trial = client.post(path + "/plan", data=form)
    assert trial.url.path == path + "/trial"
    assert "2 行可以导入" in trial.text
    assert "数字已丢失" in trial.text
    assert "digits are lost" in client.get(path + "/trial", params={"lang": "en"}).text
    answers = client.get(path + "/answers.xlsx", params={"lang": "en"})
    assert [cell.value for cell in load_workbook(BytesIO(answers.content)).worksheets[0][1]][:2] == ["row", "result"]
    done = client.post(path + "/apply", data={"word": WORD.findall(page)[0], "without": "1"})
    assert done.url.path == "/imports"
    with store.read() as connection:
        assert {"HC-2001", "1005"} <= set(items(connection, HOSPITAL))
    assert client.get(path).status_code == 409
    again = client.get(upload(client, messy_items(), "四月.xlsx"), params={"lang": "en"}).text
    assert "These heads are known: the mapping “物资处目录” is used." in again


def test_a_file_that_cannot_be_taken_is_answered_in_the_readers_language(client: TestClient) -> None:
    client.get("/imports", params={"lang": "zh"})
    assert "不是 Excel 工作簿" in upload(client, b"\x89PNG\x00\xff\xfe")
    client.get("/imports", params={"lang": "en"})
    assert "expected an Excel workbook" in upload(client, b"\x89PNG\x00\xff\xfe")


def test_a_sheet_of_heads_alone_says_what_to_do(client: TestClient) -> None:
    path = upload(client, ",".join(("物资编码", "品名", "单位")).encode(), "空.csv")
    page = client.get(path, params={"lang": "zh"}).text
    assert "表头下面没有可以导入的行。" in page
    form = fields(page)
    form["fixed"] = ["1"] * len(form["fixed"])
    trial = client.post(path + "/plan", data=form | {"word": WORD.findall(page)[:1]})
    assert trial.url.path == path + "/trial"
    assert "请核对表头所在的行和工作表是否正确" in trial.text
    assert "There is no row below the heads" in client.get(path + "/trial", params={"lang": "en"}).text
    assert "/apply" not in trial.text


def test_a_needed_column_that_is_missing_is_named(client: TestClient) -> None:
    path = upload(client, messy_items())
    page = client.get(path, params={"lang": "en"}).text
    form = fields(page)
    form["head"] = [""] * len(form["head"])
    answer = client.post(path + "/plan", data=form | {"word": WORD.findall(page)[:1]})
    assert answer.status_code == 409
    assert "Item code is missing: choose its head" in answer.text


def test_every_column_of_every_kind_says_in_chinese_what_it_may_hold() -> None:
    assert {column.meant for kind in KINDS.values() for column, _ in kind.columns()} - set(MEANINGS) == set()
