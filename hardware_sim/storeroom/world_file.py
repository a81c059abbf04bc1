"""The file of a world: everything that one storeroom is a function of, so that a live reader hears the same room.

It holds no tag and no happening; they are drawn again. The rule that must not be broken: a file that is read and
written again is the same file.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from hardware_sim.errors import BadSample, WrongUse
from hardware_sim.storeroom.rates import as_table, from_table
from hardware_sim.storeroom.script import Script
from hardware_sim.storeroom.ward import ANT_EVERY, START, Plan

FORM = "wardstock storeroom"


@dataclass(frozen=True, slots=True)
class WorldFile:
    """A plan as data."""

    form: str
    seed: int
    days: int
    tags: int
    rates: dict[str, float]
    start: str = START
    looks_a_day: int = 0
    ant_every: int = ANT_EVERY
    script: Script | None = field(default=None)


def write_world(plan: Plan) -> bytes:
    """Return a plan as the bytes of a file."""
    world = WorldFile(
        form=FORM,
        seed=plan.seed,
        days=plan.days,
        tags=plan.tags,
        rates=as_table(plan.rates),
        looks_a_day=plan.looks_a_day,
        ant_every=plan.ant_every,
        script=plan.script,
    )
    return msgspec.json.format(msgspec.json.encode(world), indent=1) + b"\n"


def is_world(raw: bytes) -> bool:
    """Tell whether bytes are such a file, rather than that of a room of the demo."""
    try:
        said: Any = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return False
    return isinstance(said, dict) and "form" in said


def read_world(raw: bytes) -> Plan:
    """Parse such a file. Raises `BadSample`."""
    try:
        world = msgspec.json.decode(raw, type=WorldFile)
        if world.form != FORM:
            raise BadSample(f"world: expected form {FORM!r}, got {world.form!r:.40}")
        return Plan(
            seed=world.seed,
            days=world.days,
            tags=world.tags,
            rates=from_table(world.rates),
            looks_a_day=world.looks_a_day,
            ant_every=world.ant_every,
            script=world.script,
        )
    except (msgspec.MsgspecError, WrongUse) as error:
        raise BadSample(f"world: expected {{form, seed, days, tags, rates}}; {error}") from error
