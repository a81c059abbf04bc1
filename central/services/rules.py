"""Set policy rules: a person gives a new version from a day on, and what loosens a control waits for a second person.

What holds on a day is `services.policy`'s to say. The rules that must not be broken: a version never holds for a day
that is past, for decisions were made under what held then; who proposed does not agree to it (the store refuses it
too); a change, its row and its record are one transaction.

Sources: A9 (S3) no step without a rule; E3, I1 two people where a control gives way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import Connection

from central.core.policy import PolicyRow, loosens, value_on
from central.core.policy_kinds import CONFIRMS, ITEM, SETS, RuleKind
from central.core.refusals import refused
from central.core.rights import RIGHTS_OF, WARD_ROLES, Caller, Right, Role
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.documents import Documents, check_seen, check_text, number_of
from central.services.policy import rule_kinds, source_zh
from central.store.queries_master import items, policy_rows
from central.store.queries_people import Person, people
from central.store.queries_purchasing import DocumentStep, history
from central.store.queries_rules import KIND, RuleChange, add_change, add_rule, count_changes, rule_changes
from protocols.values.ids import HospitalId
from protocols.values.instant import business_day

SOURCE_MAX, REASON_MAX, SCOPE_MAX = 300, 500, 64
AHEAD_DAYS_MAX = 366
"""How far ahead a version may begin."""


class RuleState(StrEnum):
    """Where a change of a rule stands."""

    PROPOSED = "proposed"
    SET = "set"
    REFUSED = "refused"


class RuleStep(StrEnum):
    """What may happen to a change: set at once, or proposed and decided."""

    SET = "set"
    PROPOSE = "propose"
    APPROVE = "approve"
    REFUSE = "refuse"


RULE_STEPS = MappingProxyType(
    {
        (RuleState.PROPOSED, RuleStep.APPROVE): RuleState.SET,
        (RuleState.PROPOSED, RuleStep.REFUSE): RuleState.REFUSED,
    }
)
"""What is admitted of a change that waits; set and refused are ends: another version puts a wrong one right."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version as a person gives it; days as in `PolicyRow`, None for today and for no end."""

    code: str
    scope: str
    value: str
    effective_from: date | None
    effective_to: date | None
    source_doc: str
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One rule for one scope: what holds today, what is to come and whether a change of it waits."""

    kind: RuleKind
    scope: str
    now: PolicyRow | None
    coming: tuple[PolicyRow, ...]
    waits: bool


@dataclass(frozen=True, slots=True)
class Agreers:
    """Who may agree to a change that waits: the roles that may, and of those who hold one, number and name."""

    roles: tuple[Role, ...]
    people: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that waits for a second person: of which rule, what holds today, and who may agree to it."""

    kind: RuleKind
    change: RuleChange
    now: PolicyRow | None
    agreers: Agreers


