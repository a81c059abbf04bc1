"""Our decoders beside other people's on the same input, in one run: tag reports and EPCs.

Peers run in environments of their own, made on demand; where one cannot be made, its line says why and has no ratio.
The rule that must not be broken: a peer is asked for no more than we do ourselves.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from protocols.codes.epc import decode_epc
from protocols.readers.llrp.reports import TagReports
from tests.bench.measure import best_rate, report
from tests.bench.samples import a_report, different_items, tags
from tests.system.peers.environments import EPCPY, SLLURP, Peer

HERE = Path(__file__).parent / "peers"
PEER_TIMEOUT_S = 120
REPEATS = 20


def read_reports(raw: bytes) -> int:
    """Read one message again and again, as a session does."""
    reports = TagReports()
    return sum(len(reports.read_message(raw)) for _ in range(REPEATS))


def read_epcs(codes: list[str]) -> int:
    """Say all that each EPC says."""
    return len([decode_epc(code) for code in codes])


def peers_rate(peer: Peer, program: str, text: str) -> float:
    """Return what a peer's program says of this input; lets pytest's skip out where the peer cannot be installed."""
    run = [str(peer.program("python")), str(HERE / program)]
    done = subprocess.run(run, input=text, capture_output=True, text=True, check=True, timeout=PEER_TIMEOUT_S)
    return float(done.stdout)


def compare(subject: str, unit: str, ours: Callable[[], int], peer: Peer, program: str, text: str) -> None:
    """Print one line, or why there is none."""
    try:
        theirs = peers_rate(peer, program, text)
    except (pytest.skip.Exception, OSError, subprocess.SubprocessError) as error:
        sys.stdout.write(json.dumps({"bench": subject, "skipped": str(error)[:200]}) + "\n")
        return
    report(subject, unit=unit, ours_per_s=best_rate(ours), plain_per_s=theirs, plain=f"{peer.name} {peer.version}")


def main() -> None:
    """Measure and print."""
    raw, shared, different = a_report(), tags() * 4, different_items()
    compare("llrp_reports_sllurp", "tag reports", lambda: read_reports(raw), SLLURP, "sllurp_reports.py", raw.hex())
    for subject, codes in (("epc_identity_epcpy", shared), ("epc_identity_epcpy_all_different", different)):
        work = lambda codes=codes: read_epcs(codes)  # noqa: E731 - one line a way
        compare(subject, "EPCs", work, EPCPY, "epcpy_identity.py", "\n".join(codes))


main()
