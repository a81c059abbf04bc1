"""Plays one evening on this machine and judges it: `wardstock-sim demo`.

The main thread starts programs, starts again those that die, and prints; people, fate and the office have a thread
each. Ctrl-C, TERM and a closed terminal end everything in order, whatever was going on. The rule that must not be
broken: the verdict comes from the checker alone; with --exit it is given after everything has stopped.
"""

import math
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from hardware_sim.clock import Clock, any_password, monotonic_s, pause
from hardware_sim.config import DEMO_BUYER, edge_folder
from hardware_sim.demo.evening import Evening
from hardware_sim.demo.machines import MESSY, Machines
from hardware_sim.demo.options import Options
from hardware_sim.demo.settled import is_told
from hardware_sim.demo.signals import Stopped, ignore_signals, stoppable
from hardware_sim.demo.state_folder import StateFolder
from hardware_sim.demo.terminal import say
from hardware_sim.demo.verdict import judge, judge_live, write_evidence
from hardware_sim.errors import PartFailed
from hardware_sim.evidence.truth import Truth, WardTruth, beeps_path
from hardware_sim.sample.catalogue import Sample, read_sample
from hardware_sim.scenario.draw import make_plan
from hardware_sim.scenario.plan import Plan
from hardware_sim.story.fate import Fate
from hardware_sim.story.guests import ACCOUNTS, PORT_USED, Guests
from hardware_sim.story.narrator import Narrator
from hardware_sim.story.office import Office
from hardware_sim.story.person import People
from hardware_sim.story.words import sentence, wards
from hardware_sim.supervisor import Supervisor
from protocols.values.instant import business_day, seconds_between

BEAT_S = 0.1
"""How often the main thread looks around."""

OVERTIME_S = 180.0
"""Real seconds after which a story that should be over is given up."""

SETTLE_MAX_S = 30.0
"""Real seconds given to the last entries, the find and the order after the evening; then the checker judges."""


def play(options: Options) -> int:
    """Play the demo that was asked for; returns 0, or 1 when the story was judged and is not right.

    Raises `WrongUse` and `PartFailed`, each with one line to show.
    """
    sample = read_sample()
    plan = make_plan(sample, seed=options.seed, wards=options.wards, with_take=options.with_take, hours=options.hours)
    folder = StateFolder(options)
    with stoppable():
        try:
            return _play_in(folder, options, plan, sample)
        except Stopped:
            if options.ends:
                raise PartFailed("stopped before the end of the story: there is no summary") from None
            say(sentence(options.lang, "ended" if folder.kept else "removed", {}))
            return 0
        except BaseException:
            folder.keep()  # the logs that the message names are in it
            raise
        finally:
            folder.leave()


def _play_in(folder: StateFolder, options: Options, plan: Plan, sample: Sample) -> int:
    began_s = monotonic_s()
    state = folder.path
    died: list[str] = []
    supervisor = Supervisor(state / "sim" / "pids.json", died.append)
    machines = Machines(options, plan, state, supervisor)
    evening: Evening | None = None
    try:
        _progress(options, "starting")
        machines.prepare()
        clock, url = machines.start()
        narrator = Narrator(plan, sample, options.lang, clock)
        password = any_password()
        evening = _evening(options, plan, state, machines, clock, url, narrator, password)
        _introduce(narrator, options, plan, state, url)
        if not options.ends:
            _invite(narrator, password, state / MESSY)
        _watch(evening, supervisor, died, options, state)
        if not options.ends:
            _write_evidence(state, options, evening, machines, monotonic_s() - began_s)
            if not judge_live(state, options):
                folder.keep()
            _stay(evening, supervisor, died, machines, url)
    finally:
        ignore_signals()  # from here on everything ends in order, however often one presses Ctrl-C
        _progress(options, "stopping")
        if evening is not None:
            evening.stop()
        machines.stop()
        supervisor.close()
    _write_evidence(state, options, evening, machines, monotonic_s() - began_s)
    code = judge(state, options)
    if code:
        folder.keep()
    return code


