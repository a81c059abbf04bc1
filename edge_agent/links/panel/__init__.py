"""The ward panel's server: one page, its state as JSON, and every change of it as server-sent events. Read-only.

It runs on threads of its own and knows nothing of stock: the agent hands it a state, it hands the last one to whoever
looks. It is off unless it is configured, and works without network and central. The rules that must not be broken:
nothing that a browser sends changes anything, and nobody who looks can hold the agent up.
"""

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from edge_agent.errors import LinkFault

CLIENTS_MAX = 8
"""Browsers that watch at once: a panel or two, and somebody who helps from afar."""
WAIT_S = 10.0
"""Seconds after which a watcher is told that the panel is still there, so that a dead one is noticed."""
REQUEST_S = 5.0
PAGES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/panel.js": ("panel.js", "text/javascript; charset=utf-8"),
    "/panel.css": ("panel.css", "text/css; charset=utf-8"),
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Panel:
    """The server of one storeroom's panel. `publish` may be called from the agent's thread at any time."""

    def __init__(self, host: str, port: int) -> None:
        self._state = b"{}"
        self._number = 0
        self._changed = threading.Condition()
        self._watchers = 0
        self._asked = False
        self._stopping = False
        try:
            self._server = _Server((host, port), self)
        except OSError as error:
            said = error.strerror or error
            raise LinkFault(f"panel.listen: {host}:{port} does not open: {said}; choose another address") from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="panel", daemon=True)

    @property
    def address(self) -> str:
        """Return HOST:PORT as it listens."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    @property
    def watched(self) -> bool:
        """Tell whether anybody looks, or asked since the last state, so that the book is asked for nobody in vain."""
        return self._watchers > 0 or self._asked

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Let everybody go."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def publish(self, state: Mapping[str, Any]) -> None:
        """Show a state from now on; the same state again disturbs nobody."""
        raw = json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode()
        with self._changed:
            self._asked = False
            if raw != self._state:
                self._state, self._number = raw, self._number + 1
                self._changed.notify_all()

    # --- for the server's threads ---

    def now(self) -> tuple[int, bytes]:
        """Return the state shown and its number."""
        with self._changed:
            return self._number, self._state

    def ask(self) -> bytes:
        """Return the state shown, and let the next one be made: for whoever asks now and then and does not watch."""
        with self._changed:
            self._asked = True
            return self._state

    def wait(self, seen: int) -> tuple[int, bytes] | None:
        """Return the next state after one that was seen, None after `WAIT_S` without one or when it is over."""
        with self._changed:
            if self._number == seen and not self._stopping:
                self._changed.wait(WAIT_S)
            return None if self._number == seen or self._stopping else (self._number, self._state)

    @property
    def stopping(self) -> bool:
        """Tell whether the panel ends."""
        return self._stopping

    def come(self) -> bool:
        """Count a watcher in; False when there is no room."""
        with self._changed:
            if self._watchers >= CLIENTS_MAX:
                return False
            self._watchers += 1
            return True

    def leave(self) -> None:
        """Count a watcher out."""
        with self._changed:
            self._watchers -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(self, address: tuple[str, int], panel: Panel) -> None:
        self.panel = panel
        super().__init__(address, _Request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that went away."""
        del request, client_address


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "wardstock", ""
    timeout = REQUEST_S
    server: _Server

    def do_GET(self) -> None:
        path = self.path.split("?", 1)[0]
        if path == "/events":
            self._watch()
        elif path == "/state":
            self._answer(HTTPStatus.OK, self.server.panel.ask(), "application/json; charset=utf-8")
        elif path in PAGES:
            name, kind = PAGES[path]
            self._answer(HTTPStatus.OK, (files(__package__) / name).read_bytes(), kind)
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"expected / or /state or /events\n", "text/plain; charset=utf-8")

    def log_message(self, format: str, *args: object) -> None:
        """Write no line for a request: the panel is looked at all day."""

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _watch(self) -> None:
        panel = self.server.panel
        if not panel.come():
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, b"too many watch already\n", "text/plain; charset=utf-8")
            return
        try:
            self.close_connection = True
            self.send_response(HTTPStatus.OK)
            for name, value in {**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self._tell(panel)
        finally:
            panel.leave()

    def _tell(self, panel: Panel) -> None:
        number, state = panel.now()
        if number:
            self._event(state)
        else:
            self._beat()  # nothing was ever shown: the first look follows at once
        while not panel.stopping:
            told = panel.wait(number)
            if told is None:
                self._beat()
                continue
            number, state = told
            self._event(state)

    def _beat(self) -> None:
        self.wfile.write(b": still here\n\n")
        self.wfile.flush()

    def _event(self, state: bytes) -> None:
        self.wfile.write(b"data: " + state + b"\n\n")
        self.wfile.flush()
