"""The pages over HTTP: languages, the button, and errors in plain words."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from central.errors import BadInput, NotNow, NotReady, NotThere
from central.services.orders import Approved
from central.services.overview import Name, Overview
from central.services.secrets_kept import form_word
from central.web.pages import REFRESH_S, PageSources, build_pages
from central.web.render import About
from protocols.values.ids import OrderNo
from tests.central.doors import open_desk
from tests.central.hospital import START
from tests.central.stores import migrated_store
from tests.central.web import hospitals

HAN = re.compile(r"[\u3400-\u9fff]")
LATIN_WORDS = re.compile(r"[A-Za-z]{3,}(?: [A-Za-z]{2,})+")
WORD = form_word("demo-buyer")
FROM_HERE = {"sec-fetch-site": "same-origin"}
NUMBER = OrderNo("PO-20260302-9F3A11C0")
FRESH, AGAIN = Approved(NUMBER, fresh=True), Approved(NUMBER, fresh=False)
ABOUT = About("1.2.3", told_time=False)


class Text(HTMLParser):
    """The words of a page with the language each is marked with."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []
        self.headings: list[int] = []
        self._languages = [""]
        self._void = {"meta", "link", "input"}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name in ("aria-label", "data-label", "title"):
            if found.get(name):
                self.said.append((self._languages[-1], str(found[name])))
        if tag not in self._void:
            self._languages.append(found.get("lang") or self._languages[-1])

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._void:
            self._languages.pop()

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.said.append((self._languages[-1], " ".join(data.split())))


def text_of(html: str) -> Text:
    parser = Text()
    parser.feed(html)
    return parser


def refuse(error: Exception) -> Callable[[str, str], Approved]:
    def approve(_proposal: str, _seen: str) -> Approved:
        raise error

    return approve


def sources(
    overview: Callable[[], Overview], approve: Callable[[str, str], Approved], refresh_s: int, about: About
) -> PageSources:
    return PageSources(
        overview=lambda _caller: overview(),
        approve=lambda _caller, proposal, seen: approve(proposal, seen),
        desk=open_desk(migrated_store(), START),
        refresh_s=refresh_s,
        about=about,
    )


def browser(
    overview: Callable[[], Overview] = hospitals.troubled,
    approve: Callable[[str, str], Approved] = lambda _proposal, _seen: FRESH,
    about: About = ABOUT,
) -> TestClient:
    app = FastAPI()
    app.mount("/", build_pages(sources(overview, approve, REFRESH_S, about)))
    return TestClient(app, follow_redirects=False, raise_server_exceptions=False)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with browser() as made:
        yield made


@pytest.mark.parametrize("overview", [hospitals.troubled, hospitals.half_connected, hospitals.calm, hospitals.empty])
def test_a_chinese_page_has_no_english_sentence(overview: Callable[[], Overview]) -> None:
    said = text_of(browser(overview).get("/").text).said
    assert said
    assert [text for lang, text in said if lang == "zh-CN" and LATIN_WORDS.search(text)] == []


@pytest.mark.parametrize("overview", [hospitals.troubled, hospitals.half_connected, hospitals.calm, hospitals.empty])
def test_an_english_page_has_no_chinese_word(overview: Callable[[], Overview]) -> None:
    said = text_of(browser(overview).get("/?lang=en").text).said
    assert said
    assert [text for lang, text in said if lang == "en" and HAN.search(text)] == []


def test_the_page_is_chinese_whatever_the_browser_speaks(client: TestClient) -> None:
    assert '<html lang="zh-CN">' in client.get("/", headers={"accept-language": "en"}).text
    assert '<html lang="zh-CN">' in client.get("/?lang=fr").text


def test_a_language_chosen_once_is_kept(client: TestClient) -> None:
    assert '<html lang="en">' in client.get("/?lang=en").text
    assert '<html lang="en">' in client.get("/").text
    assert '<html lang="zh-CN">' in client.get("/?lang=zh").text
    assert '<html lang="zh-CN">' in client.get("/").text


def test_headings_step_down_one_at_a_time(client: TestClient) -> None:
    levels = text_of(client.get("/").text).headings
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_nothing_inline_runs_and_nothing_is_fetched_from_outside(client: TestClient) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert " style=" not in answer.text
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", answer.text)


def test_every_static_file_of_the_page_is_there(client: TestClient) -> None:
    wanted = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get("/").text))
    assert len(wanted) == 3
    assert [client.get(path).status_code for path in wanted] == [200, 200, 200]


def test_names_from_outside_are_shown_as_text() -> None:
    def named() -> Overview:
        overview = hospitals.troubled()
        return replace(overview, hospital=Name("<script>alert(1)</script>", "<script>alert(1)</script>"))

    page = browser(named).get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_button_sends_what_the_buyer_saw_and_comes_back_with_the_order() -> None:
    pressed: list[tuple[str, str]] = []

    def approve(proposal: str, seen: str) -> Approved:
        pressed.append((proposal, seen))
        return FRESH

    client = browser(approve=approve)
    answer = client.post(
        "/proposals/a1b2c3d4e5f60718/approve?lang=en", data={"version": "v3", "word": WORD}, headers=FROM_HERE
    )
    assert answer.status_code == 303
    assert pressed == [("a1b2c3d4e5f60718", "v3")]
    page = client.get(answer.headers["location"]).text
    assert f"Purchase order {NUMBER}" in page


