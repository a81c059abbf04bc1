"""Runs in sllurp's own environment: reads HOST PORT until it knows TAGS tags, then prints their EPCs as JSON."""

import json
import os
import sys
import threading

from sllurp.llrp import LLRPReaderClient, LLRPReaderConfig  # type: ignore[import-not-found]  # an environment of its own

LIMIT_S = 60


def main(host: str, port: str, tags: str) -> None:
    """Collect EPCs from tag reports."""
    seen: set[str] = set()
    whole = threading.Event()

    def take(_reader: object, reports: list[dict[str, bytes]]) -> None:
        for report in reports:
            seen.add((report.get("EPC-96") or report["EPC"]).decode().upper())
        if len(seen) >= int(tags):
            whole.set()

    config = LLRPReaderConfig({"antennas": [1, 2], "report_every_n_tags": 5, "keepalive_interval": 1000})
    reader = LLRPReaderClient(host, int(port), config)
    reader.add_tag_report_callback(take)
    reader.connect()
    whole.wait(LIMIT_S)
    sys.stdout.write(json.dumps(sorted(seen)))
    sys.stdout.flush()
    reader.disconnect(timeout=2)
    os._exit(0)  # a thread of the client's own may wait on; what it read is told


main(*sys.argv[1:])
