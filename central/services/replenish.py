"""Propose what to order: one run over all storerooms under one policy, bringing the open proposals up to date.

The policy decides; this reads the facts, and writes what changed. The rules that must not be broken: at most one
proposal stands open for an item at a place; a run that met an order made while it was thinking thinks again; where a
storeroom or an item cannot be reckoned, that is said, its proposals stay as they are, and the run goes on.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from central.core.orders import State, Step, proposal_id, step
from central.core.policy import Rules
from central.core.reorder import ENGINES, SYSTEM, Decision, Facts, Plan, decide, policy_of
from central.services.admitted import admit
from central.services.division import divide
from central.services.foresight import Foresight, foresight_at, with_worth
from central.services.policy import rules_at
from central.services.positions import DAY_S, Scene, Storeroom, scene_at
from central.store.engine import Store
from central.store.merge import add_new
from central.store.queries_work import Proposal, open_proposals, order_mark, refused_since
from central.store.tables.work import PROPOSAL
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, plus

THINK_AGAIN_MAX = 3
"""Orders are made by people; three of them within one run's thinking is a run better left to the next period."""

Due = dict[tuple[str, str], tuple[Plan, Decision]]


@dataclass(frozen=True, slots=True)
class Replenished:
    """What one run did; `unsourced` counts items in use that nobody can supply, `failed` says what was not reckoned.

    `cut` names the lines that are due and that a budget left nothing.
    """

    run: str
    made: int
    renewed: int
    withdrawn: int
    unsourced: int
    failed: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thought:
    """What a run came to: what is due, how many items nobody can supply, and why of what could not be reckoned.

    `failed` is by place, or by place and item.
    """

    wanted: Due
    unsourced: int
    failed: dict[tuple[str, ...], str]
    cut: tuple[str, ...] = ()

    def leaves(self, place: str, item: str) -> bool:
        """Tell whether nothing is known of a line, so that its proposal stays as it is."""
        return (place,) in self.failed or (place, item) in self.failed


def replenish(store: Store, hospital: HospitalId, now: Instant, *, policy: str, run: str) -> Replenished:
    """Run a policy over a hospital; the same run again changes nothing. Raises `BadInput` for an unknown policy."""
    policy_of(policy)
    done = Replenished(run, 0, 0, 0, 0)
    for _ in range(THINK_AGAIN_MAX):
        with store.read() as connection:
            mark = order_mark(connection, hospital)
            rules = rules_at(connection, hospital, now)
            scene = admit(connection, hospital, now, scene_at(connection, hospital, now, rules))
            sight = foresight_at(connection, hospital, now, scene) if policy in ENGINES else None
        thought = decide_all(policy, scene) if sight is None else decide_together(policy, sight, business_day(now))
        with store.write() as connection:
            if order_mark(connection, hospital) == mark:
                writer = _Writer(connection, hospital, now, policy, run, rules)
                made, renewed, withdrawn = writer.bring_up_to_date(thought)
                said = tuple(f"{' '.join(what)}: {why}" for what, why in sorted(thought.failed.items()))
                return Replenished(run, made, renewed, withdrawn, thought.unsourced, said, thought.cut)
    return done


def decide_all(policy: str, scene: Scene) -> Thought:
    """Return what is due in every storeroom, wards first, each taking of the parent what those before it left."""
    wanted: Due = {}
    unsourced = 0
    failed: dict[tuple[str, ...], str] = {(place,): why for place, why in scene.failed.items()}
    given: defaultdict[tuple[str, str], int] = defaultdict(int)
    for room, item in _lines_of(scene):
        place = room.place
        try:
            decision = decide(policy, scene.facts(place, item, given[place.parent, item]))
        except Exception as error:  # noqa: BLE001 # one item's figures may be broken; the others are not
            failed[place.place, item] = f"{type(error).__name__}: {error}"
            continue
        unsourced += decision.plan is None
        if decision.plan is None or not decision.due:
            continue
        wanted[place.place, item] = decision.plan, decision
        if decision.plan.source.internal:
            given[place.parent, item] += decision.plan.qty
    return Thought(wanted, unsourced, failed)


