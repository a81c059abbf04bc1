"""Search from every page's box, an item on every shelf, a lot's reach, what expires; jobs, rules and tokens."""

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from central.core.sounds import sounds_of
from central.services.imports import import_folder
from central.services.secrets_kept import form_word
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from tests.central.hospital import FILES, HOSPITAL, KIT, Ward, frozen_clock, tags, write_files
from tests.central.town import Town, town

TOKEN = "9f2c" * 8


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The town; one kit of lot K1 was used on a patient, and gauze of lot G1 expires in three weeks."""
    folder = tmp_path_factory.mktemp("town")
    built = town(folder)
    ward = Ward(built.store, "ward-02")
    ward.open(KIT, "K1", tags(2, start=100), at_s=50)
    line = PostingLine(KIT, 1, "ward-02", "patient@ward-02", lot="K1", unit=tags(1, start=100)[0])
    ward.say("use", write_body(MovementBody((line,), patient=TOKEN)), 500, actor="N1001")
    lots = FILES["lots.csv"].replace("2028-06-01", "2026-03-23")
    import_folder(built.store, HOSPITAL, write_files(folder / "lots", {"lots.csv": lots}), frozen_clock())
    return built


@pytest.fixture
def client(there: Town) -> Iterator[TestClient]:
    with TestClient(there.app, base_url="http://127.0.0.1", follow_redirects=False) as one:
        one.cookies.set("lang", "en")
        yield one


def come(client: TestClient, there: Town, caller: str) -> None:
    client.cookies.set("wardstock_session", there.sessions[caller])


@pytest.mark.parametrize(
    ("name", "initials", "part"),
    [
        ("一次性使用中心静脉导管包", "ycxsyzxjmdgb", "zhongxinjingmai"),
        ("重组胶原蛋白", "czjydb", "chongzu"),
        ("PICC 导管 4Fr", "piccdg4fr", "daoguan4fr"),
        ("", "", ""),
    ],
)
def test_a_name_is_heard_by_its_initials_and_its_spelling(name: str, initials: str, part: str) -> None:
    heard = sounds_of(name)
    assert heard.initials == initials
    assert part in heard.spelled


WIDE = {ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789HCKIT-"}
"""Signs as a Chinese keyboard may type them: full-width."""


@pytest.mark.parametrize(
    "asked",
    [
        *("导管包", "zxjmdgb", "ZXJM", "jingmai", "catheter kit", "7fr×20", "hc-kit", "6999990101047"),
        *("(01)06999990101047", "HC-KIT".translate(WIDE), "6999990101047".translate(WIDE)),
    ],
)
def test_an_item_is_found_by_name_sound_code_specification_and_gtin(
    client: TestClient, there: Town, asked: str
) -> None:
    come(client, there, "purchaser")
    answer = client.get("/search", params={"q": asked})
    if answer.status_code == 303:
        assert answer.headers["location"] == f"/items/{KIT}"
    else:
        assert f'href="/items/{KIT}"' in answer.text


def test_one_thing_that_fits_is_gone_to_at_once_and_nothing_of_another_ward_is_found(
    client: TestClient, there: Town
) -> None:
    order, epc = there.names["order_no"], there.names["unit"]
    come(client, there, "ward-keeper@ward-01")
    assert client.get("/search", params={"q": order.lower()}).headers["location"] == f"/orders/{order}"
    assert client.get("/search", params={"q": epc}).headers["location"] == f"/trace?q={epc}"
    come(client, there, "ward-keeper@ward-02")
    for asked in (order, epc):
        answer = client.get("/search", params={"q": asked})
        assert (answer.status_code, "Nothing you may see fits" in answer.text) == (200, True)
    come(client, there, "administrator")
    assert client.get("/search", params={"q": order}).status_code == 403


@pytest.mark.parametrize("asked", ["", "x", "%%", "__", "' OR 1=1", "导", "\u0000\u0000"])
def test_a_search_that_means_nothing_says_what_to_enter(client: TestClient, there: Town, asked: str) -> None:
    come(client, there, "purchaser")
    answer = client.get("/search", params={"q": asked})
    assert answer.status_code == 200
    assert 'class="empty"' in answer.text


def test_an_item_stands_with_book_physical_and_how_sure_on_every_shelf(client: TestClient, there: Town) -> None:
    come(client, there, "head-of-consumables")
    page = client.get(f"/items/{KIT}").text
    assert "Intensive care" in page
    assert "General surgery" in page
    assert re.search(r'data-label="Book"><span class="cell">6<', page)
    assert re.search(r'data-label="Physical"><span class="cell below">5<', page)
    assert ">S1<" in page
    come(client, there, "nurse@ward-02")
    assert "Intensive care" not in client.get(f"/items/{KIT}").text


def test_a_lot_s_reach_names_storerooms_patients_and_what_is_left(client: TestClient, there: Town) -> None:
    come(client, there, "storekeeper")
    address = {"item": KIT, "lot": "K1"}
    page = client.get("/lots", params=address).text
    assert TOKEN in page
    assert all(unit in page for unit in tags(6))
    assert re.search(r"Still in storerooms <b>7</b>", page)
    assert re.search(r"Used on patients <b>1</b>", page)
    come(client, there, "nurse@ward-01")
    own = client.get("/lots", params=address).text
    assert (TOKEN in own, "General surgery" in own) == (False, False)
    assert client.get("/lots", params={"item": KIT, "lot": "none"}).status_code == 404


def test_a_lot_is_recalled_on_the_page_seen_and_lifted(client: TestClient, there: Town) -> None:
    come(client, there, "storekeeper")
    told = {"item": KIT, "lot": "K2", "why": "letter of the maker", "word": form_word(there.sessions["storekeeper"])}
    assert client.post("/recalls", data=told | {"item": "HC-NONE"}).status_code == 400
    made = client.post("/recalls", data=told)
    assert (made.status_code, made.headers["location"]) == (303, f"/lots?item={KIT}&lot=K2")
    assert "letter of the maker" in client.get(made.headers["location"]).text
    assert client.post("/recalls/lift", data=told).status_code == 303
    assert client.post("/recalls/lift", data=told).status_code == 409
    come(client, there, "nurse@ward-01")
    assert "Recall a lot" not in client.get("/recalls").text


def test_what_expires_soon_stands_first_and_only_of_the_own_ward(client: TestClient, there: Town) -> None:
    come(client, there, "storekeeper")
    page = client.get("/expiry", params={"days": 90}).text
    assert "21 days left" in page
    assert "Central store" in page
    assert "Nothing in these storerooms expires" in client.get("/expiry", params={"days": 0}).text
    come(client, there, "nurse@ward-02")
    assert "Gauze" not in client.get("/expiry", params={"days": 90}).text
    assert client.get("/expiry", params={"place": "ward-01"}).status_code == 403


def test_jobs_tell_what_ran_and_rules_tell_their_source(client: TestClient, there: Town) -> None:
    come(client, there, "administrator")
    assert client.get("/jobs").status_code == 200
    rules = client.get("/rules", params={"q": "reorder.window"}).text
    assert "reorder.window_days" in rules
    assert "D4 (S0)" in rules
    come(client, there, "nurse@ward-01")
    assert client.get("/jobs").status_code == 403


def test_a_token_is_made_shown_once_used_and_revoked_by_its_own_person(client: TestClient, there: Town) -> None:
    come(client, there, "purchaser")
    word = form_word(there.sessions["purchaser"])
    assert client.post("/tokens", data={"name": "", "word": word}).status_code == 400
    assert client.post("/tokens", data={"name": "x", "days": "5000", "word": word}).status_code == 400
    made = client.post("/tokens", data={"name": "price list", "scope": "read", "days": "7", "word": word}).text
    (secret,) = re.findall(r"<code>([\w-]{43})</code>", made)
    assert secret not in client.get("/tokens").text
    as_program = {"authorization": f"Bearer {secret}"}
    client.cookies.clear()
    assert client.get("/api/v1/orders", headers=as_program).status_code == 200
    address = f"/api/v1/proposals/{there.names['proposal']}/approve"
    assert client.post(address, json={"version": "x"}, headers=as_program).status_code == 403, "it only reads"
    come(client, there, "finance")
    other = form_word(there.sessions["finance"])
    assert client.post("/tokens/revoke", data={"name": "price list", "word": other}).status_code == 404
    come(client, there, "purchaser")
    assert client.post("/tokens/revoke", data={"name": "price list", "word": word}).status_code == 303
    client.cookies.clear()
    assert client.get("/api/v1/orders", headers=as_program).status_code == 401


def test_what_expires_and_how_far_a_lot_came_leave_as_tables_of_the_own_ward(client: TestClient, there: Town) -> None:
    come(client, there, "storekeeper")
    expiring = client.get("/exports/expiring.csv").text
    assert "main-store" in expiring
    reach = client.get("/exports/lot.csv", params={"item": KIT, "lot": "K1"}).text
    assert (TOKEN in reach, reach.count("\n")) == (True, 9)
    come(client, there, "nurse@ward-01")
    own = client.get("/exports/lot.csv", params={"item": KIT, "lot": "K1"}).text
    assert (TOKEN in own, own.count("\n")) == (False, 7)
    assert "main-store" not in client.get("/exports/expiring.csv").text
