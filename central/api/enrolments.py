"""`/enrolments`: which devices may speak, new tickets, and shutting one out."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from central.api.door import Asks
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.core.enrolment import REASON_MAX, TOKEN_MINUTES, TOKEN_MINUTES_MAX
from central.core.rights import Right
from central.errors import BadInput
from central.services.desk import Desk
from central.services.enrolment import DeviceStanding
from central.store.paging import page_of
from protocols.errors import BadValue
from protocols.sync.enrolment import write_ticket
from protocols.values.ids import DeviceId, device_id
from protocols.values.instant import to_iso

Named = Annotated[str, Path(max_length=64)]


class EnrolmentOut(BaseModel):
    """How one device stands; instants are real time."""

    device: str
    place: str
    standing: str
    key: str | None
    certificate_until: str | None
    revoked_at: str | None
    reason: str
    token_until: str | None


class Enrolments(Listed):
    """Every device, by name."""

    items: list[EnrolmentOut]


class TicketAsked(BaseModel):
    """How long a new ticket is good."""

    minutes: int = Field(default=TOKEN_MINUTES, ge=1, le=TOKEN_MINUTES_MAX)


class TicketOut(BaseModel):
    """A ticket's text, as a code holds it; it is not shown again."""

    device: str
    ticket: str


class RevokeAsked(BaseModel):
    """Why a device is shut out."""

    reason: str = Field(min_length=1, max_length=REASON_MAX)


def enrolment_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("enrolments")

    @router.get("/enrolments")
    def enrolments(caller: Asks, page: Paged) -> Enrolments:
        """List the devices: enrolled or not, and until when."""
        every = sorted(desk.devices.listed(caller), key=_device)
        found = page_of("enrolments", every, _device, page.asked)
        desk.looks.saw(caller, "see-devices", "devices")
        return Enrolments(items=[_told(one) for one in found.items], next=page.next(found))

    @router.post("/enrolments/{device}/tickets", status_code=201)
    def ticket(caller: Asks, device: Named, asked: TicketAsked) -> TicketOut:
        """Make a ticket that lets one device in, once, soon; earlier ones of it end."""
        caller.need(Right.MANAGE_FLEET)
        made = desk.devices.ticket(caller.person, _named(device), asked.minutes)
        return TicketOut(device=made.device, ticket=write_ticket(made))

    @router.post("/enrolments/{device}/revoke")
    def revoke(caller: Asks, device: Named, asked: RevokeAsked) -> EnrolmentOut:
        """Shut a device out: it is refused from its next word on."""
        caller.need(Right.MANAGE_FLEET)
        name = _named(device)
        desk.devices.revoke(caller.person, name, asked.reason)
        return next(_told(one) for one in desk.devices.standings() if one.known.device == name)

    return router


def _named(text: str) -> DeviceId:
    try:
        return device_id(text)
    except BadValue as error:
        raise BadInput(str(error)) from error


def _device(one: DeviceStanding) -> tuple[str]:
    return (str(one.known.device),)


def _told(one: DeviceStanding) -> EnrolmentOut:
    key = one.key
    return EnrolmentOut(
        device=one.known.device,
        place=one.known.place,
        standing=one.standing.value,
        key=None if key is None else key.key_id,
        certificate_until=None if key is None else to_iso(key.until),
        revoked_at=None if key is None or key.revoked_at is None else to_iso(key.revoked_at),
        reason="" if key is None else key.reason,
        token_until=None if one.token_until is None else to_iso(one.token_until),
    )
