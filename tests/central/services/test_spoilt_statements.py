"""Statements that were spoilt in every way: one clear sentence each, exit status 1, and never called whole."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from central.cli import start
from central.services.reconcile import reconcile
from central.services.statements import make, signer_at, verify_file
from protocols.values.instant import plus
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, Ward, hospital, tags

ROUNDS = 400
LINE_MAX = 400
"""Letters of the one sentence."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole statement, its public key, and the key of another hospital."""
    folder = tmp_path_factory.mktemp("handed-out")
    store, ward = hospital(folder / "files"), Ward
    one = ward(store)
    one.open(KIT, "K1", tags(6))
    one.receive(GAUZE, "G1", 30, 5)
    for unit in tags(6):
        one.observe(unit, 0.99, 300)
    reconcile(store, HOSPITAL, plus(START, 950))
    signer = signer_at(folder / "statement.key")
    (folder / "ward-01.json").write_text(make(store, HOSPITAL, plus(START, 9 * 3600), signer)["ward-01"], "utf-8")
    signer_at(folder / "other.key")
    return folder


def sealed(raw: bytes) -> Any:  # noqa: ANN401 # a JSON object of any form
    return json.loads(raw)


def flipped(raw: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(raw)
    for _ in range(chance.choice([1, 1, 2, 5])):
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def with_byte(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw))
    return raw[:at] + bytes([chance.randrange(256)]) + raw[at:]


def without_byte(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw))
    return raw[:at] + raw[at + 1 :]


def cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw) - 2)]


def other_quantity(raw: bytes, chance: random.Random) -> bytes:
    whole = sealed(raw)
    chance.choice(whole["statement"]["lines"])["book"] += chance.choice([1, -1, 100])
    return json.dumps(whole).encode()


def other_sort(raw: bytes, chance: random.Random) -> bytes:
    whole = sealed(raw)
    part = chance.choice([whole, whole["statement"], whole["signature"], whole["statement"]["match"]])
    part[chance.choice(sorted(part))] = chance.choice([None, [], {}, "x", 7, True])
    return json.dumps(whole).encode()


def without_part(raw: bytes, chance: random.Random) -> bytes:
    whole = sealed(raw)
    part = chance.choice([whole, whole["statement"], whole["signature"], whole["statement"]["match"]])
    del part[chance.choice(sorted(part))]
    return json.dumps(whole).encode()


def written_otherwise(raw: bytes, chance: random.Random) -> bytes:
    number = chance.choice([b"NaN", b"-Infinity", b"1e999", b"1.0", b"9" * 5_000, b"9" * 30, b"-0", b'1, "book": 6'])
    return raw.replace(b'"book": 6', b'"book": ' + number, 1)


def wrapped(raw: bytes, chance: random.Random) -> bytes:
    ways = [b"\xef\xbb\xbf" + raw, raw.decode().encode("utf-16"), raw + b"{}", raw + b"\0", b"[" * 50_000, b"", b"null"]
    return chance.choice(ways)


def other_signature(raw: bytes, chance: random.Random) -> bytes:
    whole = sealed(raw)
    value: str = whole["signature"]["value"]
    ways = ["", "zz", "00" * 64, value.upper(), value + "00", f" {value}", value[::-1]]
    whole["signature"]["value"] = chance.choice(ways)
    return json.dumps(whole).encode()


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flipped, with_byte, without_byte, cut, other_quantity, other_sort, without_part, written_otherwise, wrapped,
    other_signature,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_spoilt_statement_is_told_in_one_sentence_and_is_never_whole(
    written: Path, tmp_path: Path, way: Callable[[bytes, random.Random], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    chance, raw = random.Random(f"spoilt {way.__name__}"), (written / "ward-01.json").read_bytes()
    path, key = tmp_path / "ward-01.json", str(written / "statement.pub")
    for _ in range(ROUNDS // len(WAYS)):
        spoilt = way(raw, chance)
        path.write_bytes(spoilt)
        status = start(["verify-statement", str(path), "--key", key])
        told = capsys.readouterr()
        if status == 0:
            assert (sealed(spoilt), spoilt.count(b'"')) == (sealed(raw), raw.count(b'"')), "only blanks differ"
            continue
        assert (status, told.err) == (1, "")
        (line,) = told.out.splitlines()
        assert line.startswith("NOT WHOLE: ward-01.json: ")
        assert len(line) < LINE_MAX
        assert not any(word in line for word in ("Traceback", "Error(", "NoneType", "object is not"))


def test_what_only_looks_different_is_still_whole(written: Path, tmp_path: Path) -> None:
    raw, path = (written / "ward-01.json").read_bytes(), tmp_path / "again.json"
    turned = {name: dict(reversed(part.items())) for name, part in reversed(sealed(raw).items())}
    for same in (json.dumps(turned).encode(), raw.replace(b"\n", b"\r\n"), raw + b"\n"):
        assert same != raw
        path.write_bytes(same)
        assert verify_file(path, written / "statement.pub")[0]


def test_another_hospitals_key_vouches_for_nothing_whatever_key_the_file_names(written: Path, tmp_path: Path) -> None:
    whole, path = sealed((written / "ward-01.json").read_bytes()), tmp_path / "ward-01.json"
    other = signer_at(written / "other.key")
    for key in (whole["signature"]["key"], other.key_id, "", "\u202e"):
        whole["signature"]["key"] = key
        path.write_text(json.dumps(whole), "utf-8")
        assert not verify_file(path, written / "other.pub")[0]


def test_a_file_or_key_that_is_not_there_is_wrong_use(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for asked in (["none.json"], ["ward-01.json", "--key", "none.pub"], ["ward-01.json", "--key", "ward-01.json"]):
        named = [part if part.startswith("--") else str(written / part) for part in asked]
        assert start(["verify-statement", *named]) == 2
        told = capsys.readouterr()
        assert (told.out, len(told.err.splitlines())) == ("", 1)
