"""The hospital information system's side of a use: resolve a label, consume, unconsume; one scan on either side.

A piece is used exactly once. Whoever comes first writes the use; the other is answered with what stands. Where both
wrote before they could hear of each other, `settle` lets the storeroom's entry stand and reverses central's own. Loose
pieces have no name: a charge first goes with what the storeroom has used and nobody has charged. The rules that must
not be broken: the same number said again changes nothing; a patient stands here as a keyed hash, never as the token.

Source: E2 (S0), issue and charge one to one; I2, one entry, many uses.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from sqlalchemy import Connection

from central.core.charging import item_of, patient_ref
from central.core.rights import Caller, Right
from central.core.uses import Lying, contradicted, in_hand_first, mirrored, part_of, used_lines
from central.errors import BadInput, NotNow, NotReady, NotThere
from central.services.documents import Documents, check_text
from central.services.his_lookup import Resolved, Scanned, flags_of, patient_of, resolved, standing_use, what_is
from central.services.own_chain import Draft, append_within
from central.store import queries_charges as kept
from central.store.queries_master import expiries, places
from central.store.turns import one_at_a_time
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import Instant, business_day, plus
from protocols.values.quantity import LINE_QTY_MAX

NUMBER_MAX = 64
CODE_MAX = 512
PATIENT_MAX = 128
REASON_MAX = 200
LATE_S_MAX = 30 * 86_400.0
"""How far back both sides are brought together: a storeroom that was cut off for longer is a person's matter."""
AHEAD_S_MAX = 600.0
"""How far the other system's clock may be ahead."""


class Outcome(StrEnum):
    """What consuming or its undoing came to."""

    USED = "used"
    ALREADY = "already"
    CHARGED_ONLY = "charged-only"
    UNDONE = "undone"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Consume:
    """A use as the other system says it: its own number, what was scanned, where, for whom, and how many loose ones.

    `code` is a label, EPC, serial or item code; `charge_code` the other system's item, which then says how many base
    units one of it is. `at` is when it happened, if not now.
    """

    charge: str
    code: str
    place: PlaceId
    patient: str
    qty: int = 1
    charge_code: str = ""
    at: Instant | None = None

    def __post_init__(self) -> None:
        check_text("charge", self.charge, NUMBER_MAX)
        check_text("code", self.code or self.charge_code, CODE_MAX)
        check_text("patient", self.patient, PATIENT_MAX)
        if not 1 <= self.qty <= LINE_QTY_MAX:
            raise BadInput(f"qty: expected 1 to {LINE_QTY_MAX}, got {self.qty}")


