"""`wardstock-edge`: the way in. `run` is handled here with the standard library alone, every other command in `tools`.

The rule that must not be broken: an agent starts in a fraction of a second on a small machine, so nothing that it does
not need is imported before it is known what was asked.
"""

import argparse
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

DONE, FAILED, WRONG_USE = 0, 1, 2
HELP_COLUMNS = 100
"""Said, because argparse would load three libraries to ask the terminal, at every start."""
PACKAGES = ("edge_agent", "protocols", "migrations", "central", "hardware_sim")
"""What the distribution ships; they belong together, and others have packages of such names too."""

EXAMPLE = "Example:\n  wardstock-edge run --config edge.toml"


def main() -> None:
    """Run the program and exit with its status."""
    sys.exit(start(sys.argv[1:]))


def start(arguments: Sequence[str]) -> int:
    """Run one command; returns 0 done, 1 failed, 2 wrong use. No traceback reaches a user."""
    intruder = find_intruder()
    if intruder:
        return _complain(intruder, FAILED)
    try:
        if arguments[:1] == ["run"]:
            return _run(arguments[1:])
        from edge_agent.cli.tools import call

        return call(list(arguments))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read our output has gone; let the last flush go too
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    except Exception as error:  # noqa: BLE001 - the outermost frame: a bug is one line that says where
        return _complain(f"this is a fault of the program, please report it: {_where(error)}", FAILED)


def find_intruder() -> str:
    """Return which of our packages is not where the others are, empty when all share one folder."""
    home = Path(__file__).resolve().parents[2]
    for name in PACKAGES:
        spec = find_spec(name)
        found = list(spec.submodule_search_locations or [spec.origin or "built in"]) if spec else []
        if not any(Path(place).resolve().parent == home and Path(place).name == name for place in found):
            where = found[0] if found else "nowhere"
            return f"package {name}: expected it in {home}, found {where}; remove the other package of that name"
    return ""


def _run(arguments: Sequence[str]) -> int:
    options = _options().parse_args(arguments)
    from edge_agent.errors import BadConfig, EdgeError

    try:
        return _live(options.config, options.parent_pipe, options.tap)
    except BadConfig as error:
        return _complain(str(error), WRONG_USE)
    except EdgeError as error:
        return _complain(str(error), FAILED)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wardstock-edge run",
        description="Run the agent of one storeroom until it is asked to stop.",
        epilog=EXAMPLE,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=HELP_COLUMNS),
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the device's edge.toml")
    parser.add_argument(
        "--parent-pipe", type=int, metavar="FD", help="end at the end of this inherited pipe, for a parent that may die"
    )
    parser.add_argument("--tap", type=Path, metavar="FILE", help="record every accepted read there, one JSON line each")
    return parser


def _live(path: Path, parent_pipe: int | None, tap: Path | None) -> int:
    gc.disable()  # what is loaded now stays for good: looking through it again and again is a tenth of a start
    from edge_agent.agent.heap import hold_little

    hold_little()
    _load_msgspec()
    from edge_agent.agent.inbox import Inbox
    from edge_agent.agent.life import run
    from edge_agent.agent.tap import open_tap
    from edge_agent.agent.voice import Voice, is_journal
    from edge_agent.clock import Clock
    from edge_agent.config import load_config
    from edge_agent.links.systemd import Systemd

    gc.freeze()
    gc.enable()
    config = load_config(path)
    inbox = Inbox()
    _obey_signals(inbox.stop)
    if parent_pipe is not None:
        _end_with_parent(parent_pipe, inbox.stop)
    device = config.device.id
    voice = Voice(Clock(config.story), journal=is_journal(sys.stderr, os.environ.get("JOURNAL_STREAM", "")))
    record = None if tap is None else open_tap(tap, voice)
    ready = partial(_tell, f"ready {device}")
    run(config, inbox, voice, version=_version(), ready=ready, tap=record, systemd=Systemd())
    return DONE


def _load_msgspec() -> None:
    """Load msgspec without `typing_extensions`, of which it takes three names where that can be imported, and the same
    from `typing` (they are there since Python 3.11) where not: another tenth of a start."""
    hidden = "typing_extensions" not in sys.modules
    if hidden:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment] # how the import system says "not here"
    try:
        import_module("msgspec")
    finally:
        if hidden:
            del sys.modules["typing_extensions"]


def _obey_signals(stop: Callable[[str], None]) -> None:
    def obey(number: int, frame: FrameType | None) -> None:
        del frame
        stop(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, obey)


def _end_with_parent(pipe: int, stop: Callable[[str], None]) -> None:
    from edge_agent.errors import BadConfig

    try:
        os.fstat(pipe)
    except OSError as error:
        raise BadConfig(f"--parent-pipe: expected an inherited descriptor, {pipe} is not open") from error

    def watch() -> None:
        try:
            while os.read(pipe, 1):
                pass
        finally:
            stop("the parent has ended")

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _version() -> str:
    """Return the version, from its folder's name (PyPA, "Recording installed projects"): without the e-mail parser that
    importlib.metadata brings, which is a twentieth of a start."""
    for place in sys.path:
        for found in Path(place).glob("wardstock-*.dist-info"):
            return found.stem.removeprefix("wardstock-")
    return "unknown"


def _tell(line: str) -> None:
    try:
        print(line, flush=True)
    except OSError:
        return  # nobody listens; the agent serves all the same


def _complain(message: str, status: int) -> int:
    for line in message.splitlines():
        print(f"wardstock-edge: {line}", file=sys.stderr)
    return status


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__}: {error}{place}"
