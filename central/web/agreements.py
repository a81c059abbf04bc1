"""The pages of agreements: batches as they go, alerts and waivers, prices, bargaining, and the quarter's pack.

It decides nothing. The rule that must not be broken: amounts are drawn for who may see prices, and every look at them
is noted.
"""

from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from central.core.agreements import achieved, price_on, quarter_of
from central.core.order_checks import Excuse, Finding
from central.core.rights import Caller, Right
from central.errors import BadInput, NotNow, NotThere
from central.services.agreements import GroupView, goals_of, groups_now
from central.services.cycle import Timed, cycle_of
from central.services.desk import Desk
from central.services.order_checks import offers_over
from central.services.policy import rules_at
from central.services.vbp_pack import alert_rows, excel_of, pack_of
from central.store import queries_agreements as kept
from central.store.queries_master import items, suppliers
from central.store.queries_volumes import unnumbered
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import HEADERS, Renderer, Visit
from protocols.errors import BadValue
from protocols.values.ids import PlaceId
from protocols.values.instant import business_day
from protocols.values.money import yuan
from protocols.values.quantity import LINE_QTY_MAX

TEXT_MAX = 500
ROWS_SHOWN_MAX = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PACE_WIDTH, PACE_MOST = 200, 1.3
"""Of a bar in its own units, and the share of the agreed volume at its right end."""
MONTH_DAYS = 31

