"""The server of the benches of lists: central's own application, and beside it a bare endpoint on the same store.

`python -m tests.bench.stock_server CONFIG`. The bare endpoint asks the same page of one SQL query over a connection of
its own and writes it with orjson: no people, no rights, no readers, no comparison of book and shelf. `/worked` tells
the processor seconds of this process and the statements that SQLite was given since it was asked to count them.
"""

import sqlite3
import sys
import time
from pathlib import Path

import orjson
import uvicorn
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from central.bootstrap.application import build_app
from central.bootstrap.parts import clock_of, store_of
from central.bootstrap.server import listen
from central.config import read_config
from central.store.engine import Store

QUERY = """
SELECT b.item, i.name_zh, i.name_en, b.lot, l.expiry, sum(b.qty) FROM balance b
LEFT JOIN item i ON i.hospital = b.hospital AND i.item = b.item
LEFT JOIN lot l ON l.hospital = b.hospital AND l.item = b.item AND l.lot = b.lot
WHERE b.hospital = 'main' AND b.place = ? AND b.qty <> 0 GROUP BY b.item, b.lot ORDER BY b.item, b.lot LIMIT ?
"""
NAMES = ("item", "name_zh", "name_en", "lot", "expiry", "book")


def bare(path: Path) -> Route:
    """Return the endpoint that does no more than it must."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    async def lines(request: Request) -> Response:
        asked = request.query_params
        rows = connection.execute(QUERY, (asked["place"], int(asked["limit"]))).fetchall()
        said = [dict(zip(NAMES, row, strict=True)) | {"physical": row[-1], "difference": 0} for row in rows]
        return Response(orjson.dumps({"place": asked["place"], "items": said}), media_type="application/json")

    return Route("/bare", lines)


class Worked:
    """What this process has worked."""

    def __init__(self, store: Store) -> None:
        self._statements, self._counting = 0, False
        event.listen(store.engine, "checkout", self._watch)

    def _watch(self, raw: sqlite3.Connection, *_: object) -> None:
        raw.set_trace_callback(self._count if self._counting else None)

    def _count(self, statement: str) -> None:
        self._statements += not statement.startswith(("BEGIN", "ROLLBACK", "COMMIT"))

    async def tell(self, request: Request) -> Response:
        """Answer how much it was, and count or no longer count."""
        self._counting = request.query_params.get("count") == "1"
        return Response(orjson.dumps({"cpu_s": time.process_time(), "statements": self._statements}))


def main() -> None:
    """Serve until the process is ended."""
    config = read_config(Path(sys.argv[1]))
    with store_of(config) as store, listen(config) as bound:
        ours = build_app(config, store, clock_of(config))
        beside = [bare(config.path.parent / "central.db"), Route("/worked", Worked(store).tell)]
        app = Starlette(routes=[*beside, Mount("/", ours)])
        sys.stdout.write(f"{bound.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[bound])


if __name__ == "__main__":
    main()
