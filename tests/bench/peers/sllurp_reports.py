"""Runs in sllurp's environment: tag reports a second that it decodes from the RO_ACCESS_REPORT whose hex comes in."""

import sys
import time

from sllurp.llrp import LLRPMessage  # type: ignore[import-not-found]  # an environment of its own

ROUNDS, REPEATS = 5, 5


def main() -> None:
    """Print the best rate of some rounds."""
    raw = bytes.fromhex(sys.stdin.read())
    best = 0.0
    for _ in range(ROUNDS):
        began, found = time.perf_counter(), 0
        for _ in range(REPEATS):
            found += len(LLRPMessage(msgbytes=raw).msgdict["RO_ACCESS_REPORT"]["TagReportData"])
        best = max(best, found / (time.perf_counter() - began))
    sys.stdout.write(str(best))


main()