@dataclass(frozen=True, slots=True)
class Told:
    """One rule with all its versions and changes, the newest first, and the steps of each change."""

    kind: RuleKind
    rows: tuple[PolicyRow, ...]
    changes: tuple[RuleChange, ...]
    steps: dict[str, list[DocumentStep]]
    agreers: dict[str, Agreers]
    """Of each change that waits, who may agree to it."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The policy rules of one hospital; `changed` makes the feed look at once."""

    documents: Documents
    changed: Callable[[], None] = lambda: None

    def standing(self, question: str = "") -> list[Standing]:
        """Return every rule with what holds today, or those whose code, words or source hold a text."""
        today = business_day(self.documents.clock.now())
        with self.documents.store.read() as connection:
            rows = policy_rows(connection, self.documents.hospital)
            waits = {(one.code, one.scope) for one in proposed(connection, self.documents.hospital)}
        keys = sorted({(row.code, row.scope) for row in rows} | waits)
        found = [_standing(code, scope, rows, today, (code, scope) in waits) for code, scope in keys]
        asked = question.strip().casefold()
        return [one for one in found if one is not None and asked in _words(one)]

    def told(self, code: str) -> Told:
        """Return a rule with its versions and changes. Raises `NotThere`."""
        kind, hospital = kind_of(code), self.documents.hospital
        with self.documents.store.read() as connection:
            rows = policy_rows(connection, hospital, code)
            changes = rule_changes(connection, hospital, code=code)
            steps = {one.change: history(connection, hospital, one.change) for one in changes}
            holders = people(connection, hospital)
        agreers = {one.change: agreers_of(kind, one, holders) for one in changes if one.state == RuleState.PROPOSED}
        newest = sorted(rows, key=lambda row: (row.effective_from, row.seq), reverse=True)
        return Told(kind, tuple(newest), tuple(changes), steps, agreers)

    def waiting(self, caller: Caller, *, mine: bool) -> list[Waiting]:
        """Return the changes that wait for a second person, or only those that this one may agree to."""
        hospital, today = self.documents.hospital, business_day(self.documents.clock.now())
        with self.documents.store.read() as connection:
            found = to_agree(connection, hospital, caller) if mine else proposed(connection, hospital)
            rows = policy_rows(connection, hospital) if found else []
            holders = people(connection, hospital) if found else []
        known = rule_kinds()
        standing = ((one, known[one.code], _standing(one.code, one.scope, rows, today, waits=True)) for one in found)
        return [
            Waiting(kind, one, None if now is None else now.now, agreers_of(kind, one, holders))
            for one, kind, now in standing
        ]

    def code_of(self, change: str) -> str:
        """Return which rule a change is of. Raises `NotThere`."""
        with self.documents.store.read() as connection:
            return _change_named(connection, self.documents.hospital, change).code

    def set(self, caller: Caller, given: Version, seen: int | None = None) -> RuleChange:
        """Set a rule from a day on, or propose it where it loosens a control; `seen` counts the changes seen.

        Raises `NotAllowed`, `NotThere`, `BadInput`, `NotNow`, `ChangedSince`.
        """
        kind = kind_of(given.code)
        need_everywhere(caller, SETS[kind.area])
        row = self._row(kind, given)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        with self.documents.store.write() as connection:
            made = count_changes(connection, hospital, kind.code)
            check_seen(kind.code, seen, made)
            self._check_scope(connection, kind, row.scope)
            rows = policy_rows(connection, hospital, kind.code)
            before = value_on(row.effective_from, rows, kind.code, row.scope)
            if row.effective_to is None and before == value_on(row.effective_from, [row], kind.code, row.scope):
                raise NotNow(f"value: expected another than what holds on {row.effective_from}, got {row.value}")
            looser = loosens(kind, rows, _last(rows, row))
            number = number_of("PR", kind.code, row.scope, str(made), str(now), caller.person)
            step, state = (RuleStep.PROPOSE, RuleState.PROPOSED) if looser else (RuleStep.SET, RuleState.SET)
            change = RuleChange(
                number, row.code, row.scope, row.value, row.effective_from, row.effective_to, row.source_doc,
                given.reason.strip(), looser, now, caller.person, state.value,
            )  # fmt: skip
            add_change(connection, hospital, {name: getattr(change, name) for name in _KEPT})
            if not looser:
                add_rule(connection, hospital, change, row.effective_from)
            was = "" if before is None else str(before)
            detail = {"code": row.code, "scope": row.scope, "was": was, "value": row.value}
            detail |= {"from": str(row.effective_from), "to": str(row.effective_to or ""), "reason": change.reason}
            self.documents.write(connection, caller, number, KIND, step, state, detail)
        self.changed()
        return change

    def decide(self, caller: Caller, change: str, step: RuleStep, why: tuple[str, str] = ("", "")) -> RuleChange:
        """Agree to a change that waits, or refuse it by a code and words; agreed to late it holds from that day.

        Raises `NotAllowed` for who proposed it, `NotThere`, `NotNow`, `BadInput`.
        """
        hospital, today = self.documents.hospital, business_day(self.documents.clock.now())
        with self.documents.store.write() as connection:
            one = _change_named(connection, hospital, change)
            need_everywhere(caller, CONFIRMS[kind_of(one.code).area])
            after = RULE_STEPS.get((RuleState(one.state), step))
            if after is None:
                raise NotNow(f"rule {one.code}: cannot {step} a change that is {one.state}; propose another")
            if one.proposed_by == caller.person and step is RuleStep.APPROVE:
                raise NotAllowed("rule: expected somebody who did not propose it")
            starts = max(one.effective_from, today)
            if after is RuleState.SET and one.effective_to is not None and one.effective_to <= starts:
                raise NotNow(f"rule {one.code}: cannot {step} a change whose last day is gone; propose another")
            detail = {"code": one.code, "scope": one.scope, "value": one.value, "from": str(starts)}
            detail |= refused(*why).detail if step is RuleStep.REFUSE else {}
            self.documents.write(connection, caller, change, KIND, step, after, detail)
            if after is RuleState.SET:
                add_rule(connection, hospital, one, starts)
        self.changed()
        return replace(one, state=after.value)

    def _row(self, kind: RuleKind, given: Version) -> PolicyRow:
        """Return a version as a row. Raises `BadInput`."""
        kind.check_scope(given.scope.strip())
        kind.read(given.value)
        check_text("source", given.source_doc, SOURCE_MAX)
        check_text("reason", given.reason, REASON_MAX)
        today = business_day(self.documents.clock.now())
        starts = given.effective_from or today
        if not today <= starts <= today + timedelta(days=AHEAD_DAYS_MAX):
            raise BadInput(f"from: expected a day from {today} on, within {AHEAD_DAYS_MAX} days, got {starts}")
        if given.effective_to is not None and given.effective_to <= starts:
            raise BadInput(f"to: expected a day after {starts}, got {given.effective_to}")
        scope, value = given.scope.strip(), given.value.strip()
        return PolicyRow(kind.code, scope, value, starts, given.effective_to, given.source_doc.strip())

    def _check_scope(self, connection: Connection, kind: RuleKind, scope: str) -> None:
        if ITEM in kind.scopes and scope and scope not in items(connection, self.documents.hospital, [scope]):
            raise BadInput(f"scope: expected an item of the catalogue, got {scope!r:.40}")


