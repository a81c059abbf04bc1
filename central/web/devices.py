"""The page of devices: which are enrolled and until when, how each fares, a new ticket as a code, and shutting one out.

It decides nothing; the enrolment does. The rule that must not be broken: a ticket is shown once, to who made it.
"""

from dataclasses import dataclass
from typing import Annotated

import segno
from fastapi import FastAPI, Form, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from central.core.enrolment import REASON_MAX, TOKEN_MINUTES, Enrolment
from central.core.rights import Caller, Right
from central.errors import BadInput, NotNow, NotReady, NotThere
from central.services.desk import Desk
from central.services.fleet import fleet
from central.services.safety import settle_clone, suspects
from central.store.queries_master import places
from central.web.entrance import fault_of
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from protocols.errors import BadValue
from protocols.sync.enrolment import Ticket, write_ticket
from protocols.values.ids import DeviceId, device_id

MODULE_PX, BORDER = 5, 4
"""Pixels of a module of the code, and modules of its quiet zone (ISO/IEC 18004, 5.3.8)."""

Word = Annotated[str, Form(max_length=WORD_MAX)]
Text = Annotated[str, Form(max_length=REASON_MAX)]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A ticket as it is shown: the code as SVG, made of numbers only, and the text it holds."""

    device: DeviceId
    code: Markup
    text: str
    minutes: int


def add_devices(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the page of devices."""
    devices = desk.devices

    @pages.get("/devices")
    def listed(request: Request) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_FLEET)
        desk.looks.saw(caller, "see-devices", "devices")
        answer = _page(renderer, visit, caller, desk)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/devices/{device}/ticket")
    def ticket(request: Request, device: str, word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_FLEET)
        porter.check_form(request, visit, word)
        try:
            made = devices.ticket(caller.person, _named(device), TOKEN_MINUTES)
        except (BadInput, NotNow, NotReady, NotThere) as error:
            return _page(renderer, visit, caller, desk, fault=fault_of(error), status=409)
        return _page(renderer, visit, caller, desk, drawn=drawn_of(made))

    @pages.post("/devices/{device}/revoke")
    def revoke(request: Request, device: str, reason: Text = "", word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_FLEET)
        porter.check_form(request, visit, word)
        try:
            devices.revoke(caller.person, _named(device), reason)
        except (BadInput, NotNow, NotThere) as error:
            return _page(renderer, visit, caller, desk, fault=fault_of(error), status=409)
        return RedirectResponse("/devices", 303)

    @pages.post("/devices/{device}/settle")
    def settle(request: Request, device: str, word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_FLEET)
        porter.check_form(request, visit, word)
        try:
            with devices.store.write() as connection:
                settle_clone(connection, devices.hospital, _named(device), caller.person, devices.now())
        except (BadInput, NotThere) as error:
            return _page(renderer, visit, caller, desk, fault=fault_of(error), status=409)
        return RedirectResponse("/devices", 303)


def drawn_of(ticket: Ticket) -> Drawn:
    """Draw a ticket."""
    text = write_ticket(ticket)
    code = segno.make(text, error="m").svg_inline(scale=MODULE_PX, border=BORDER, light="#fff", svgclass="code-drawn")
    return Drawn(ticket.device, Markup(code), text, TOKEN_MINUTES)


def _page(
    renderer: Renderer,
    visit: Visit,
    caller: Caller,
    desk: Desk,
    *,
    drawn: Drawn | None = None,
    fault: str = "",
    status: int = 200,
) -> Response:
    devices = desk.devices
    with devices.store.read() as connection:
        rooms = {one.place: one for one in places(connection, devices.hospital)}
        clones = dict(suspects(connection, devices.hospital))
        health = {one.seen.device: one for one in fleet(connection, devices.hospital, desk.now())}
    return renderer.page(
        "devices.html.j2",
        visit,
        status,
        devices=devices.listed(caller),
        rooms=rooms,
        clones=clones,
        health=health,
        Enrolment=Enrolment,
        enrols=devices.reach is not None,
        drawn=drawn,
        fault=fault,
        now=devices.now(),
        reason_max=REASON_MAX,
    )


def _named(text: str) -> DeviceId:
    try:
        return device_id(text)
    except BadValue as error:
        raise BadInput(str(error)) from error
