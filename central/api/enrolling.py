"""The end point at which devices are enrolled: HTTPS of its own, by the hospital's own authority, apart from the API.

A device asks for the authority first, compares its fingerprint with the ticket's, and says its token only over a
connection that this authority vouches for. The rules that must not be broken: what comes is read up to its limit and no
further; an answer tells a person what to do, and nothing of what is kept.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import Depends, FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from central.errors import BadInput, CentralError, NotAllowed, NotReady
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
    return app


def _told(said: Enrolled, what: str) -> Response:
    log.info("%s is %s, key %s", said.device, what, said.key_id)
    return Response(write_enrolled(said), media_type=JSON)


def _refuse(_request: Request, error: Exception) -> Response:
    log.warning("refused: %s", error)
    status = 403 if isinstance(error, NotAllowed) else 400 if isinstance(error, BadInput | PeerBroke) else 409
    return JSONResponse({"error": str(error)}, status)


@dataclass(frozen=True, slots=True)
class Served:
    """Where and with what the end point is served."""

    host: str
    port: int
    certificate: Path
    key: Path


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
