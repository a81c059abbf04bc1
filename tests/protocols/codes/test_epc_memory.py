"""The protocol-control word decides an EPC's length; a TID names maker, model and, where it has one, a serial."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.codes.epc_memory import read_epc_bank, read_tid
from protocols.errors import ProtocolsError

SGTIN = "3066C4409047E140075BCD15"


def test_the_length_of_an_epc_is_what_its_word_says() -> None:
    bank = read_epc_bank("3000" + SGTIN + "DEADBEEF")
    assert (bank.epc, bank.user_memory, bank.extended, bank.foreign) == (SGTIN, False, False, False)
    assert read_epc_bank("3C01" + SGTIN + "0000").user_memory
    assert read_epc_bank("3101" + SGTIN).foreign
    assert read_epc_bank("3001" + SGTIN).attributes == 1


@pytest.mark.parametrize("text", ["", "3000", "0000" + SGTIN, "3800" + SGTIN, "XX"])
def test_a_bank_that_is_too_short_is_refused(text: str) -> None:
    with pytest.raises(ProtocolsError):
        read_epc_bank(text)


def test_a_tid_names_maker_model_and_serial() -> None:
    tid = read_tid("E2801191" + "2000" + "63C2A1B4D5E6")
    assert (tid.maker, tid.model, tid.serial) == (1, 0x191, "63C2A1B4D5E6")
    assert read_tid("E2003412").serial is None
    assert (read_tid("E2003412").maker, read_tid("E2003412").model) == (3, 0x412)
    assert read_tid("E2801191" + "0000").serial is None
    assert read_tid("E2801191" + "4000" + "00" * 8).serial == "0" * 16


@pytest.mark.parametrize("text", ["E0040150", "E2", "", "zz"])
def test_a_tid_of_another_class_is_refused(text: str) -> None:
    with pytest.raises(ProtocolsError):
        read_tid(text)


@settings(max_examples=2000)
@given(st.binary(max_size=70))
def test_any_memory_raises_nothing_but_our_own_errors(raw: bytes) -> None:
    for text in (raw.hex(), "e2" + raw.hex()):
        with contextlib.suppress(ProtocolsError):
            read_tid(text)
        with contextlib.suppress(ProtocolsError):
            read_epc_bank(text)
