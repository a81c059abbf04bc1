"""The end point at which devices are enrolled: HTTPS of its own, by the hospital's own authority, apart from the API.

A device asks for the authority first, compares its fingerprint with the ticket's, and says its token only over a
connection that this authority vouches for. The rules that must not be broken: what comes is read up to its limit and no
further, and nobody is waited for without end; an answer tells a person what to do, and nothing of what is kept.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import Depends, FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from central.errors import BadInput, CentralError, NotAllowed, NotReady, TooMany
from central.services.enrolment import Devices
from protocols.errors import PeerBroke
from protocols.sync.enrolment import (
    AUTHORITY,
    BODY_BYTES_MAX,
    ENROL,
    KEYS,
    RENEW,
    Enrolled,
    read_asking,
    read_renewing,
    write_enrolled,
    write_keys,
)

JSON = "application/json"
START_S_MAX = 10.0
STOP_S_MAX = 5.0
AT_ONCE_MAX = 64
"""Requests answered at a time; a hospital's devices renew one by one."""
CONNECTION_S_MAX = 30.0
"""A connection lives no longer, whether it says something or not; an edge waits 20 s for an answer."""

log = logging.getLogger("wardstock.enrolment")


async def _body(request: Request) -> bytes:
    """Return what was sent, up to the limit: the framework reads a body only this way."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > BODY_BYTES_MAX:
            raise BadInput(f"request: expected at most {BODY_BYTES_MAX} bytes, got more")
    return bytes(data)


_SENT = Depends(_body)


STATUS_OF: dict[type[Exception], int] = {NotAllowed: 403, TooMany: 429, BadInput: 400, PeerBroke: 400}
"""The one table from a refusal's type to its status; whatever is not here is 409."""


def build_enrolling(devices: Devices) -> FastAPI:
    """Return the application of the end point."""
    app = FastAPI(title="Wardstock enrolment", openapi_url=None, docs_url=None, redoc_url=None)

    @app.get(AUTHORITY)
    def authority() -> Response:
        return PlainTextResponse(devices.authority())

    @app.get(KEYS)
    def keys() -> Response:
        return Response(write_keys(devices.certified()), media_type=JSON)

    @app.post(ENROL)
    def enrol(sent: bytes = _SENT) -> Response:
        return _told(devices.enrol(read_asking(sent)), "enrolled")

    @app.post(RENEW)
    def renew(sent: bytes = _SENT) -> Response:
        return _told(devices.renew(read_renewing(sent)), "given a new certificate")

    app.add_exception_handler(CentralError, _refuse)
    app.add_exception_handler(PeerBroke, _refuse)
    app.add_exception_handler(NotReady, _not_ready)
    app.add_exception_handler(ClientDisconnect, _gone)
    return app


def _told(said: Enrolled, what: str) -> Response:
    log.info("%s is %s, key %s", said.device, what, said.key_id)
    return Response(write_enrolled(said), media_type=JSON)


def _refuse(_request: Request, error: Exception) -> Response:
    log.warning("refused: %s", error)
    status = next((code for kinds, code in STATUS_OF.items() if isinstance(error, kinds)), 409)
    return JSONResponse({"error": str(error)}, status)


def _not_ready(_request: Request, error: Exception) -> Response:
    """Say that it is central's fault; which file it is, is for its log alone."""
    log.error("not ready: %s", error)
    return JSONResponse({"error": "central's keys are not in order; its log says which; try again later"}, 503)


def _gone(_request: Request, _error: Exception) -> Response:
    log.info("a connection ended before its request did")
    return Response(status_code=400)  # nobody reads it


def _hasty(seconds: float) -> type[asyncio.Protocol]:
    """Return how connections are kept: none longer than so, for silent ones would keep every device out."""

    class Hasty(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._end = self.loop.call_later(seconds, transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            self._end.cancel()
            super().connection_lost(exc)

    return Hasty


@dataclass(frozen=True, slots=True)
class Served:
    """Where and with what the end point is served, and how long a connection may last."""

    host: str
    port: int
    certificate: Path
    key: Path
    connection_s: float = CONNECTION_S_MAX


class EnrolmentServer:
    """The end point on a thread of its own."""

    def __init__(self, devices: Devices, served: Served) -> None:
        self._where = f"{served.host}:{served.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                build_enrolling(devices),
                host=served.host,
                port=served.port,
                ssl_certfile=served.certificate,
                ssl_keyfile=served.key,
                log_level="warning",
                access_log=False,
                limit_concurrency=AT_ONCE_MAX,
                http=_hasty(served.connection_s),
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._run, name="enrolment", daemon=True)

    def start(self, wait: Callable[[float], object]) -> None:
        """Begin to answer. Raises `NotReady` when the port cannot be had; `wait` lets some seconds pass."""
        self._thread.start()
        for _ in range(round(START_S_MAX / 0.05)):
            if self._server.started or not self._thread.is_alive():
                break
            wait(0.05)
        if not self._server.started:
            raise NotReady(
                f"enrolment: expected a free port at {self._where}, got none; "
                "stop the other program, or set another [enrolment] port"
            )

    def stop(self) -> None:
        """End, after what is under way."""
        self._server.should_exit = True
        self._thread.join(STOP_S_MAX)

    def _run(self) -> None:
        try:
            self._server.run()
        except SystemExit:  # the way uvicorn says that it cannot listen
            log.warning("enrolment: %s cannot be listened at", self._where)
