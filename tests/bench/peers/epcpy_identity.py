"""Runs in epcpy's environment: EPCs a second that it decodes into identity and element string, one hex a line."""

import sys
import time

from epcpy.utils.parsers import hex_to_tag_encodable  # type: ignore[import-not-found]  # an environment of its own

ROUNDS = 5


def main() -> None:
    """Print the best rate of some rounds."""
    codes = sys.stdin.read().split()
    best = 0.0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for code in codes:
            read = hex_to_tag_encodable(code)
            if not read.epc_uri or not read.gs1_element_string():
                raise SystemExit(f"epcpy: expected an identity of {code}")
        best = max(best, len(codes) / (time.perf_counter() - began))
    sys.stdout.write(str(best))


main()
