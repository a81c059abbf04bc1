"""Runs made for one mistake: a busy counter with a twin, a central put back amid late messages, pages of two versions.

Each returns the laws that were broken. The rule that must not be broken: without the mistake a play breaks none, which
the test of the mutants checks too.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from protocols.errors import PeerBroke
from protocols.sync.feed import WARD, FeedRow, Fetcher, Held, checksum_of, pack_rows, row_text
from protocols.sync.frames import Offer, Snapshot
from tests.simulation.chaos import faults_of, run
from tests.simulation.disks_taken import BACKUP_EVERY_S
from tests.simulation.faults import HUB, Fault, Kind
from tests.simulation.world import Setting

BETWEEN_NAMES = 37
FAULT_EVERY_S = 6.0
"""Before those kinds are left out that do not matter to a mutant."""

GREETS_AFTER_S = 15.0
"""An edge that central no longer knows greets so long after it was told, at the soonest."""


@dataclass(frozen=True, slots=True)
class Days:
    """Some hours with the faults of these kinds only: others would only make the run longer."""

    kinds: frozenset[Kind]
    hours: float = 4.0

    def __call__(self, seed: str) -> list[str]:
        """Play it."""
        setting = Setting(seed, self.hours)
        faults = [fault for fault in faults_of(setting, FAULT_EVERY_S) if fault.kind in self.kinds]
        return run(setting, faults).violations


def busy_with_twins(seed: str) -> list[str]:
    """Somebody at the counter every three seconds, and the machine has a twin: both speak all the time."""
    setting = Setting(seed, 0.2, wards=("ward-01",), act_every_s=3.0)
    return run(setting, [Fault(100.0, Kind.CLONE, ward, 0.0) for ward in setting.wards]).violations


def late_messages_after_a_restore(seed: str) -> list[str]:
    """Central is put back to its copy of two hours again and again; what it said since comes late while edges greet.

    The copy must know the running sessions: of one that does not, nothing said before is believed for its token.
    """
    setting = Setting(seed, 2.4, wards=("ward-01", "ward-02"), act_every_s=20.0, loss=0.0)
    faults: list[Fault] = []
    for nth in range(4):
        restored = Fault(BACKUP_EVERY_S + 300.0 + 240.0 * nth, Kind.HUB_RESTORED, HUB, 0.05)
        faults.append(restored)
        for ward in setting.wards:
            after = restored.at_s + restored.lasts_s + GREETS_AFTER_S
            faults += [Fault(round(after + n * 0.05, 3), Kind.STALE, ward, (n * 37 % 100) / 100) for n in range(900)]
    return run(setting, sorted(faults, key=lambda fault: fault.at_s)).violations


def a_central_that_forgot_its_facts(seed: str) -> list[str]:
    """A disk that lied learns from central what it had written; then central is put back to before all that."""
    setting = Setting(seed, 1.0, wards=("ward-01",), gentle=False, act_every_s=30.0)
    lies = [Fault(1200.0 + 180 * at, Kind.EDGE_LIES, ward, 0.9) for at in range(5) for ward in setting.wards]
    return run(setting, [*lies, Fault(3000.0, Kind.HUB_RESTORED, HUB, 0.2)]).violations


def pages_of_two_versions(_seed: str) -> list[str]:
    """A second version is published between two pages of the first; what is put together must be one of them."""
    one, two = _rows(("pqrs", "tuvw")), _rows(("PQRS", "TUVW"))
    fetcher = Fetcher({})
    fetcher.offered([Offer(WARD, 2, checksum_of(two))])
    fetcher.ask(0.0)
    fetcher.take(_page(1, one, 0))
    fetcher.ask(1.0)
    try:
        whole = fetcher.take(_page(2, two, 1))
    except PeerBroke:
        return []
    if whole is None or checksum_of(whole.rows) in {checksum_of(one), checksum_of(two)}:
        return []
    return [f"feed: {Held(whole.version)} is no version that ever was"]


def _rows(names: Sequence[str]) -> Sequence[FeedRow]:
    return [FeedRow("item", f"I{number}", row_text({"name": name})) for number, name in enumerate(names)]


def _page(version: int, rows: Sequence[FeedRow], page: int) -> Snapshot:
    """Return one part of a version's blob, cut between two names, so that parts of two versions can be joined."""
    packed = pack_rows(rows)
    parts = packed[:BETWEEN_NAMES], packed[BETWEEN_NAMES:]
    return Snapshot(WARD, version, checksum_of(rows), hashlib.sha256(packed).digest(), page, 2, parts[page])