def _evening(
    options: Options,
    plan: Plan,
    state: Path,
    machines: Machines,
    clock: Clock,
    url: str,
    narrator: Narrator,
    password: str,
) -> Evening:
    people = [
        People(
            ward,
            room=machines.rooms[ward.place],
            scanner=machines.scanners[ward.place],
            clock=clock,
            log=beeps_path(state, ward.place),
            tell=narrator.tell,
        )
        for ward in plan.wards
    ]
    fate = Fate(plan, rooms=machines.rooms, proxies=machines.proxies, clock=clock, tell=narrator.tell)
    office = Office(url, [ward.place for ward in plan.wards], answers=options.ends, tell=narrator.tell)
    guests = [] if options.ends else [Guests(url, password, business_day(plan.start))]
    until = plan.end if options.ends else clock.story.real_from or plan.end
    evening = Evening(plan, clock, narrator, people, fate, office, guests, until)
    threading.excepthook = evening.note_crash
    return evening


def _introduce(narrator: Narrator, options: Options, plan: Plan, state: Path, url: str) -> None:
    length_s = seconds_between(plan.start, plan.end)
    narrator.announce("page", url=url)
    narrator.announce("state", state=state, seed=plan.seed)
    narrator.announce(
        "plan",
        wards=wards(options.lang, len(plan.wards)),
        tags=sum(len(ward.tags) for ward in plan.wards),
        hours=length_s / 3600,
        seconds=length_s / options.rate,
    )


def _invite(narrator: Narrator, password: str, sheet: Path) -> None:
    """Say who may be signed in as; the accounts stand within some seconds."""
    narrator.announce("accounts", actor=DEMO_BUYER, password=password)
    for account in ACCOUNTS:
        narrator.announce("account", staff=account.staff, called=account.name)
    narrator.announce("sheet", path=sheet)


def _watch(evening: Evening, supervisor: Supervisor, died: list[str], options: Options, state: Path) -> None:
    """Let the evening happen, and wait until all of it is told."""
    evening.start()
    length_s = evening.clock.seconds_until(evening.plan.end)
    if not _look_until(lambda: evening.over, length_s + OVERTIME_S, evening, supervisor, died):
        raise PartFailed(f"the story is not over {OVERTIME_S:g} s after its time; look into the logs of the edges")
    ledgers = [edge_folder(state, ward.place) / "ledger.db" for ward in evening.plan.wards]
    evening.narrator.announce("settling")
    _look_until(lambda: is_told(evening.plan, evening.office, ledgers), SETTLE_MAX_S, evening, supervisor, died)
    _tell(evening, died)


def _stay(evening: Evening, supervisor: Supervisor, died: list[str], machines: Machines, url: str) -> None:
    """Let a person look around, until that person ends it."""
    folder = machines.state_day()
    check = "{} verify-statement {} --key {}".format(*machines.how_to_check(folder))
    evening.narrator.announce("trace", address=f"{url}trace?q={PORT_USED}")
    evening.narrator.announce("statement", folder=folder, command=check)
    evening.narrator.announce("look", url=url)
    _look_until(lambda: False, math.inf, evening, supervisor, died)


def _look_until(
    over: Callable[[], bool], limit_s: float, evening: Evening, supervisor: Supervisor, died: list[str]
) -> bool:
    """Start again what dies and tell what happens; returns False when it is not over in time."""
    until = monotonic_s() + limit_s
    while not over():
        supervisor.mend()
        _tell(evening, died)
        if monotonic_s() > until:
            return False
        pause(BEAT_S)
    return True


def _tell(evening: Evening, died: list[str]) -> None:
    while died:
        evening.narrator.tell("died", part=died.pop(0))
    say(*evening.narrator.lines())
    if evening.crashed:
        raise PartFailed(f"the simulation itself failed in {evening.crashed[0]}; please report it")


def _progress(options: Options, name: str) -> None:
    """Say what takes a while, to a person who watches."""
    if sys.stdout.isatty():
        say(sentence(options.lang, name, {"wards": wards(options.lang, options.wards)}))


def _write_evidence(state: Path, options: Options, evening: Evening, machines: Machines, seconds: float) -> None:
    plan, fate = evening.plan, evening.fate
    truth = Truth(
        seed=plan.seed,
        start=plan.start,
        end=evening.clock.now(),
        rate=options.rate,
        seconds=seconds,
        wards=tuple(WardTruth(ward.place, ward.tags, machines.rooms[ward.place].moves) for ward in plan.wards),
        cuts=() if fate.cut is None else (fate.cut,),
        take=fate.take,
        drive=plan.drive,
        answered_here=options.ends,
        misput=fate.misput,
    )
    write_evidence(state, truth, {ward: log.so_far() for ward, log in machines.deliveries.items()})
