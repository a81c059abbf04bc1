"""Who asks an API route: a program with its token, somebody signed in at a browser, or everyone as one if configured.

It decides no right; each route asks for the one it needs. Requests are counted, but not those of an open house. The
rule that must not be broken: a browser's session changes nothing through the API unless the request says the session's
own word, which no other site can know.
"""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers

from central.core.rights import Caller
from central.errors import NotAllowed, NotSignedIn
from central.services.desk import Desk
from central.services.entrance import SESSION_COOKIE, Entrance
from central.services.metering import Meter
from central.services.secrets_kept import form_word, same

FORM_WORD_HEADER = "x-form-word"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_bearer = HTTPBearer(auto_error=False)


def who_asks(request: Request, token: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> Caller:
    """Return who asks, by the entrance of the application's state. Raises `NotSignedIn`, `NotAllowed`, `TooMany`."""
    entrance: Entrance = request.app.state.entrance
    meter: Meter | None = request.app.state.meter
    if token is not None:
        return _counted(meter, _by_token(entrance, meter, token.credentials, request))
    secret = request.cookies.get(SESSION_COOKIE, "")
    try:
        caller = entrance.by_session(secret)
    except NotSignedIn:
        everyone = entrance.open_caller()
        if everyone is None:
            raise
        return everyone
    if request.method not in SAFE and not same(request.headers.get(FORM_WORD_HEADER, ""), form_word(secret)):
        raise NotAllowed(f"expected the session's word in the header {FORM_WORD_HEADER}; use a token for programs")
    return _counted(meter, caller)


def token_of(headers: Headers) -> HTTPAuthorizationCredentials | None:
    """Return the token a request carries, as the framework hands it to a route."""
    scheme, _, said = headers.get("authorization", "").partition(" ")
    return HTTPAuthorizationCredentials(scheme=scheme, credentials=said) if scheme.lower() == "bearer" else None


def _by_token(entrance: Entrance, meter: Meter | None, secret: str, request: Request) -> Caller:
    """Return whom a token names; whoever tries many that are none is told to wait."""
    try:
        return entrance.by_token(secret)
    except NotSignedIn:
        if meter is not None:
            meter.take(f"unknown@{'' if request.client is None else request.client.host}")
        raise


def _counted(meter: Meter | None, caller: Caller) -> Caller:
    if meter is not None:
        meter.take(caller.person)
    return caller


Asks = Annotated[Caller, Depends(who_asks)]
"""What a route writes for its caller."""


def sees_prices(desk: Desk, caller: Caller, subject: str) -> bool:
    """Tell whether prices are shown to who asks, and note that they were."""
    return desk.looks.sees_prices(caller, subject)
