"""Propose what to order: one run over all storerooms under one policy, bringing the open proposals up to date.

The policy decides; this reads the facts, and writes what changed. The rules that must not be broken: at most one
proposal stands open for an item at a place; a run that met an order made while it was thinking thinks again; where a
storeroom or an item cannot be reckoned, that is said, its proposals stay as they are, and the run goes on.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection

from central.core.orders import State, Step, proposal_id, step
from central.core.policy import Rules
from central.core.reorder import ENGINES, SYSTEM, Decision, Facts, Outline, Plan, decide, outlines, policy_of
from central.core.reorder.doubt import Counting
from central.core.reorder.line import standing_of
from central.core.reorder.scope import Standing
from central.services.admitted import admit
from central.services.division import Run, divide
from central.services.doubts import Doubts, ask_to_count, doubts_at
from central.services.foresight import Foresight, foresight_at, with_worth
from central.services.policy import rules_at
from central.services.positions import DAY_S, Scene, Storeroom, scene_at
from central.store.engine import Store
from central.store.merge import add_new
from central.store.queries_budget import Cut, keep_cuts
from central.store.queries_work import Proposal, open_proposals, order_mark, refused_since
from central.store.tables.work import PROPOSAL
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, plus
from protocols.values.money import Money

THINK_AGAIN_MAX = 3
"""Orders are made by people; three of them within one run's thinking is a run better left to the next period."""

NOT_COUNTED = Counting((), ())

LINES_AT_ONCE = 20_000
"""Lines whose facts are in memory at once, some 2 kB each."""

Due = dict[tuple[str, str], tuple[Plan, str]]
"""What is proposed, with its reason as the text that is kept: a tenth of what the data takes in memory."""


@dataclass(frozen=True, slots=True)
class Replenished:
    """What one run did; `unsourced` counts items in use that nobody can supply, `failed` says what was not reckoned.

    `cut` names the lines that a budget left less than they wanted; `aside` counts lines set aside, by why.
    """

    run: str
    made: int
    renewed: int
    withdrawn: int
    unsourced: int
    failed: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    aside: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Thought:
    """What a run came to: what is due, how many items nobody can supply, and why of what could not be reckoned.

    `failed` is by place, or by place and item; `cut` are the lines that a budget left less than they wanted,
    `counting` those that are counted before they are ordered.
    """

    wanted: Due
    unsourced: int
    failed: dict[tuple[str, ...], str]
    cut: Mapping[tuple[str, str], Decision] = field(default_factory=dict)
    aside: Mapping[str, int] = field(default_factory=dict)
    counting: Counting = NOT_COUNTED

    def leaves(self, place: str, item: str) -> bool:
        """Tell whether nothing is known of a line, or it is to be counted first: its proposal stays as it is."""
        waits = any((one.place, one.item) == (place, item) for one in self.counting.wait)
        return waits or (place,) in self.failed or (place, item) in self.failed

    @property
    def told(self) -> dict[str, int]:
        """How many lines are set aside, by why."""
        waiting = {"to be counted first": len(self.counting.wait)} if self.counting.wait else {}
        return {**self.aside, **waiting}


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
            doubts = Doubts() if sight is None else doubts_at(connection, hospital, now, scene)
        thought = decide_all(policy, scene) if sight is None else decide_together(policy, sight, doubts)
        with store.write() as connection:
            if order_mark(connection, hospital) == mark:
                writer = _Writer(connection, hospital, now, policy, run, rules)
                made, renewed, withdrawn = writer.bring_up_to_date(thought)
                keep_cuts(connection, hospital, run, _cuts(run, thought, now), now)
                ask_to_count(connection, hospital, now, run, doubts, thought.counting.ask)
                cut = tuple(map(" ".join, thought.cut))
                said = tuple(f"{' '.join(what)}: {why}" for what, why in sorted(thought.failed.items()))
                return Replenished(run, made, renewed, withdrawn, thought.unsourced, said, cut, thought.told)
    return done


def _cuts(run: str, thought: Thought, now: Instant) -> Iterator[Cut]:
    """Give what the budget cut of a run's lines."""
    for (place, item), decision in thought.cut.items():
        if decision.plan is None or not isinstance(said := decision.reason.get("cut"), dict):
            continue
        given = decision.plan.qty if decision.due else 0
        source = decision.plan.source
        budget, wanted = Money(said["budget"]), int(said["wanted"])
        yield Cut(run, place, item, source.name, budget, wanted, given, source.price, decision.reason, now)


def decide_all(policy: str, scene: Scene) -> Thought:
    """Return what is due in every storeroom, wards first, each taking of the parent what those before it left."""
    wanted: Due = {}
    unsourced = 0
    failed: dict[tuple[str, ...], str] = {(place,): why for place, why in scene.failed.items()}
    given: defaultdict[tuple[str, str], int] = defaultdict(int)
    for room, item in _lines_of(scene):
        place = room.place
        try:
            decision = decide(policy, scene.facts(place, item, scene.ladder(place, item, given[place.parent, item])))
        except Exception as error:  # noqa: BLE001 # one item's figures may be broken; the others are not
            failed[place.place, item] = f"{type(error).__name__}: {error}"
            continue
        unsourced += decision.plan is None
        if decision.plan is None or not decision.due:
            continue
        wanted[place.place, item] = decision.plan, _text(decision)
        if decision.plan.source.internal:
            given[place.parent, item] += decision.plan.qty
    return Thought(wanted, unsourced, failed)


