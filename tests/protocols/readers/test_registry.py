"""What every reader must bear by being in the registry: noise, cuts, single bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.readers.registry import READERS, ReaderKind
from protocols.readers.use import ReaderUse
from protocols.values.instant import Instant

NOW = Instant(1)
PIECES = st.lists(st.binary(max_size=60), max_size=8)


@pytest.mark.parametrize("name", READERS)
@given(pieces=PIECES)
def test_a_decoder_gives_the_same_frames_however_its_bytes_are_cut(name: str, pieces: list[bytes]) -> None:
    whole, cut = READERS[name].decoder(), READERS[name].decoder()
    at_once = list(whole.receive(b"".join(pieces)))
    byte_by_byte = [each for byte in b"".join(pieces) for each in cut.receive(bytes([byte]))]
    assert byte_by_byte == at_once


@pytest.mark.parametrize("kind", [each for each in READERS.values() if each.session], ids=lambda kind: kind.name)
@given(pieces=PIECES)
def test_a_session_fed_with_noise_raises_nothing(kind: ReaderKind, pieces: list[bytes]) -> None:
    assert kind.session is not None
    session = kind.session(ReaderUse())
    session.opened(NOW)
    for piece in pieces:
        session.receive(piece, NOW)
    assert session.closed("end")


@pytest.mark.parametrize("name", READERS)
def test_a_row_stands_under_its_own_name(name: str) -> None:
    assert READERS[name].name == name
