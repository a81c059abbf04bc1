"""A seeded mutator against everything that reads bytes or text from outside: `python -m tests.fuzz.streams [NAME …]`.

Each target is fed mutants of good input for ever by one decoder, as on a line that is never cut, and may raise nothing
but the package's own errors. What it prints is how many inputs, how many were understood, and by how much the memory
ever used grew after the first fifth of the run. A part of a run stands in the suite. The rule that must not be broken:
the same seed gives the same inputs, so that whatever fails can be shown again.
"""

import argparse
import json
import random
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocols.decode import KINDS, decode_line
from protocols.errors import ProtocolsError
from protocols.readers.llrp.codec import encode
from protocols.readers.llrp.messages import Message
from protocols.readers.llrp.reports import TagReports
from protocols.readers.reads import BadFrame
from protocols.readers.registry import READERS
from protocols.readers.use import ReaderUse
from protocols.values.instant import Instant
from tests.fuzz.samples import SAMPLES, TEXTS

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
INPUTS = 1_000_000
"""Inputs of a whole run, for each target."""
SEED = 20260302
INPUT_BYTES_MAX = 4096
"""Longest mutant; a longer one is cut."""
NUMBERS = (0, 1, 2, 3, 4, 0x7F, 0x80, 0xFE, 0xFF)
PIECE_MAX = 40
"""Longest piece that a stream is cut into."""


@dataclass(frozen=True, slots=True)
class Target:
    """`make` gives a function that takes one mutant and tells whether it understood anything; `seeds` are good."""

    seeds: Sequence[bytes]
    make: Callable[[random.Random], Callable[[bytes], bool]]


