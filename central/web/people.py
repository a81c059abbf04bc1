"""The pages of people: the accounts with their roles, and the record of who did and saw what.

It decides nothing; the accounts do. The rule that must not be broken: an invitation is shown once, to who made it.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from central.core.rights import WARD_ROLES, Caller, Right, Role, grants_named
from central.errors import BadInput, NotAllowed, NotNow
from central.services.accounts import Accounts, staff_number
from central.store.audit import acts
from central.store.queries_master import LEVEL_WARD, places
from central.web.entrance import fault_of
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit

TEXT_MAX = 200
CHOSEN_MAX = 200

Text = Annotated[str, Form(max_length=TEXT_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]
Chosen = Annotated[Sequence[str], Form(max_length=CHOSEN_MAX)]

Saw = Callable[[Caller, str, str], None]


def add_people(pages: FastAPI, renderer: Renderer, porter: Porter, accounts: Accounts, saw: Saw) -> None:
    """Add the pages of people."""
    _add_list(pages, renderer, porter, accounts, saw)
    _add_changes(pages, renderer, porter, accounts)
    _add_record(pages, renderer, porter, accounts, saw)


def _add_list(pages: FastAPI, renderer: Renderer, porter: Porter, accounts: Accounts, saw: Saw) -> None:
    @pages.get("/people")
    def people(request: Request) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_PEOPLE)
        saw(caller, "see-people", "people")
        answer = _page(renderer, visit, caller, accounts)
        keep_language(request, visit, answer)
        return answer


def _add_changes(pages: FastAPI, renderer: Renderer, porter: Porter, accounts: Accounts) -> None:
    def changes(request: Request, word: str) -> tuple[Visit, Caller]:
        visit, caller = porter.visit_of(request, Right.MANAGE_PEOPLE)
        porter.check_form(request, visit, word)
        return visit, caller

    @pages.post("/people")
    def add(
        request: Request,
        staff: Text = "",
        name: Text = "",
        word: Word = "",
        role: Chosen = (),
        ward: Chosen = (),
    ) -> Response:
        visit, caller = changes(request, word)
        try:
            person = staff_number(staff)
            secret = accounts.add(caller.person, person, name, grants_named(role, ward))
        except (BadInput, NotNow) as error:
            return _page(renderer, visit, caller, accounts, fault=fault_of(error), status=400)
        return _page(renderer, visit, caller, accounts, invited=person, secret=secret)

    @pages.post("/people/{staff}/invite")
    def invite(request: Request, staff: str, word: Word = "") -> Response:
        visit, caller = changes(request, word)
        person = staff_number(staff)
        secret = accounts.invite(caller.person, person)
        return _page(renderer, visit, caller, accounts, invited=person, secret=secret)

    @pages.post("/people/{staff}/{switch}")
    def switch(request: Request, staff: str, switch: str, word: Word = "") -> Response:
        visit, caller = changes(request, word)
        if switch not in {"on", "off"}:
            raise BadInput(f"account: expected on or off, got {switch!r:.20}")
        try:
            accounts.switch(caller.person, staff_number(staff), active=switch == "on")
        except (NotAllowed, NotNow) as error:
            return _page(renderer, visit, caller, accounts, fault=fault_of(error), status=409)
        return RedirectResponse("/people", 303)


def _add_record(pages: FastAPI, renderer: Renderer, porter: Porter, accounts: Accounts, saw: Saw) -> None:
    @pages.get("/acts")
    def record(
        request: Request,
        before: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
        person: Annotated[str, Query(max_length=64)] = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_AUDIT)
        saw(caller, "see-acts", person)
        with accounts.store.read() as connection:
            found = acts(connection, accounts.hospital, before=before, person=person)
        answer = renderer.page("acts.html.j2", visit, acts=found, person=person, now=accounts.now())
        keep_language(request, visit, answer)
        return answer


def _page(
    renderer: Renderer,
    visit: Visit,
    caller: Caller,
    accounts: Accounts,
    *,
    invited: str = "",
    secret: str = "",
    fault: str = "",
    status: int = 200,
) -> Response:
    with accounts.store.read() as connection:
        wards = [one for one in places(connection, accounts.hospital) if one.level == LEVEL_WARD]
    return renderer.page(
        "people.html.j2",
        visit,
        status,
        people=accounts.listed(caller),
        wards=wards,
        roles=list(Role),
        ward_roles=WARD_ROLES,
        invited=invited,
        secret=secret,
        fault=fault,
        now=accounts.now(),
    )