def test_a_second_press_says_when_it_was_approved_and_by_which_order() -> None:
    client = browser(approve=lambda _proposal, _seen: AGAIN)
    answer = client.post(
        "/proposals/a1b2c3d4e5f60718/approve?lang=en", data={"version": "v3", "word": WORD}, headers=FROM_HERE
    )
    page = client.get(answer.headers["location"]).text
    assert "Already approved at 18:10." in page
    assert f"It is purchase order {NUMBER}" in page
    assert "is made" not in page
    assert "已于 18:10 批准" in client.get(answer.headers["location"].replace("lang=en", "lang=zh")).text


@pytest.mark.parametrize("path", ["/?lang=en", "/nowhere?lang=en"])
def test_the_foot_of_every_page_names_the_version_and_the_api(client: TestClient, path: str) -> None:
    page = client.get(path).text
    assert "Wardstock 1.2.3" in page
    assert 'href="/api/v1/openapi.json"' in page
    assert "story clock" not in page


def test_the_foot_says_that_the_clock_is_a_storys_where_it_is() -> None:
    client = browser(about=About("1.2.3", told_time=True))
    assert "The clock is a story clock" in client.get("/?lang=en").text
    assert "演示时间" in client.get("/?lang=zh").text


def test_a_quantity_that_packs_or_a_minimum_raised_says_what_would_have_been_enough(client: TestClient) -> None:
    page = client.get("/?lang=en").text
    assert "11 would reach the level of 16. Only whole packs of 10: so 20." in page
    assert "9 would reach the level of 9. The minimum order is 12." in page
    assert "Up to 5." in page
    assert "补到上限 16 只需 11。按整包装 10 取整，订 20。" in client.get("/?lang=zh").text


def test_an_offline_wards_match_says_when_it_was_true(client: TestClient) -> None:
    page = client.get("/").text
    assert "截至 18:44" in page
    assert "其中 1 个科室失联，数据截至 18:44" in page
    assert '<strong class="quiet">100.0%</strong>' in page
    assert "as of" not in browser(hospitals.calm).get("/?lang=en").text


def test_a_discrepancy_says_what_the_book_claims_and_what_the_readers_say(client: TestClient) -> None:
    page = client.get("/?lang=en").text
    assert "Book: should be here (last entry: opening stock, Cardiology, 16:00)." in page
    assert "Readers: not seen; the probability that it is on the shelf is 1%." in page
    assert "Book: should not be here (last entry: issued, Cardiology, 16:41)." in page
    assert "在库可能性 1%" in client.get("/?lang=zh").text


def test_a_source_that_was_passed_over_is_measured_by_its_own_lead_time(client: TestClient) -> None:
    assert "一级库现有 0，按其到货周期需 2。" in client.get("/").text
    assert "Central store has 0; with its own lead time it would have had to send 2." in client.get("/?lang=en").text


def test_a_stale_proposal_gives_a_notice_and_not_an_error() -> None:
    client = browser(approve=refuse(NotNow("withdrawn")))
    answer = client.post("/proposals/a1b2c3d4e5f60718/approve", data={"version": "v3", "word": WORD}, headers=FROM_HERE)
    assert answer.status_code == 303
    page = client.get(answer.headers["location"])
    assert page.status_code == 200
    assert "未生成订单。" in page.text


def test_another_site_cannot_press_the_button() -> None:
    pressed: list[str] = []

    def approve(proposal: str, _seen: str) -> Approved:
        pressed.append(proposal)
        return FRESH

    client = browser(approve=approve)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}):
        answer = client.post("/proposals/a1b2/approve", data={"version": "v3", "word": WORD}, headers=headers)
        assert answer.status_code == 403
        assert "该请求不是从本系统页面发出的" in answer.text
    assert pressed == []


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (NotThere("x"), 404, "没有这个页面"),
        (BadInput("x"), 400, "无法识别该请求"),
        (NotReady("x"), 503, "系统尚未就绪"),
        (RuntimeError("secret"), 500, "系统出错了"),
    ],
)
def test_an_error_is_a_page_in_plain_words(error: Exception, status: int, word: str) -> None:
    answer = browser(approve=refuse(error)).post("/proposals/a1b2/approve", data={"word": WORD}, headers=FROM_HERE)
    assert answer.status_code == status
    assert word in answer.text
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_a_read_that_may_not_be_now_is_a_409_page() -> None:
    def overview() -> Overview:
        raise NotNow("x")

    answer = browser(overview).get("/?lang=en")
    assert answer.status_code == 409
    assert "This cannot be done now" in answer.text


def test_an_address_that_does_not_exist_is_a_page_and_under_the_api_json(client: TestClient) -> None:
    page = client.get("/wards/9?lang=en")
    assert page.status_code == 404
    assert "There is no such page" in page.text
    answer = client.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


def test_a_quantity_that_is_no_number_changes_nothing(client: TestClient) -> None:
    answer = client.post("/proposals/a1b2/approve", data={"version": "v" * 65, "word": WORD}, headers=FROM_HERE)
    assert answer.status_code == 400


def test_a_refresh_that_would_never_rest_is_refused() -> None:
    with pytest.raises(BadInput, match="at least"):
        sources(hospitals.calm, lambda _proposal, _seen: FRESH, 1, ABOUT)
