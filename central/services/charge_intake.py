"""Take in charges that another system shows in a view or gives as a file, row by row.

The rule that must not be broken: a row that does not fit is told with its place in the source, and the rest goes on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection

from central.core.charge_rows import COLUMNS, ChargeSaid, read_row
from central.errors import CentralError, NotThere
from central.links.his_view import HisView
from central.services.documents import Documents
from central.services.his import His
from central.store import queries_charges as kept
from central.store.queries_master import places

ROWS_A_TRANSACTION = 200


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row of a source: where it stands there, and its cells by our words."""

    row: str
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of some rows: charges that were new, those known already, and what does not fit."""

    fresh: int
    known: int
    faults: tuple[kept.Fault, ...]


@dataclass(frozen=True, slots=True)
class Intake:
    """One way in: `source` is `view` or `csv`, `name` what its faults are kept under, `wards` their wards to ours.

    With `used` a charge writes its use where the storeroom has none.
    """

    his: His
    documents: Documents
    source: str
    name: str
    wards: Mapping[str, str]
    used: bool

    def take_in(self, rows: Iterable[SourceRow], person: str) -> TakenIn:
        """Take in rows, some a transaction; rows that do not fit are kept as faults until they do."""
        fresh, known, faults = 0, 0, list[kept.Fault]()
        for part in _parts(rows):
            with self.documents.store.write() as connection:
                said = [(one, self._one(connection, one, person)) for one in part]
                told = [
                    kept.Fault(self.name, one.row, answer, self.documents.clock.now())
                    for one, answer in said
                    if isinstance(answer, str)
                ]
                kept.keep_faults(connection, self.documents.hospital, self.name, [one.row for one in part], told)
            fresh += sum(answer is True for _, answer in said)
            known += sum(answer is False for _, answer in said)
            faults += told
        return TakenIn(fresh, known, tuple(faults))

    def _one(self, connection: Connection, one: SourceRow, person: str) -> bool | str:
        """Take in one row; tells whether it was new, or why it does not fit."""
        try:
            said = read_row(one.cells, self.wards)
            known = kept.charge(connection, self.documents.hospital, said.charge)
            with connection.begin_nested():
                self._take(connection, said, person)
        except CentralError as error:
            return str(error)
        return known is None

    def _take(self, connection: Connection, said: ChargeSaid, person: str) -> None:
        if said.place not in {room.place for room in places(connection, self.documents.hospital)}:
            raise NotThere(f"ward: expected a storeroom, got {said.place!r:.40}; map it in [his] wards")
        item, lot, unit, qty = "", "", "", said.qty
        if not said.refunds:
            item, lot, unit, qty = self.his.charge_for(connection, said.label, said.code, said.qty, said.at)
        one = kept.Charge(
            charge=said.charge, refunds=said.refunds, at=said.at, place=said.place, item=item, lot=lot, unit=unit,
            qty=qty, code=said.code, patient=self.his.hidden(said.patient), source=self.source, reason=said.reason,
            person=person, received_at=self.documents.clock.now(),
        )  # fmt: skip
        self.his.take(connection, one, used=self.used)


def _parts(rows: Iterable[SourceRow]) -> Iterator[list[SourceRow]]:
    each = iter(rows)
    while part := list(islice(each, ROWS_A_TRANSACTION)):
        yield part


def named_by_us(cells: Mapping[str, object], columns: Mapping[str, str]) -> dict[str, object]:
    """Return a row's cells by our words; without a mapping the source's names are ours."""
    return {name: cells.get(columns.get(name, "" if columns else name)) for name in COLUMNS}


def read_view(intake: Intake, view: HisView, columns: Mapping[str, str], person: str) -> str:
    """Take in what a view shows above the mark, and move the mark; returns what came of it in words.

    Raises `NotReady` where the view does not answer; then the mark stands.
    """
    store, hospital = intake.documents.store, intake.documents.hospital
    with store.read() as connection:
        mark = kept.mark(connection, hospital, intake.name)
    rows = view.rows(mark)
    if not rows:
        return "no new charges"
    done = intake.take_in(
        [SourceRow(f"{view.mark} {row[view.mark]}", named_by_us(row, columns)) for row in rows], person
    )
    with store.write() as connection:
        kept.keep_mark(connection, hospital, intake.name, str(rows[-1][view.mark]), intake.documents.clock.now())
    return f"{done.fresh} charges taken in, {done.known} known already, {len(done.faults)} do not fit"
