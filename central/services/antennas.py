"""What a storeroom's device told of its antennas: for how much of a time each listened, as its day's end recorded it.

It decides nothing: whether a deaf device still vouches for lines is said in `match`, its coverage in `stated`. The rule
that must not be broken: whoever speaks of antennas asks here, so that a match and a statement rest on the same duty.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from central.store.queries_evidence import Near, duties_of, duties_since
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.reports import DutyBody
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

IN_TIME = "done"
"""What a device tells late leaves out what it heard before it was started again."""


@dataclass(frozen=True, slots=True)
class Told:
    """One telling: when, the thousandths of its time each antenna listened, and whether it tells of all that time."""

    at: Instant
    heard: Mapping[str, int]
    in_time: bool

    @property
    def any_listened(self) -> bool:
        """Tell whether an antenna listened at all."""
        return any(self.heard.values())

    @property
    def coverage(self) -> float:
        """The share of the time that antennas listened, the mean over them."""
        return sum(self.heard.values()) / len(self.heard) / 1000


def antennas_told(connection: Connection, hospital: HospitalId, device: str) -> Iterator[Told]:
    """Return what a device told of its antennas, the newest first; a duty of a form that is not known tells nothing."""
    return _told(duties_of(connection, hospital, device))


def antennas_told_since(
    connection: Connection, hospital: HospitalId, devices: Collection[str], since: Instant
) -> dict[str, Iterator[Told]]:
    """Return the same of several devices, of what each recorded since an instant."""
    duties = duties_since(connection, hospital, devices, since)
    return {device: _told(duties[device]) for device in devices}


def _told(duties: Iterable[Near]) -> Iterator[Told]:
    for entry in duties:
        try:
            body = read_body(entry.body, DutyBody)
        except ProtocolsError:
            continue
        if body.heard:
            yield Told(entry.at, body.heard, body.state == IN_TIME)
