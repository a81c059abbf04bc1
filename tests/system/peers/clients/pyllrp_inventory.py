"""Runs in pyllrp's own environment: takes one inventory of HOST PORT and prints the EPCs as JSON."""

import json
import sys

from pyllrp.LLRPConnector import LLRPConnector  # type: ignore[import-not-found]  # an environment of its own
from pyllrp.TagInventory import TagInventory  # type: ignore[import-not-found]  # an environment of its own

TRIES_MAX = 20


def main(host: str, port: str, tags: str) -> None:
    """Repeat its short inventory until all tags were seen."""
    LLRPConnector.connect.__defaults__ = (int(port),)  # its inventory knows no other port than 5084
    inventory = TagInventory(host, defaultAntennas=[1, 2])
    inventory.Connect()
    seen: set[str] = set()
    for _ in range(TRIES_MAX):
        found, _ = inventory.GetTagInventory()
        seen |= set(found)
        if len(seen) >= int(tags):
            break
    inventory.Disconnect()
    sys.stdout.write(json.dumps(sorted(seen)))


main(*sys.argv[1:])