@dataclass(frozen=True, slots=True)
class Unconsume:
    """What undoes a charge: its own number, the charge it names, how much of it (0: all that is left), and why.

    With `goods_back` the use is reversed too; without it only the money goes back.
    """

    charge: str
    of: str
    qty: int = 0
    goods_back: bool = True
    reason: str = ""

    def __post_init__(self) -> None:
        check_text("charge", self.charge, NUMBER_MAX)
        check_text("of", self.of, NUMBER_MAX)
        check_text("reason", self.reason, REASON_MAX, empty=True)
        if self.qty < 0:
            raise BadInput(f"qty: expected what goes back, or 0 for all of it, got {self.qty}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands now: the outcome, the charge, and the use: its event (hex), who wrote it, when, from which side.

    `warnings` tell what is unusual about the goods of a charge that names their lot: `expired`, `held` by a recall.
    """

    outcome: Outcome
    charge: kept.Charge
    event: str
    actor: str
    at: Instant | None
    side: str
    warnings: tuple[str, ...] = ()


class His:
    """The hospital information system's side of one hospital. `patient_key` is the storerooms' key, empty: none."""

    def __init__(self, documents: Documents, patient_key: bytes = b"") -> None:
        self._documents, self._key = documents, patient_key
        self._hospital = documents.hospital

    def resolve(self, caller: Caller, code: str, place: str = "") -> Resolved:
        """Tell what a label is. Raises `BadInput`, `NotThere`, `NotAllowed`."""
        check_text("code", code, CODE_MAX)
        caller.need(Right.SEE_STOCK, PlaceId(place) if place else None)
        with self._documents.store.read() as connection:
            return resolved(connection, self._hospital, caller, code, self._documents.clock.now())

    def consume(self, caller: Caller, said: Consume) -> Answer:
        """Use and charge in one. Raises `BadInput`, `NotThere`, `NotAllowed`, `NotReady`, and `NotNow` with what stands
        for a number known with another content, a piece charged already, or used on another patient.
        """
        caller.need(Right.CHARGE, said.place)
        now = self._documents.clock.now()
        with self._documents.store.write() as connection:
            one_at_a_time(connection, self._hospital, kept.CHARGING)
            fresh = self._charge_of(connection, caller, said, now)
            known = kept.charge(connection, self._hospital, said.charge)
            answer = self._consume(connection, fresh) if known is None else self._again(connection, known, fresh)
            named = answer.charge
            flags = flags_of(connection, self._hospital, named.item, {named.lot}, named.at)
            return replace(answer, warnings=flags)

    def unconsume(self, caller: Caller, said: Unconsume) -> Answer:
        """Undo a charge, all or in part. Raises as `consume` does; `NotNow` for more than is left."""
        caller.need(Right.CHARGE)
        with self._documents.store.write() as connection:
            one_at_a_time(connection, self._hospital, kept.CHARGING)
            first = kept.charge(connection, self._hospital, said.of)
            if first is None or first.refunds:
                raise NotThere(f"of: expected the number of a charge, got {said.of!r:.40}")
            caller.need(Right.CHARGE, PlaceId(first.place))
            known = kept.charge(connection, self._hospital, said.charge)
            left = first.qty - kept.refunded(connection, self._hospital, said.of)
            now = self._documents.clock.now()
            asked = said.qty * self.ratio_of(connection, first)
            fresh = replace(
                first, charge=said.charge, refunds=said.of, at=now, qty=-(asked or left), received_at=now,
                reason=said.reason.strip(), person=caller.person, source="api",
            )  # fmt: skip
            if known is not None:
                whole = replace(fresh, qty=known.qty) if not said.qty else fresh
                answer = self._again(connection, known, whole)
                if said.goods_back != self._gave_back(connection, answer, said):
                    raise _known_otherwise(said.charge)
                return answer
            if not 1 <= -fresh.qty <= left:
                raise NotNow(f"qty: expected at most {left} left of charge {said.of!r:.40}, got {-fresh.qty}")
            return self._unconsume(connection, fresh, goods_back=said.goods_back)

    def take(self, connection: Connection, fresh: kept.Charge, *, used: bool) -> Answer:
        """Take in a charge or refund that a view or a file tells of, inside the caller's transaction.

        With `used` a charge writes its use as `consume` does, else only what the storeroom wrote goes with it.
        """
        one_at_a_time(connection, self._hospital, kept.CHARGING)
        first = None if not fresh.refunds else kept.charge(connection, self._hospital, fresh.refunds)
        if fresh.refunds and (first is None or first.refunds):
            raise NotThere(f"refunds: expected the number of a charge, got {fresh.refunds!r:.40}")
        if first is not None:
            fresh = replace(fresh, qty=fresh.qty * self.ratio_of(connection, first))
        known = kept.charge(connection, self._hospital, fresh.charge)
        if known is not None:
            return self._again(connection, known, fresh)
        if first is None:
            return self._consume(connection, fresh, write=used)
        left = first.qty - kept.refunded(connection, self._hospital, fresh.refunds)
        if not 1 <= -fresh.qty <= left:
            raise NotNow(f"qty: expected at most {left} left of charge {fresh.refunds!r:.40}, got {-fresh.qty}")
        same = replace(fresh, place=first.place, item=first.item, lot=first.lot, unit=first.unit, patient=first.patient)
        return self._unconsume(connection, same, goods_back=False)

    def ratio_of(self, connection: Connection, charge: kept.Charge) -> int:
        """Return how many base units one of what a charge named is."""
        if not charge.code:
            return 1
        return item_of(charge.code, business_day(charge.at), kept.charge_items(connection, self._hospital)).ratio

    def hidden(self, token: str) -> str:
        """Return what stands for a patient. Raises `NotReady` where the hospital's key is not configured."""
        if not self._key:
            raise NotReady("patients cannot be recorded: expected the storerooms' key at [his] patient_key, got none")
        return patient_ref(self._key, token.strip())

    def charge_for(
        self, connection: Connection, code: str, charge_code: str, qty: int, at: Instant
    ) -> tuple[str, str, str, int]:
        """Return item, lot, unit and base units of what was scanned or named by the other system's code."""
        ratio = 1
        listed = None
        if charge_code:
            listed = item_of(charge_code, business_day(at), kept.charge_items(connection, self._hospital))
            ratio = listed.ratio
        what = what_is(connection, self._hospital, code) if code else Scanned(listed.item if listed else "")
        if listed is not None and what.item != listed.item:
            raise BadInput(f"code: expected a label of {listed.item}, which {charge_code!r:.40} is, got {what.item}")
        if what.item not in kept.chargeable(connection, self._hospital):
            raise BadInput(f"code: expected an item that patients are charged for, {what.item} is none")
        if not 1 <= abs(qty * ratio) <= LINE_QTY_MAX:
            raise BadInput(f"qty: expected 1 to {LINE_QTY_MAX} base units, got {qty * ratio}")
        if what.unit and qty * ratio != 1:
            raise BadInput(f"qty: expected 1 for the single piece {what.unit:.40}, got {qty * ratio}")
        return what.item, what.lot, what.unit, qty * ratio

    def _charge_of(self, connection: Connection, caller: Caller, said: Consume, now: Instant) -> kept.Charge:
        if said.place not in {room.place for room in places(connection, self._hospital)}:
            raise NotThere(f"place: expected a storeroom, got {said.place!r:.40}")
        at = now if said.at is None else said.at
        if not plus(now, -LATE_S_MAX) <= at <= plus(now, AHEAD_S_MAX):
            raise BadInput("at: expected a time of the last 30 days, got another; charge it by a file with its reason")
        item, lot, unit, qty = self.charge_for(connection, said.code, said.charge_code, said.qty, at)
        return kept.Charge(
            charge=said.charge, refunds="", at=at, place=said.place, item=item, lot=lot, unit=unit, qty=qty,
            code=said.charge_code, patient=self.hidden(said.patient), source="api", reason="",
            person=caller.person, received_at=now,
        )  # fmt: skip

    def _again(self, connection: Connection, known: kept.Charge, said: kept.Charge) -> Answer:
        """Answer a number that is known: with what stands, where the content is the same."""
        if known.said != said.said:
            raise _known_otherwise(known.charge)
        if known.refunds:
            undone = kept.reversal_for(connection, self._hospital, known.charge, known.received_at)
            return Answer(Outcome.UNDONE if undone else Outcome.REFUNDED, known, undone, known.person, known.at, "his")
        uses = kept.uses_of(connection, self._hospital, known.charge)
        standing = [one for one in uses if not one.undone]
        if not standing:
            return Answer(Outcome.CHARGED_ONLY, known, "", "", None, "")
        return self._answer(connection, known, standing[-1], Outcome.USED if standing[-1].made else Outcome.ALREADY)

    def _answer(self, connection: Connection, charge: kept.Charge, use: kept.Used, outcome: Outcome) -> Answer:
        side = "his" if use.made else "storeroom"
        if not charge.unit:
            return Answer(outcome, charge, use.event, charge.person, charge.at, side)
        steps = kept.steps_of(connection, self._hospital, charge.unit)
        one = next((step for step in steps if step.event == use.event), None)
        return Answer(outcome, charge, use.event, one.actor if one else "", one.at if one else None, side)

    def _consume(self, connection: Connection, fresh: kept.Charge, *, write: bool = True) -> Answer:
        if not fresh.unit:
            return self._consume_loose(connection, fresh, write=write)
        if kept.standing(connection, self._hospital, [fresh.unit]).get(fresh.unit, 0) > 0:
            before = kept.last_charge(connection, self._hospital, fresh.unit)
            raise NotNow(f"piece: {fresh.unit:.40} is charged already, by {before.charge if before else '?'}")
        lies = [one for one in kept.lying(connection, self._hospital, unit=fresh.unit) if one.qty > 0]
        stands = standing_use(connection, self._hospital, fresh.unit, lies)
        if stands is not None:
            return self._already(connection, fresh, stands)
        found = in_hand_first(lies)
        if found is None or not write:
            kept.add_charge(connection, self._hospital, fresh)
            return Answer(Outcome.CHARGED_ONLY, fresh, "", "", None, "")
        whole = replace(fresh, place=found.room, lot=found.lot or fresh.lot)
        kept.add_charge(connection, self._hospital, whole)
        return self._write_use(connection, whole, [(found, 1)])

    def _already(self, connection: Connection, fresh: kept.Charge, stands: kept.Step) -> Answer:
        """Charge what the storeroom used; for another patient than it was used on is refused with what stands."""
        body_patient = patient_of(connection, self._hospital, fresh.unit, stands.event)
        if body_patient and fresh.patient and body_patient != fresh.patient:
            raise NotNow(
                f"piece: {fresh.unit:.40} was used on another patient, by {stands.actor or stands.device}; "
                "look at the label again, or let the storeroom reverse its entry"
            )
        whole = replace(fresh, place=stands.target.rpartition("@")[2])
        kept.add_charge(connection, self._hospital, whole)
        use = kept.Used(stands.event, fresh.charge, whole.place, fresh.unit, made=False, undone="")
        kept.add_use(connection, self._hospital, use, fresh.received_at)
        return self._answer(connection, whole, use, Outcome.ALREADY)

    def _consume_loose(self, connection: Connection, fresh: kept.Charge, *, write: bool) -> Answer:
        since = plus(fresh.received_at, -LATE_S_MAX)
        count = partial(kept.loose_balance, connection, self._hospital, fresh.place, fresh.item)
        used, charged = count(fresh.lot, since)
        owed = fresh.qty - max(0, used - charged)
        kept.add_charge(connection, self._hospital, fresh)
        if owed <= 0:
            return Answer(Outcome.ALREADY, fresh, "", "", None, "storeroom")
        lies = kept.lying(connection, self._hospital, item=fresh.item, lot=fresh.lot, place=fresh.place)
        days = expiries(connection, self._hospital, [fresh.item])
        # what is in somebody's hand goes first, then what expires first (FEFO), unknown days last
        lies.sort(key=lambda one: ("@" not in one.place, str(days.get((fresh.item, one.lot), "9999")), one.lot))
        parts: list[tuple[Lying, int]] = []
        for one in (each for each in lies if each.qty > 0):
            take = min(owed - sum(qty for _, qty in parts), one.qty)
            parts += [(one, take)] if take > 0 else []
        if sum(qty for _, qty in parts) < owed or not write:
            return Answer(Outcome.CHARGED_ONLY, fresh, "", "", None, "")
        return self._write_use(connection, fresh, parts)

    def _write_use(self, connection: Connection, charge: kept.Charge, parts: list[tuple[Lying, int]]) -> Answer:
        lines = [line for one, qty in parts for line in used_lines(charge.item, charge.unit, one, qty)]
        lots = {one.lot for one, _ in parts}
        flags = flags_of(connection, self._hospital, charge.item, lots, charge.at)
        body = MovementBody(
            tuple(lines), occurred_at=charge.at, refs=(charge.charge,), patient=charge.patient, flags=flags
        )
        draft = Draft("use", write_body(body), ActorId(charge.person))
        event = append_within(connection, self._hospital, [draft], self._documents.clock)[0].entry.event_id.hex()
        use = kept.Used(event, charge.charge, charge.place, charge.unit, made=True, undone="")
        kept.add_use(connection, self._hospital, use, charge.received_at)
        return Answer(Outcome.USED, charge, event, charge.person, charge.at, "his")

    def _unconsume(self, connection: Connection, fresh: kept.Charge, *, goods_back: bool) -> Answer:
        kept.add_charge(connection, self._hospital, fresh)
        use = self._reversible(connection, fresh.refunds, fresh.unit)
        if not goods_back or use is None:
            return Answer(Outcome.REFUNDED, fresh, "", fresh.person, fresh.at, "his")
        lines = kept.lines_of_event(connection, self._hospital, use.event, fresh.unit)
        back = mirrored(lines) if fresh.unit else part_of(mirrored(lines), -fresh.qty)
        if not back:
            return Answer(Outcome.REFUNDED, fresh, "", fresh.person, fresh.at, "his")
        undone = self._reverse(connection, use, back, ActorId(fresh.person), fresh.charge)
        left = kept.charge(connection, self._hospital, fresh.refunds)
        if fresh.unit or left is None or left.qty == kept.refunded(connection, self._hospital, fresh.refunds):
            kept.undo_use(connection, self._hospital, use.event, undone)
        return Answer(Outcome.UNDONE, fresh, undone, fresh.person, fresh.at, "his")

    def _reversible(self, connection: Connection, charge: str, unit: str) -> kept.Used | None:
        """Return the use that goes with a charge and still stands; a piece's may be reversed by the storeroom."""
        use = next((one for one in reversed(kept.uses_of(connection, self._hospital, charge)) if not one.undone), None)
        if use is None or not unit:
            return use
        lies = kept.lying(connection, self._hospital, unit=unit)
        stands = standing_use(connection, self._hospital, unit, lies)
        return use if stands is not None and stands.event == use.event else None

    def _gave_back(self, connection: Connection, answer: Answer, said: Unconsume) -> bool:
        """Tell whether a refund that is known was for the goods too; where there were none, as is said now."""
        if answer.outcome is Outcome.UNDONE:
            return True
        return said.goods_back and self._reversible(connection, said.of, answer.charge.unit) is None

    def _reverse(
        self, connection: Connection, use: kept.Used, lines: list[PostingLine], actor: ActorId, ref: str
    ) -> str:
        body = MovementBody(tuple(lines), reverses=use.event, refs=(ref,))
        draft = Draft("reversal", write_body(body), actor)
        return append_within(connection, self._hospital, [draft], self._documents.clock)[0].entry.event_id.hex()

    def settle(self, touched: Iterable[str]) -> int:
        """Bring together pieces that both sides wrote before they heard of each other; returns how many.

        The storeroom's entry stands. Where it used the piece too, central's use is reversed and the charge goes with
        the storeroom's; where it only took it, central's use is written again from the hand that has it.
        """
        rooms = sorted({place.rpartition("@")[2] for place in touched} - {""})
        if not rooms:
            return 0
        since = plus(self._documents.clock.now(), -LATE_S_MAX)
        with self._documents.store.read() as connection:
            doubtful = kept.doubted(connection, self._hospital, rooms, since)
        settled = 0
        for use in doubtful:
            with self._documents.store.write() as connection:
                one_at_a_time(connection, self._hospital, kept.CHARGING)
                settled += self._settle(connection, use)
        return settled

    def _settle(self, connection: Connection, use: kept.Used) -> bool:
        lies = kept.lying(connection, self._hospital, unit=use.unit)
        if not contradicted(lies):
            return False
        charge = kept.charge(connection, self._hospital, use.charge)
        if charge is None:
            return False
        lines = mirrored(kept.lines_of_event(connection, self._hospital, use.event, use.unit))
        undone = self._reverse(connection, use, lines, ActorId(""), use.charge)
        kept.undo_use(connection, self._hospital, use.event, undone)
        after = [one for one in kept.lying(connection, self._hospital, unit=use.unit) if one.qty > 0]
        stands = standing_use(connection, self._hospital, use.unit, after)
        if stands is not None:
            other = kept.Used(stands.event, use.charge, use.place, use.unit, made=False, undone="")
            kept.add_use(connection, self._hospital, other, self._documents.clock.now())
        elif (found := in_hand_first(after)) is not None:
            self._write_use(connection, replace(charge, received_at=self._documents.clock.now()), [(found, 1)])
        return True


def _known_otherwise(number: str) -> NotNow:
    return NotNow(f"charge: the number {number!r:.40} is known with another content; give it a new one")
