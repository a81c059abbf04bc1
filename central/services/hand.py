"""A ward without a device of its own: take, use, receive, give back and count, scan by scan, on a phone or a PC.

Acts become entries of central's own chain, by the same table of movements and the same rules of stock as everywhere. A
form that is sent twice is done once. The rule that must not be broken: a ward with a device is written by that device.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from central.core.feed import EDGE_ROLES
from central.core.hand import KINDS, Act, Doing, No, Refusal, Thing, decide
from central.core.notes import Note
from central.core.rights import Caller, Right
from central.core.uses import mirrored
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.counts_taken import take_in_counts
from central.services.documents import Documents
from central.services.hand_lookup import Read, shelf_of, thing_of
from central.services.hand_notes import number_in, waiting_for
from central.services.his import His
from central.services.own_chain import Draft, append_within
from central.store import queries_charges as charges
from central.store import queries_hand as kept
from central.store.merge import add_new, merge
from central.store.queries_master import LEVEL_WARD, Place, places
from central.store.tables.master import LOT
from central.store.tables.once import ONCE
from protocols.errors import BadValue
from protocols.movements.bodies import write_body
from protocols.movements.counts import CountBody, CountLine
from protocols.movements.posting import MovementBody, PostingLine
from protocols.movements.table import movement_of
from protocols.values.ids import ActorId, PlaceId, lot_no
from protocols.values.instant import Instant, business_day, plus
from protocols.values.quantity import LINE_QTY_MAX

ONCE_MAX = 64
CODE_MAX = 512
LOT_MAX = 64
PATIENT_MAX = 128
UNDO_S_MAX = 3600.0
"""How long whoever acted may take it back here; later it is a matter for the keeper and a discrepancy."""
RECENT = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """One act as a form says it; `once` names the form, so that it is done once."""

    doing: Doing
    code: str
    qty: int
    once: str
    lot: str = ""
    expiry: date | None = None
    patient: str = ""
    emergency: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.code.strip()) <= CODE_MAX:
            raise BadInput(f"code: expected 1 to {CODE_MAX} characters, got {len(self.code.strip())}")
        if not (0 if self.doing is Doing.COUNT else 1) <= self.qty <= LINE_QTY_MAX:
            raise BadInput(f"qty: expected a whole number from 1 to {LINE_QTY_MAX}, got {self.qty}")
        try:
            lot_no(self.lot.strip())
        except BadValue as error:
            raise BadInput(f"lot: {error}") from error
        if len(self.lot) > LOT_MAX or len(self.patient) > PATIENT_MAX or not 1 <= len(self.once) <= ONCE_MAX:
            raise BadInput("form: expected what the page sends, got longer texts; open the page again")


@dataclass(frozen=True, slots=True)
class Done:
    """What was written: the event (hex), empty where the form was done before; the thing, and what was unusual.

    `thing` is None and `note` its number where a whole delivery was received.
    """

    event: str
    thing: Thing | None
    flags: tuple[str, ...] = ()
    proposed: str = ""
    note: str = ""


class Hands:
    """The wards of one hospital that have no device."""

    def __init__(self, documents: Documents, his: His) -> None:
        self._documents, self._his, self._hospital = documents, his, documents.hospital

    def rooms(self, caller: Caller) -> list[Place]:
        """Return the wards without a device that the caller may act in."""
        scope = caller.scope(Right.MOVE_STOCK)
        with self._documents.store.read() as connection:
            found = places(connection, self._hospital)
        return [one for one in found if one.level == LEVEL_WARD and not one.device and PlaceId(one.place) in scope]

    def room(self, caller: Caller, place: str) -> Place:
        """Return one of them. Raises `NotAllowed`, `NotThere`, and `NotNow` for a ward that has a device."""
        caller.need(Right.MOVE_STOCK, PlaceId(place))
        with self._documents.store.read() as connection:
            found = next((one for one in places(connection, self._hospital) if one.place == place), None)
        if found is None or found.level != LEVEL_WARD:
            raise NotThere(f"ward: expected one that was imported, got {place!r:.40}")
        if found.device:
            raise NotNow(f"ward: {place} has a device of its own, which writes its book; scan there")
        return found

    def act(self, caller: Caller, place: str, asked: Asked) -> Done | Refusal:
        """Do one act, or say why not. Raises as `room` does, and `NotAllowed` for an act that a role may not record."""
        ward = PlaceId(self.room(caller, place).place)
        self._may_record(caller, ward, KINDS[asked.doing])
        now = self._documents.clock.now()
        patient = self._his.hidden(asked.patient) if asked.patient.strip() and asked.doing is Doing.USE else ""
        number = number_in(asked.code.strip()) if asked.doing is Doing.RECEIVE else ""
        with self._documents.store.write() as connection:
            if number:
                return self._receive_note(connection, caller, ward, number, asked.once)
            read = thing_of(
                connection, self._hospital, asked.doing, asked.code.strip(), asked.lot.strip(), asked.expiry
            )
            if isinstance(read, Refusal):
                return read
            thing = Thing(read.item, read.lot, read.unit, read.expiry, 1 if read.unit and asked.qty else asked.qty)
            if not self._is_new(connection, caller, asked.once, now):
                return Done("", thing)
            done = self._write(connection, caller, ward, asked, thing, read, patient)
            if isinstance(done, Refusal):
                kept.forget_once(connection, self._hospital, caller.person, asked.once)
            return done

    def waiting(self, caller: Caller, place: str) -> Sequence[Note]:
        """Return the deliveries on their way to a ward, each received by one scan of its paper, the newest first."""
        ward = PlaceId(self.room(caller, place).place)
        with self._documents.store.read() as connection:
            return waiting_for(connection, self._hospital, ward, self._documents.clock.now())

    def _receive_note(
        self, connection: Connection, caller: Caller, ward: PlaceId, number: str, once: str
    ) -> Done | Refusal:
        """Receive everything on a delivery note, or say that none of that number is on its way."""
        now = self._documents.clock.now()
        note = next((one for one in waiting_for(connection, self._hospital, ward, now) if one.number == number), None)
        if not self._is_new(connection, caller, once, now):
            return Done("", None, note=number)
        if note is None:
            kept.forget_once(connection, self._hospital, caller.person, once)
            return Refusal(No.NO_NOTE)
        refs = tuple(name for name in (note.order, note.number) if name)
        body = write_body(MovementBody(note.lines, refs=refs))
        return Done(self._append(connection, caller, KINDS[Doing.RECEIVE], body), None, note=number)

    def recent(self, caller: Caller, place: str) -> Sequence[kept.Acted]:
        """Return the last acts written here, the newest first."""
        self.room(caller, place)
        with self._documents.store.read() as connection:
            return kept.recent(connection, self._hospital, place, RECENT)

    def sheet(self, caller: Caller, place: str) -> kept.Sheet | None:
        """Return the count sheet that is open, None where there is none."""
        self.room(caller, place)
        with self._documents.store.read() as connection:
            return kept.open_sheet(connection, self._hospital, place)

    def end_count(self, caller: Caller, place: str) -> kept.Sheet:
        """Close the open sheet. Raises `NotNow` where none is open."""
        ward = PlaceId(self.room(caller, place).place)
        self._may_record(caller, ward, KINDS[Doing.COUNT])
        with self._documents.store.write() as connection:
            sheet = kept.open_sheet(connection, self._hospital, place)
            if sheet is None:
                raise NotNow("count: expected an open sheet, there is none; count something first")
            self._count(connection, caller, CountBody(sheet.number, "close", ward, cut=self._cut(connection)))
        return sheet

    def undo(self, caller: Caller, place: str, event: str) -> None:
        """Take back one's own act of the last hour. Raises `NotThere`, `NotNow` for one that is over or undone."""
        ward = PlaceId(self.room(caller, place).place)
        self._may_record(caller, ward, "reversal")
        with self._documents.store.write() as connection:
            one = kept.acted(connection, self._hospital, place, event)
            if one is None or one.actor != caller.person:
                raise NotThere("act: expected one of your own here, got another")
            if one.undone or one.kind == "reversal" or one.at < plus(self._documents.clock.now(), -UNDO_S_MAX):
                raise NotNow("act: expected one of the last hour that stands, this one does not; tell the keeper")
            lines = mirrored(charges.lines_of_event(connection, self._hospital, event))
            body = MovementBody(tuple(lines), reverses=event)
            self._append(connection, caller, "reversal", write_body(body))

    def _may_record(self, caller: Caller, ward: PlaceId, kind: str) -> None:
        """Raise `NotAllowed` unless the table of movements lets one of the caller's roles here record this kind."""
        held = {
            word
            for grant in caller.grants
            if not grant.places or ward in grant.places
            for word in EDGE_ROLES.get(grant.role, ())
        }
        who = movement_of(kind).who
        if caller.read_only or not held & set(who):
            raise NotAllowed(f"{kind}: expected one of {', '.join(who)} for {ward}, {caller.person} is none of them")

    def _is_new(self, connection: Connection, caller: Caller, once: str, now: Instant) -> bool:
        row = {
            "hospital": self._hospital, "person": caller.person, "key": f"{kept.ONCE_PREFIX}{once}", "fingerprint": b"",
            "status": 200, "media_type": "", "body": b"", "made_at": self._documents.clock.real_now(),
        }  # fmt: skip
        return bool(add_new(connection, ONCE, [row]))

    def _write(
        self,
        connection: Connection,
        caller: Caller,
        ward: PlaceId,
        asked: Asked,
        thing: Thing,
        read: Read,
        patient: str,
    ) -> Done | Refusal:
        if asked.doing is Doing.COUNT:
            return self._count_line(connection, caller, ward, thing)
        shelf = shelf_of(connection, self._hospital, ward, thing, business_day(self._documents.clock.now()))
        decided = decide(asked.doing, thing, shelf, emergency=asked.emergency)
        if isinstance(decided, Refusal):
            return decided
        if asked.doing is Doing.RECEIVE and thing.lot and thing.expiry and thing.lot not in shelf.days:
            row = {"hospital": self._hospital, "item": thing.item, "lot": thing.lot, "made": read.made}
            merge(connection, LOT, [{**row, "expiry": thing.expiry}])
        body = self._body(decided, asked, patient)
        event = self._append(connection, caller, KINDS[asked.doing], write_body(body))
        return Done(event, thing, decided.flags, decided.proposed)

    def _body(self, act: Act, asked: Asked, patient: str) -> MovementBody:
        return MovementBody(
            tuple[PostingLine, ...](act.lines), label=asked.code.strip(), flags=act.flags, proposed=act.proposed,
            patient=patient,
        )  # fmt: skip

    def _count_line(self, connection: Connection, caller: Caller, ward: PlaceId, thing: Thing) -> Done:
        sheet = kept.open_sheet(connection, self._hospital, ward)
        cut = self._cut(connection)
        if sheet is None:
            number = f"{ward}.{business_day(self._documents.clock.now()):%Y%m%d}.{cut[-6:] or '0'}"
            self._count(connection, caller, CountBody(number, "open", ward, cut=cut))
        else:
            number = sheet.number
        expiry = "" if thing.expiry is None else thing.expiry.isoformat()
        line = CountLine(thing.item, thing.qty, thing.lot, unit=thing.unit, expiry=expiry)
        event = self._count(
            connection, caller, CountBody(number, "line", ward, cut=self._cut(connection), lines=(line,))
        )
        return Done(event, thing)

    def _count(self, connection: Connection, caller: Caller, body: CountBody) -> str:
        event = self._append(connection, caller, KINDS[Doing.COUNT], write_body(body))
        take_in_counts(connection, self._hospital)
        return event

    def _append(self, connection: Connection, caller: Caller, kind: str, body: dict[str, object]) -> str:
        draft = Draft(kind, body, ActorId(caller.person))
        return append_within(connection, self._hospital, [draft], self._documents.clock)[0].entry.event_id.hex()

    def _cut(self, connection: Connection) -> str:
        return kept.head_event(connection, self._hospital)
