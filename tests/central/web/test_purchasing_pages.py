"""Agreements, suppliers and the catalogue as people work them on the pages, each in their own role."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.imports import import_folder
from central.services.purchasing_day import purchasing_day
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import from_iso, plus
from protocols.values.money import yuan
from tests.central.doors import Watch, desk
from tests.central.hospital import HOSPITAL, START, frozen_clock, write_files
from tests.central.purchases import (
    BATCH,
    CATALOGUE_FILES,
    DEAR,
    GROUP,
    KIT,
    PLAIN,
    SUPPLIER_FILES,
    buying_hospital,
    propose,
)
from tests.central.web.test_order_pages import FROM_HERE, PASSWORD, Somebody

PEOPLE = {
    "10001": Role.HEAD_OF_CONSUMABLES,
    "10023": Role.PURCHASER,
    "20001": Role.STOREKEEPER,
    "40001": Role.MEDICAL_AFFAIRS,
}
PAGES = (
    *("/agreements", "/agreements/alerts", "/agreements/frameworks", "/agreements/bargaining", "/agreements/cycle"),
    *("/suppliers", "/suppliers/S02", "/catalogue", f"/catalogue/items/{KIT}", "/catalogue/review", "/proposals"),
)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    yield from served(tmp_path, DEAR, "S01", "480")


def served(tmp_path: Path, item: str, supplier: str, price: str) -> Iterator[TestClient]:
    """Serve a hospital in which one proposal waits."""
    store = buying_hospital(tmp_path).store
    folder = write_files(tmp_path / "more", {**SUPPLIER_FILES, **CATALOGUE_FILES})
    import_folder(store, HOSPITAL, folder, frozen_clock())
    purchasing_day(store, HOSPITAL, START)
    propose(desk(store, Watch(START)), item, supplier, yuan(price))
    door = desk(store, Watch(frozen_clock().real_now()))
    door.entrance.make_first("set-up-code!", ActorId("99999"), "Keeper", PASSWORD, "")
    for number, role in PEOPLE.items():
        secret = door.accounts.add(ActorId("99999"), ActorId(number), number, [Grant(role)])
        door.entrance.accept(secret, PASSWORD, "")
    nurse = Grant(Role.NURSE, frozenset({PlaceId("ward-01")}))
    door.entrance.accept(door.accounts.add(ActorId("99999"), ActorId("50001"), "50001", [nurse]), PASSWORD, "")
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(plus(START, 3600)))
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as one:
        yield one


def test_c1_a_report_below_the_share_is_refused_in_plain_words_and_taken_with_its_reason(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    path = f"/agreements/{BATCH}/{GROUP}/report"
    assert "a reason and its evidence are needed" in buyer.said(f"{path}?lang=en", qty=300)
    assert buyer.post(path, qty=300, reason="ward closed", evidence="minutes 3") == 303
    page = buyer.get("/agreements?lang=en")
    assert "75.0% of last year" in page
    assert "too little reported" in page
    assert "1 offer asks more than the winning price" in page
    alert = page.split("1 offer asks more than the winning price")[1].split("</p>")[0]
    assert "(fictional)" in alert, "the supplier stands there by its name"


def test_c5_a_dear_product_is_stopped_waived_by_a_doctor_and_then_approved_by_the_buyer(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    page = buyer.get("/proposals?lang=en")
    assert f"/agreements/alerts?finding=high-price&amp;item={DEAR}&amp;supplier=S01" in page
    assert "selected: Central venous catheter kit" in re.sub(r"\s+", " ", page)
    chosen = re.findall(r'name="id" value="(\w+)"', page)
    version = re.findall(r'name="version" value="(\w+)"', page)
    form = {"id": chosen, "version": version, "qty": ["5"]}
    told = buyer.said("/proposals?lang=en", act="approve", chosen=chosen, **form)
    assert "1 was not done" in told
    assert "· Central store – dear and not selected" in re.sub(r"<[^>]+>|\s+", " ", told)
    waiver = {"finding": "high-price", "item": DEAR, "supplier": "S01", "reason": "medical", "last": "2026-04-01"}
    assert buyer.post("/agreements/alerts", **waiver) == 403
    doctor = Somebody(client, "40001")
    assert "a dear product needs a medical reason" in doctor.said(
        "/agreements/alerts?lang=en", **{**waiver, "last": ""}
    )
    assert doctor.post("/agreements/alerts", **waiver) == 303
    buyer = Somebody(client, "10023")
    assert "1 order made." in buyer.said("/proposals?lang=en", act="approve", chosen=chosen, **form)
    page = buyer.get("/agreements/alerts")
    assert "dear and not selected" in page
    order = re.search(r'href="(/orders/PO-[\w-]+)"', page)
    assert order is not None
    assert "dear and not selected" in buyer.get(order[1])


def test_a7_an_amendment_over_the_winning_price_is_stopped_and_the_page_says_by_what(tmp_path: Path) -> None:
    for client in served(tmp_path, KIT, "S02", "268"):
        buyer = Somebody(client, "10023")
        page = buyer.get("/proposals?lang=en")
        form = {name: re.findall(rf'name="{name}" value="(\w+)"', page) for name in ("id", "version")}
        buyer.said("/proposals?lang=en", act="approve", chosen=form["id"], qty=["5"], **form)
        order = re.search(r'href="(/orders/PO-[\w-]+)"', buyer.get("/orders"))
        assert order is not None
        dearer = {"qty": ["5"], "price": ["268.01"], "reason": "the maker raised it"}
        told = re.sub(r"\s+", " ", buyer.said(f"{order[1]}/versions/new", **dearer))
        assert "This stands in the way of ordering it: over the winning price" in told
        assert "以下原因使其不能采购： 高于中选价" in re.sub(
            r"\s+", " ", buyer.said(f"{order[1]}/versions/new?lang=zh", **dearer)
        )


def test_a_stopped_proposal_approved_on_the_overview_leads_to_where_it_is_told_why(client: TestClient) -> None:
    head = Somebody(client, "10001")
    page = head.get("/?lang=en")
    found = re.search(r'action="/proposals/(\w+)/approve', page)
    version = re.search(r'name="version" value="(\w+)"', page)
    assert found is not None
    assert version is not None
    fields = {"version": version[1], "word": head._word}
    answer = client.post(f"/proposals/{found[1]}/approve", data=fields, headers=FROM_HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/proposals?lang=en")


def test_c7_the_quarters_pack_is_handed_out_as_a_workbook(client: TestClient) -> None:
    Somebody(client, "10023")
    answer = client.get("/agreements/pack.xlsx?quarter=2026Q1")
    assert answer.headers["content-disposition"] == 'attachment; filename="vbp-2026Q1.xlsx"'
    assert len(load_workbook(BytesIO(answer.content)).sheetnames) == 6
    assert client.get("/agreements/pack.xlsx?quarter=2026Q9").status_code == 400


def test_b4_a_buyer_opens_an_incident_and_the_head_blocks_and_lifts(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    assert "Say what happened" in buyer.said("/suppliers/S01/cases?lang=en", kind="disruption", said="fire")
    assert buyer.post("/suppliers/S01/cases", kind="incident", said="false papers") == 303
    page = buyer.get("/suppliers/S01?lang=en")
    assert "Block the supplier" not in page, "a buyer does not block"
    case = re.search(r"/cases/(SC-\w+)/", page)
    assert case is not None
    head = Somebody(client, "10001")
    assert "Block the supplier" in head.get("/suppliers/S01?lang=en")
    assert head.post(f"/suppliers/S01/cases/{case[1]}/block") == 303
    assert "blocked" in head.get("/suppliers?lang=en")
    assert "Say what was done" in head.said(f"/suppliers/S01/cases/{case[1]}/lift?lang=en")
    assert head.post(f"/suppliers/S01/cases/{case[1]}/lift", said="cleared") == 303


def test_a4_an_item_is_drafted_given_evidence_and_approved_by_the_head(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    new = {"item": "HC-NEW", "name_zh": "新导管", "name_en": "New catheter", "unit_zh": "根", "unit_en": "piece"}
    new |= {"class_": "high", "criticality": "normal"}
    assert "Nothing was drafted" in buyer.said("/catalogue?lang=en", **{**new, "item": KIT})
    assert buyer.post("/catalogue", **new) == 303
    item = "/catalogue/items/HC-NEW"
    sent = {"title": "ethics committee", "number": "EC-7", "word": buyer._word}
    file = {"file": ("minutes.pdf", b"%PDF-1.4", "application/pdf")}
    assert client.post(f"{item}/evidence", data=sent, files=file, headers=FROM_HERE).status_code == 303
    page = buyer.get(f"{item}?lang=en")
    assert 'action="/catalogue/items/HC-NEW/approve"' not in page
    kept = client.get(f"{item}/evidence/0")
    assert (kept.content, kept.headers["content-type"]) == (b"%PDF-1.4", "application/octet-stream")
    assert kept.headers["content-disposition"].startswith("attachment")
    head = Somebody(client, "10001")
    assert head.post(f"{item}/approve") == 303
    assert Somebody(client, "10023").post(f"{item}/activate") == 303
    assert ">active<" in Somebody(client, "10023").get(f"{item}?lang=en")


def test_a1_the_head_decides_a_review_and_a_buyer_does_not(client: TestClient) -> None:
    path = f"/catalogue/review/2026Q1/{PLAIN}"
    assert Somebody(client, "10023").post(path, decision="retire", reason="rare") == 403
    head = Somebody(client, "10001")
    assert "Say why" in head.said(f"{path}?lang=en", decision="retire")
    assert head.post(path, decision="retire", reason="rare") == 303
    assert "rare" in head.get("/catalogue/review")


def test_a5_a_price_reached_is_noted_with_its_cut(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    said = buyer.said("/agreements/bargaining/2026H1/HC-GAUZE?lang=en", price="0.9")
    assert "Nothing was noted" in said
    assert 'value="0.9"' in said, "what was typed stays, to be put right"
    assert buyer.post("/agreements/bargaining/2026H1/HC-GAUZE", price="0.8") == 303
    assert "somebody noted its price before" in buyer.said(
        "/agreements/bargaining/2026H1/HC-GAUZE?lang=en", price="0.7"
    )
    assert "5.8%" in buyer.get("/agreements/bargaining?lang=en")


def test_a_storekeeper_sees_no_price_and_a_nurse_no_page_of_purchasing(client: TestClient) -> None:
    keeper = Somebody(client, "20001")
    for path in ("/agreements", "/agreements/alerts", "/catalogue", "/catalogue/review"):
        assert "¥" not in keeper.get(path), path
    for path in ("/suppliers", "/agreements/frameworks", "/agreements/bargaining", "/agreements/pack.xlsx"):
        assert client.get(path).status_code == 403, path
    Somebody(client, "50001")
    for path in PAGES:
        assert client.get(path).status_code == 403, path


def test_the_pages_are_whole_in_chinese(client: TestClient) -> None:
    head = Somebody(client, "10001")
    for path in PAGES:
        words = re.sub(r"<[^>]+>", " ", head.get(f"{path}?lang=zh").split("<main", 1)[1].split("</main>", 1)[0])
        strange = [one for one in re.findall(r"[A-Za-z]{4,} [A-Za-z]{3,}", words) if "carriage" not in one]
        assert [one for one in strange if one not in {"paid from", "Chinese English"}] == [], path


def test_an_order_that_came_by_a_file_says_so_where_others_name_who_approved(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    for path in ("/orders/OLD-77", "/orders"):
        assert "由文件导入" in buyer.get(f"{path}?lang=zh")
        assert "taken over from a file" in buyer.get(f"{path}?lang=en")


def test_an_id_that_is_not_there_is_a_page_that_says_so(client: TestClient) -> None:
    Somebody(client, "10001")
    for path in ("/suppliers/S99", "/catalogue/items/HC-NONE", f"/catalogue/items/{KIT}/evidence/7"):
        assert client.get(path).status_code == 404, path


def test_a8_a_year_whose_holidays_nobody_knows_is_told_on_the_page_until_the_hospital_says_its_days(
    tmp_path: Path,
) -> None:
    """No library knows the holidays of 2031 yet; the hospital's own calendar of it makes it known, no day alone."""
    store, later = buying_hospital(tmp_path / "files").store, from_iso("2031-10-08T09:00:00+08:00")
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), store, frozen_clock(later)), base_url="http://127.0.0.1") as client:
        assert "2031 年的节假日安排尚未收录" in client.get("/agreements/cycle?lang=zh").text
        assert "The public holidays of 2031 are not known yet" in client.get("/agreements/cycle?lang=en").text
        assert client.get("/api/v1/purchase-cycle").json()["unknown_years"] == [2031]
        head, own = "day,working,source_doc\n", "2031-09-09,0,the hospital's own day\n"
        import_folder(store, HOSPITAL, write_files(tmp_path / "own", {"calendar.csv": head + own}), frozen_clock(later))
        assert client.get("/api/v1/purchase-cycle").json()["unknown_years"] == [2031]
        off = (
            "01-01",
            "01-22",
            "01-23",
            "01-24",
            "01-25",
            "04-04",
            "05-01",
            "05-02",
            "06-24",
            "10-01",
            "10-02",
            "10-03",
        )
        days = {"calendar.csv": head + "".join(f"2031-{day},0,notice of 2030\n" for day in off)}
        import_folder(store, HOSPITAL, write_files(tmp_path / "days", days), frozen_clock(later))
        assert "are not known yet" not in client.get("/agreements/cycle?lang=en").text
        assert client.get("/api/v1/purchase-cycle").json()["unknown_years"] == []
