"""`/me`, `/people`, `/acts`: who asks and what they may do, the accounts, and the record of who did and saw what."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from central.api.door import Asks
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.core.rights import Grant, Right
from central.core.signin import Attempts
from central.services.desk import Desk
from central.store.audit import acts_page
from central.store.paging import page_of
from protocols.values.instant import to_iso


class GrantOut(BaseModel):
    """A role and the storerooms it is for; none means the whole hospital."""

    role: str
    places: list[str]


class Me(BaseModel):
    """Who asks, and every right that holds somewhere."""

    person: str
    name: str
    roles: list[GrantOut]
    rights: list[str]


class PersonOut(BaseModel):
    """One account."""

    person: str
    name: str
    active: bool
    roles: list[GrantOut]
    can_sign_in: bool
    one_time_codes: bool
    locked_until: str | None


class People(Listed):
    """Every account, by staff number."""

    items: list[PersonOut]


class ActOut(BaseModel):
    """One row of the record of acts."""

    seq: int
    at: str
    person: str
    act: str
    subject: str
    detail: dict[str, Any]


class Acts(Listed):
    """Rows of the record, the newest first; ask again with `before` for older ones."""

    items: list[ActOut]


def people_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("people")

    @router.get("/me")
    def me(caller: Asks) -> Me:
        """Tell who asks and what they may do."""
        rights = [right.value for right in Right if caller.may(right)]
        return Me(person=caller.person, name=caller.name, roles=_grants(caller.grants), rights=rights)

    @router.get("/people")
    def people(caller: Asks, page: Paged) -> People:
        """List the accounts."""
        found = page_of("people", desk.accounts.listed(caller), lambda one: (one.person,), page.asked)
        desk.looks.saw(caller, "see-people", "people")
        return People(
            next=page.next(found),
            items=[
                PersonOut(
                    person=one.person,
                    name=one.name,
                    active=one.active,
                    roles=_grants(one.grants),
                    can_sign_in=bool(one.password_hash),
                    one_time_codes=bool(one.totp_secret),
                    locked_until=_locked(one.attempts),
                )
                for one in found.items
            ],
        )

    @router.get("/acts")
    def record(
        caller: Asks,
        page: Paged,
        person: Annotated[str, Query(max_length=64)] = "",
    ) -> Acts:
        """List the record of who did and saw what."""
        caller.need(Right.SEE_AUDIT)
        desk.looks.saw(caller, "see-acts", person)
        with desk.store.read() as connection:
            found = acts_page(connection, desk.hospital, page.asked, person=person)
        return Acts(
            next=page.next(found),
            items=[
                ActOut(
                    seq=one.seq,
                    at=to_iso(one.at),
                    person=one.person,
                    act=one.act,
                    subject=one.subject,
                    detail=dict(one.detail),
                )
                for one in found.items
            ],
        )

    return router


def _grants(grants: tuple[Grant, ...]) -> list[GrantOut]:
    return [GrantOut(role=grant.role, places=sorted(grant.places)) for grant in grants]


def _locked(attempts: Attempts) -> str | None:
    return None if attempts.locked_until is None else to_iso(attempts.locked_until)