def decide_together(policy: str, sight: Foresight, doubts: Doubts) -> Thought:
    """Return what is due by an engine, the hospital's own stock divided among the lines before anything is bought.

    All lines are outlined from tables, block by block; the reason is made of those that are proposed.
    """
    failed: dict[tuple[str, ...], str] = {(place,): why for place, why in sight.scene.failed.items()}
    if policy == SYSTEM:
        sight = with_worth(sight, (list(block.values()) for block in _blocks(sight, failed)))
    run = Run(partial(_made, sight), partial(_outlined, policy, failed), {})
    aside: Counter[str] = Counter()
    for block in _blocks(sight, failed):
        aside.update(str(how) for how in map(standing_of, block.values()) if how is not Standing.USUAL)
        run.outlines.update(zip(block, run.decide(list(block.values())), strict=True))
    counting = doubts.hold(
        sight.scene, [key for key, one in run.outlines.items() if one.due and key not in sight.scene.bins]
    )
    for one in counting.wait:
        del run.outlines[one.place, one.item]
    divide(run, sight)
    known = {key: one for key, one in run.outlines.items() if key not in failed}
    wanted: Due = {}
    for key in (key for key, one in known.items() if one.due):
        decision = decide(policy, run.facts(key))
        if decision.plan is not None:
            wanted[key] = decision.plan, _text(decision)
    cut = {key: decide(policy, facts) for key, facts in sorted(run.changed.items()) if facts.granted is not None}
    return Thought(wanted, sum(one.plan is None for one in known.values()), failed, cut, aside, counting)


def _text(decision: Decision) -> str:
    return json.dumps(decision.reason, sort_keys=True)


def _made(sight: Foresight, key: tuple[str, str]) -> Facts:
    place, item = key
    return sight.facts(sight.scene.storerooms[place].place, item)


def _outlined(policy: str, failed: dict[tuple[str, ...], str], several: Sequence[Facts]) -> list[Outline]:
    """Return the outlines of many lines; where one cannot be reckoned it is named in `failed`, the others are."""
    try:
        return outlines(policy, several)
    except Exception as error:  # noqa: BLE001 # one item's figures may be broken; the others are not
        if len(several) != 1:
            return [one for facts in several for one in _outlined(policy, failed, [facts])]
        failed[several[0].place, several[0].item] = f"{type(error).__name__}: {error}"
        return [Outline(None, due=False, counted=0)]


def _blocks(sight: Foresight, failed: dict[tuple[str, ...], str]) -> Iterator[dict[tuple[str, str], Facts]]:
    """Give the facts of every line, so many at once; one whose figures are broken is named in `failed` and left out."""
    block: dict[tuple[str, str], Facts] = {}
    for room, item in _lines_of(sight.scene):
        key = (room.place.place, item)
        try:
            block[key] = sight.facts(room.place, item)
        except Exception as error:  # noqa: BLE001 # one item's figures may be broken; the others are not
            failed[key] = f"{type(error).__name__}: {error}"
        if len(block) == LINES_AT_ONCE:
            yield block
            block = {}
    if block:
        yield block


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

    def _said(self, plan: Plan, reason: str) -> dict[str, Any]:
        return {
            "run": self.run,
            "source": plan.source.name,
            "internal": plan.source.internal,
            "qty": plan.qty,
            "price": plan.source.price,
            "reason": reason,
            "policy": self.policy,
            "policy_version": self.rules.version,
            "renewed_at": self.now,
        }

    def _new(self, place: str, item: str, plan: Plan, reason: str) -> dict[str, Any]:
        return {
            "hospital": self.hospital,
            "proposal": proposal_id(self.run, place, item),
            "place": place,
            "item": item,
            "status": str(State.OPEN),
            "made_at": self.now,
            "closed_at": None,
            "order_no": "",
            **self._said(plan, reason),
        }

    def _renew(self, proposal: Proposal, plan: Plan, reason: str) -> None:
        self._update(proposal, {"status": str(step(proposal.status, Step.RENEW)), **self._said(plan, reason)})

    def _withdraw(self, proposal: Proposal) -> None:
        status = str(step(proposal.status, Step.WITHDRAW))
        self._update(proposal, {"status": status, "closed_at": self.now, "run": self.run})

    def _update(self, proposal: Proposal, values: dict[str, Any]) -> None:
        self.connection.execute(
            PROPOSAL.update()
            .where(PROPOSAL.c.hospital == self.hospital, PROPOSAL.c.proposal == proposal.id)
            .values(**values)
        )