_KEPT = (
    *("change", "code", "scope", "value", "effective_from", "effective_to", "source_doc", "reason", "loosens"),
    *("proposed_at", "proposed_by"),
)
"""What of a change is written once; its state is that of its last step."""


def to_agree(connection: Connection, hospital: HospitalId, caller: Caller) -> list[RuleChange]:
    """Return the changes that wait for a second person and that this one may agree to, the newest first."""
    known = rule_kinds()
    return [
        one
        for one in proposed(connection, hospital)
        if one.proposed_by != caller.person and may_everywhere(caller, CONFIRMS[known[one.code].area])
    ]


def proposed(connection: Connection, hospital: HospitalId) -> list[RuleChange]:
    """Return the changes that wait for a second person, the newest first."""
    known = rule_kinds()
    return [one for one in rule_changes(connection, hospital, state=RuleState.PROPOSED) if one.code in known]


def agreers_of(kind: RuleKind, change: RuleChange, holders: Sequence[Person]) -> Agreers:
    """Return who may agree to a change: the roles, and who holds one for the whole hospital and did not propose it."""
    right = CONFIRMS[kind.area]
    able = [
        (str(one.person), one.name)
        for one in holders
        if one.active and one.person != change.proposed_by and may_everywhere(one.caller(), right)
    ]
    return Agreers(roles_to_agree(kind), tuple(sorted(able)))


def roles_to_agree(kind: RuleKind) -> tuple[Role, ...]:
    """Return the roles of whom one agrees to what loosens a rule."""
    right = CONFIRMS[kind.area]
    return tuple(role for role in Role if right in RIGHTS_OF[role] and role not in WARD_ROLES)


def _change_named(connection: Connection, hospital: HospitalId, change: str) -> RuleChange:
    found = rule_changes(connection, hospital, change=change) if change else []
    if not found:
        raise NotThere(f"rule: expected a change that was proposed, got {change!r:.40}")
    return found[0]


def kind_of(code: str) -> RuleKind:
    """Return what a rule is. Raises `NotThere`."""
    found = rule_kinds().get(code)
    if found is None:
        raise NotThere(f"rule: expected a code of the list of rules, got {code!r:.40}")
    return found


def may_everywhere(caller: Caller, right: Right) -> bool:
    """Tell whether a right holds in the whole hospital, as rules do."""
    return caller.scope(right).everywhere


def need_everywhere(caller: Caller, right: Right) -> None:
    """Raise `NotAllowed` unless a right holds in the whole hospital."""
    if not may_everywhere(caller, right):
        raise NotAllowed(f"rule: expected the right '{right}' for the whole hospital, {caller.person} does not hold it")


def _standing(code: str, scope: str, rows: list[PolicyRow], today: date, waits: bool) -> Standing | None:
    kind = rule_kinds().get(code)
    if kind is None:
        return None
    own = sorted(
        (row for row in rows if (row.code, row.scope) == (code, scope)), key=lambda row: (row.effective_from, row.seq)
    )
    now = [row for row in own if row.in_force(today)]
    return Standing(kind, scope, now[-1] if now else None, tuple(r for r in own if r.effective_from > today), waits)


def _words(one: Standing) -> str:
    source = "" if one.now is None else one.now.source_doc
    return f"{one.kind.code} {one.kind.zh} {one.kind.en} {one.scope} {source} {source_zh(source)}".casefold()


def _last(rows: list[PolicyRow], row: PolicyRow) -> PolicyRow:
    """Return a new row behind every other from its day."""
    same = [one.seq for one in rows if (one.scope, one.effective_from) == (row.scope, row.effective_from)]
    return replace(row, seq=max(same, default=-1) + 1)