Text = Annotated[str, Form(max_length=TEXT_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]
EVERY_ALERT = frozenset(str(finding) for finding in Finding)


def add_agreements(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of agreements."""
    _add_vbp(pages, renderer, porter, desk)
    _add_alerts(pages, renderer, porter, desk)
    _add_frameworks(pages, renderer, porter, desk)
    _add_bargaining(pages, renderer, porter, desk)
    _add_cycle(pages, renderer, porter, desk)


def _add_vbp(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/agreements")
    def listed(request: Request) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        answer = _vbp_page(renderer, visit, caller, desk)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/agreements/{agreement}/{group}/report")
    def reported(
        request: Request,
        agreement: str,
        group: str,
        qty: Annotated[int, Form(ge=0, le=LINE_QTY_MAX)] = 0,
        reason: Text = "",
        evidence: Text = "",
        word: Word = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.PURCHASE)
        porter.check_form(request, visit, word)
        try:
            desk.agreements.report(caller, agreement, group, qty, reason, evidence)
        except BadInput:
            return _vbp_page(renderer, visit, caller, desk, fault=group, status=409)
        return RedirectResponse("/agreements", 303)

    @pages.get("/agreements/pack.xlsx")
    def pack(request: Request, quarter: Annotated[str, Query(max_length=8)] = "") -> Response:
        _, caller = porter.visit_of(request, Right.SEE_PRICES)
        desk.looks.saw(caller, "see-prices", "vbp-pack")
        chosen = quarter or quarter_of(business_day(desk.now()))
        with desk.store.read() as connection:
            content = excel_of(pack_of(connection, desk.hospital, chosen, desk.now()))
        named = {"Content-Disposition": f'attachment; filename="vbp-{chosen}.xlsx"'}
        return Response(content, media_type=XLSX, headers=HEADERS | named)


def _vbp_page(
    renderer: Renderer, visit: Visit, caller: Caller, desk: Desk, *, fault: str = "", status: int = 200
) -> Response:
    today = business_day(desk.now())
    with desk.store.read() as connection:
        found = groups_now(connection, desk.hospital, desk.now())
        catalogue = items(connection, desk.hospital)
        over, firms = offers_over(connection, desk.hospital, desk.now()), suppliers(connection, desk.hospital)
        goals = goals_of(rules_at(connection, desk.hospital, desk.now()))
    return renderer.page(
        "agreements.html.j2", visit, status, tab="vbp", rows=found, catalogue=catalogue, over=over, goals=goals,
        fault=fault, firms=firms, today=today, quarters=_quarters(today), bar=bar_of, may=caller.may(Right.PURCHASE),
        prices=desk.looks.sees_prices(caller, "vbp"),
    )  # fmt: skip


def _quarters(today: date) -> list[str]:
    """Return this quarter and the three before it."""
    found: list[str] = []
    day = today
    while len(found) < 4:
        found.append(quarter_of(day))
        day = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1) - timedelta(days=1)
    return found


def bar_of(one: GroupView) -> dict[str, float]:
    """Return the lengths of a group's bar: received, forecast, the agreed volume, and where the year stands."""
    pace = one.pace
    if pace is None:
        return {}
    unit = PACE_WIDTH / PACE_MOST
    shares = {"done": pace.completed, "forecast": pace.forecast, "elapsed": pace.elapsed, "agreed": 1}
    return {name: round(min(float(share), PACE_MOST) * unit, 1) for name, share in shares.items()}


def _add_alerts(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/agreements/alerts")
    def listed(
        request: Request,
        item: Annotated[str, Query(max_length=64)] = "",
        supplier: Annotated[str, Query(max_length=64)] = "",
        finding: Annotated[str, Query(max_length=32)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        answer = _alerts_page(renderer, visit, caller, desk, asked=(finding, item, supplier))
        keep_language(request, visit, answer)
        return answer

    @pages.post("/agreements/alerts")
    def waived(
        request: Request,
        finding: Text = "",
        item: Text = "",
        supplier: Text = "",
        reason: Text = "",
        remark: Text = "",
        last: Text = "",
        word: Word = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        porter.check_form(request, visit, word)
        if not caller.may(Right.GIVE_MEDICAL_REASON):
            caller.need(Right.PURCHASE)
        try:
            if finding not in set(Finding) or reason not in set(Excuse):
                raise BadInput("waiver: expected a finding and a reason of the lists")
            until = date.fromisoformat(last)
            desk.agreements.waive(
                caller, Finding(finding), item.strip(), supplier.strip(), Excuse(reason), remark, until
            )
        except (BadInput, NotThere, ValueError):
            return _alerts_page(
                renderer, visit, caller, desk, asked=(finding, item, supplier), fault="waiver", status=409
            )
        return RedirectResponse("/agreements/alerts", 303)


def _alerts_page(
    renderer: Renderer,
    visit: Visit,
    caller: Caller,
    desk: Desk,
    *,
    asked: tuple[str, str, str],
    fault: str = "",
    status: int = 200,
) -> Response:
    today = business_day(desk.now())
    first = today - timedelta(days=MONTH_DAYS)
    with desk.store.read() as connection:
        rows = alert_rows(connection, desk.hospital, first, today, EVERY_ALERT)[:ROWS_SHOWN_MAX]
        lacking = unnumbered(connection, desk.hospital, first, today)[:ROWS_SHOWN_MAX]
        given = [one for one in kept.waivers(connection, desk.hospital) if one.last >= today]
        catalogue, firms = items(connection, desk.hospital), suppliers(connection, desk.hospital)
    may = [
        finding
        for finding in Finding
        if finding is not Finding.WINNING_PRICE
        and caller.may(Right.GIVE_MEDICAL_REASON if finding is Finding.HIGH_PRICE else Right.PURCHASE)
    ]
    return renderer.page(
        "alerts.html.j2", visit, status, tab="alerts", rows=rows, lacking=lacking, given=given, catalogue=catalogue,
        firms=firms, first=first, today=today, may=may, excuses=list(Excuse), asked=asked, fault=fault,
        prices=desk.looks.sees_prices(caller, "alerts"),
    )  # fmt: skip


def _add_frameworks(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/agreements/frameworks")
    def listed(request: Request, q: Annotated[str, Query(max_length=64)] = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_PRICES)
        desk.looks.saw(caller, "see-prices", "frameworks")
        today = business_day(desk.now())
        with desk.store.read() as connection:
            agreed = kept.framework_prices(connection, desk.hospital)
            listed_at = kept.platform_items(connection, desk.hospital)
            catalogue, firms = items(connection, desk.hospital), suppliers(connection, desk.hospital)
        sought = q.strip().lower()

        def fits(item: str) -> bool:
            known = catalogue.get(item)
            said = (item, known.name_zh, known.name_en) if known is not None else (item,)
            return not sought or any(sought in text.lower() for text in said)

        platform = [one for one in listed_at if fits(one.item)]
        answer = renderer.page(
            "frameworks.html.j2", visit, tab="frameworks", question=q.strip(), today=today, catalogue=catalogue,
            agreed=[one for one in agreed if fits(one.item)][:ROWS_SHOWN_MAX], platform=platform[:ROWS_SHOWN_MAX],
            count=len(platform), firms=firms, in_force=lambda one: price_on([one], today) is not None,
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer


def _add_bargaining(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/agreements/bargaining")
    def listed(request: Request, half_year: Annotated[str, Query(max_length=8)] = "") -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_PRICES)
        answer = _bargaining_page(renderer, visit, caller, desk, half_year)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/agreements/bargaining/{half_year}/{item}")
    def settled(request: Request, half_year: str, item: str, price: Text = "", word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.PURCHASE)
        porter.check_form(request, visit, word)
        try:
            desk.agreements.settle(caller, half_year, item, yuan(price.strip()))
        except (BadInput, BadValue, NotNow) as error:
            fault = (item, price, "settled" if isinstance(error, NotNow) else "price")
            return _bargaining_page(renderer, visit, caller, desk, half_year, fault=fault)
        return RedirectResponse(f"/agreements/bargaining?{urlencode({'half_year': half_year})}", 303)


def _bargaining_page(
    renderer: Renderer,
    visit: Visit,
    caller: Caller,
    desk: Desk,
    half_year: str,
    *,
    fault: tuple[str, str, str] | None = None,
) -> Response:
    """Return the page; `fault` is the item whose price was not noted, what was typed, and why."""
    desk.looks.saw(caller, "see-prices", "bargaining")
    with desk.store.read() as connection:
        rounds = kept.rounds(connection, desk.hospital)
        chosen = half_year or (rounds[0] if rounds else "")
        rows = kept.bargains(connection, desk.hospital, chosen)
        catalogue = items(connection, desk.hospital)
        rules = rules_at(connection, desk.hospital, desk.now())
    least = (rules.number("bargain.cut_min"), rules.number("bargain.cut_max"))
    return renderer.page(
        "bargaining.html.j2", visit, 409 if fault else 200, tab="bargaining", rounds=rounds, chosen=chosen,
        rows=rows, fault=fault, catalogue=catalogue, achieved=achieved(rows), wanted=least,
        spent=rules.whole("bargain.spent_yuan"), may=caller.may(Right.PURCHASE),
    )  # fmt: skip


def _add_cycle(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/agreements/cycle")
    def cycle(request: Request) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_ORDERS)
        with desk.store.read() as connection:
            found = cycle_of(connection, desk.hospital, desk.now())
            firms = suppliers(connection, desk.hospital)

        def seen(timed: tuple[Timed, ...]) -> list[Timed]:
            return [one for one in timed if caller.may(Right.SEE_ORDERS, PlaceId(one.place))][:ROWS_SHOWN_MAX]

        mine, unsent = seen(found.orders), seen(found.unsent)
        answer = renderer.page(
            "cycle.html.j2", visit, tab="cycle", cycle=found, orders=mine, unsent=unsent, firms=firms
        )
        keep_language(request, visit, answer)
        return answer