def mutant(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a good input with one to four things wrong: bits, bytes, lengths, pieces doubled, cut, or of another."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 4)):
        at, many = chance.randrange(len(data) + 1), chance.randrange(1, 9)
        match chance.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(data):
                data[at] = chance.choice(NUMBERS)
            case 2:
                data[at:at] = chance.randbytes(many)
            case 3:
                del data[at : at + many]
            case 4:
                data[at:at] = data[at : at + 4 * many]
            case 5:
                other = chance.choice(seeds)
                data[at : at + many] = other[at : at + 4 * many]
            case 6 if chance.random() < 0.3:
                del data[at:]
            case _:
                data[at : at + 2] = chance.choice(NUMBERS).to_bytes(2, "big")
    return bytes(data[:INPUT_BYTES_MAX])


def _stream(name: str) -> Callable[[random.Random], Callable[[bytes], bool]]:
    def make(chance: random.Random) -> Callable[[bytes], bool]:
        decoder = READERS[name].decoder()

        def feed(data: bytes) -> bool:
            cut = chance.randrange(len(data) + 1)
            frames = [*decoder.receive(data[:cut]), *decoder.receive(data[cut:])]
            return any(not isinstance(each, BadFrame) for each in frames)

        return feed

    return make


def _session(name: str) -> Callable[[random.Random], Callable[[bytes], bool]]:
    """A whole session: it is begun anew when it ends, as a link would do."""

    def make(chance: random.Random) -> Callable[[bytes], bool]:
        begin = READERS[name].session
        assert begin is not None
        session, now = begin(ReaderUse()), Instant(1)
        session.opened(now)

        def feed(data: bytes) -> bool:
            nonlocal session, now
            now = Instant(now + chance.randrange(200_000))
            said = [*session.receive(data, now), *session.tick(now)]
            if chance.random() < 0.01:
                session.closed("cut")
                session = begin(ReaderUse())
                session.opened(now)
            return bool(said)

        return feed

    return make


def _reports(_chance: random.Random) -> Callable[[bytes], bool]:
    reports = TagReports()
    return lambda data: any(not isinstance(each, BadFrame) for each in reports.read_message(_reframed(data)))


def _reframed(data: bytes) -> bytes:
    """Give a mutant of a report a header that is right, so that its rows are looked at."""
    body = data[10:]
    return b"\x04\x3d" + (len(body) + 10).to_bytes(4, "big") + bytes(4) + body


def _line(kind: str) -> Callable[[random.Random], Callable[[bytes], bool]]:
    def feed(data: bytes) -> bool:
        answer = decode_line(f"{kind}\t{data.decode('utf-8', 'surrogateescape')}")
        json.dumps(answer)
        if set(answer) not in ({"ok"}, {"error"}):
            raise AssertionError(f"expected ok or error, got {answer}")
        return "ok" in answer

    return lambda _chance: feed


def _llrp_seeds() -> list[bytes]:
    captures = json.loads((VECTORS / "llrp" / "captures.json").read_text())
    sessions = json.loads((VECTORS / "llrp" / "sessions.json").read_text())
    seeds = [encode(Message(each["type"], 7, each["params"])) for each in captures]
    return [each for each in (*seeds, *(bytes.fromhex(row["bytes"]) for row in sessions)) if len(each) < 1500]


def _frame_seeds(proto: str) -> list[bytes]:
    rows = [line.split("\t") for line in (VECTORS / "serial" / "frames.tsv").read_text().splitlines()[1:]]
    return [bytes.fromhex(row[1]) for row in rows if row[0] == proto]


def stream_seeds(name: str) -> list[bytes]:
    """Return good input for a kind of reader of the registry."""
    return _llrp_seeds() if name == "llrp" else _frame_seeds(name) + list(SAMPLES.get(name, ()))


def targets() -> Mapping[str, Target]:
    """Return every target by name: each row of the registry, its session, tag reports, and each kind of line."""
    found = {name: Target(stream_seeds(name), _stream(name)) for name in READERS}
    found |= {
        f"{name} session": Target(stream_seeds(name), _session(name)) for name, row in READERS.items() if row.session
    }
    found["llrp tag reports"] = Target([each for each in _llrp_seeds() if each[1] == 0x3D], _reports)
    return found | {f"decode {kind}": Target([each.encode() for each in TEXTS[kind]], _line(kind)) for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run found: `grown_kb` is by how much the most memory ever used grew after the first fifth of it."""

    inputs: int
    understood: int
    grown_kb: int


def run(target: Target, *, inputs: int, seed: int = SEED) -> Outcome:
    """Feed so many mutants. Lets out whatever is not one of the package's own errors."""
    chance = random.Random(seed)
    feed = target.make(chance)
    understood = _feed(target, feed, chance, inputs // 5)
    before = _memory_most()
    understood += _feed(target, feed, chance, inputs - inputs // 5)
    return Outcome(inputs, understood, _memory_most() - before)


def _memory_most() -> int:
    """Return the most kilobytes this process ever had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _feed(target: Target, feed: Callable[[bytes], bool], chance: random.Random, inputs: int) -> int:
    understood = 0
    for number in range(inputs):
        data = mutant(target.seeds, chance) if number % 4 else chance.choice(target.seeds)
        try:
            understood += feed(data)
        except ProtocolsError:
            continue
        except Exception as error:
            error.add_note(f"input {number}: {data.hex()}")
            raise
    return understood


def main(argv: Sequence[str] | None = None) -> None:
    """Run the targets that are named, or all, and print a line of JSON for each."""
    parser = argparse.ArgumentParser(description="Mutants against every decoder; the example: --inputs 10000 m100 llrp")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--inputs", type=int, default=INPUTS)
    parser.add_argument("--seed", type=int, default=SEED)
    wanted = parser.parse_args(argv)
    known = targets()
    unknown = set(wanted.names) - set(known)
    if unknown:
        parser.error(f"expected names of {', '.join(known)}; got {', '.join(sorted(unknown))}")
    for name in wanted.names or known:
        found = run(known[name], inputs=wanted.inputs, seed=wanted.seed)
        line = {"fuzz": name, "inputs": found.inputs, "understood": found.understood, "grown_kb": found.grown_kb}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