def decide_together(policy: str, sight: Foresight, today: date) -> Thought:
    """Return what is due by an engine, the hospital's own stock divided among the lines before anything is bought."""
    failed: dict[tuple[str, ...], str] = {(place,): why for place, why in sight.scene.failed.items()}
    facts = _facts_of(policy, sight, failed)

    def decided(one: Facts) -> Decision:
        try:
            return decide(policy, one)
        except Exception as error:  # noqa: BLE001 # one item's figures may be broken; the others are not
            failed[one.place, one.item] = f"{type(error).__name__}: {error}"
            return Decision(None, False, {})

    decisions = {key: one for key, one in divide(facts, decided, sight, today).items() if key not in failed}
    wanted = {key: (one.plan, one) for key, one in decisions.items() if one.plan is not None and one.due}
    cut = tuple(" ".join(key) for key, one in sorted(decisions.items()) if _is_cut(one))
    return Thought(wanted, sum(one.plan is None for one in decisions.values()), failed, cut)


def _is_cut(decision: Decision) -> bool:
    return not decision.due and decision.reason.get("bound_by") == "budget"


def _facts_of(policy: str, sight: Foresight, failed: dict[tuple[str, ...], str]) -> dict[tuple[str, str], Facts]:
    """Return the facts of every line; one whose figures are broken is named in `failed` and left out."""
    facts: dict[tuple[str, str], Facts] = {}
    for room, item in _lines_of(sight.scene):
        key = (room.place.place, item)
        try:
            facts[key] = sight.enrich(sight.scene.facts(room.place, item, 0), room.place)
        except Exception as error:  # noqa: BLE001 # one item's figures may be broken; the others are not
            failed[key] = f"{type(error).__name__}: {error}"
    worth = with_worth(sight, list(facts.values())).worth if policy == SYSTEM else None
    return {
        key: one if one.past is None else replace(one, past=replace(one.past, worth=worth))
        for key, one in facts.items()
    }


def _lines_of(scene: Scene) -> Iterator[tuple[Storeroom, str]]:
    """Give each item in use whose shelf is known, storeroom by storeroom."""
    for room in scene.storerooms.values():
        for item in scene.items_of(room):
            yield room, item


@dataclass(frozen=True, slots=True)
class _Writer:
    connection: Connection
    hospital: HospitalId
    now: Instant
    policy: str
    run: str
    rules: Rules

    def bring_up_to_date(self, thought: Thought) -> tuple[int, int, int]:
        """Return how many proposals were made, renewed and withdrawn."""
        wanted = thought.wanted
        every = {(one.place, one.item): one for one in open_proposals(self.connection, self.hospital)}
        standing = {key: one for key, one in every.items() if not thought.leaves(*key)}
        for key, proposal in standing.items():
            if key in wanted:
                self._renew(proposal, *wanted[key])
            else:
                self._withdraw(proposal)
        rest_s = float(self.rules.number("approval.reject_days")) * DAY_S
        refused = refused_since(self.connection, self.hospital, plus(self.now, -rest_s))
        left = [key for key in wanted if key not in standing and key not in refused]
        fresh = [self._new(place, item, *wanted[place, item]) for place, item in left]
        made = add_new(self.connection, PROPOSAL, fresh)
        renewed = len(standing.keys() & wanted.keys())
        return made, renewed, len(standing) - renewed

    def _said(self, plan: Plan, decision: Decision) -> dict[str, Any]:
        return {
            "run": self.run,
            "source": plan.source.name,
            "internal": plan.source.internal,
            "qty": plan.qty,
            "price": plan.source.price,
            "reason": json.dumps(decision.reason, sort_keys=True),
            "policy": self.policy,
            "policy_version": self.rules.version,
            "renewed_at": self.now,
        }

    def _new(self, place: str, item: str, plan: Plan, decision: Decision) -> dict[str, Any]:
        return {
            "hospital": self.hospital,
            "proposal": proposal_id(self.run, place, item),
            "place": place,
            "item": item,
            "status": str(State.OPEN),
            "made_at": self.now,
            "closed_at": None,
            "order_no": "",
            **self._said(plan, decision),
        }

    def _renew(self, proposal: Proposal, plan: Plan, decision: Decision) -> None:
        self._update(proposal, {"status": str(step(proposal.status, Step.RENEW)), **self._said(plan, decision)})

    def _withdraw(self, proposal: Proposal) -> None:
        status = str(step(proposal.status, Step.WITHDRAW))
        self._update(proposal, {"status": status, "closed_at": self.now, "run": self.run})

    def _update(self, proposal: Proposal, values: dict[str, Any]) -> None:
        self.connection.execute(
            PROPOSAL.update()
            .where(PROPOSAL.c.hospital == self.hospital, PROPOSAL.c.proposal == proposal.id)
            .values(**values)
        )
