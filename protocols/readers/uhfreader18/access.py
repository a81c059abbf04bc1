"""How a UHFReader18 or 288 board reads or writes one tag's memory.

A 288 is told the tag's TID as a mask. An 18 can only be told an EPC, which may stand on two tags: the TID behind it is
read first, and nothing is done where it is another; after a write to the EPC itself the tag is asked by its new EPC.
It knows no line. The rule that must not be broken: no word is written before the TID was matched.
"""

from collections.abc import Sequence

from protocols.errors import BadValue
from protocols.readers.access import TID_BANK, AccessOrder
from protocols.readers.columns import Fields
from protocols.readers.errands import Step
from protocols.readers.uhfreader18.codec import encode_command

EPC_BANK = 1
EPC_WORD = 2
"""Where the EPC begins in its bank, behind CRC and PC (EPC Gen2 section 6.3.2.1.2)."""

WORD_MAX = 0xFF


def steps_of(order: AccessOrder, *, several: bool, address: int) -> Sequence[Step]:
    """Return the requests of an order to a board with several antennas, or with one. Raises `BadValue`."""
    if order.word > WORD_MAX:
        raise BadValue(f"tag access: this board counts words up to {WORD_MAX}, got {order.word}")
    return _by_tid(order, address) if several else _by_epc(order, address)


def _by_tid(order: AccessOrder, address: int) -> Sequence[Step]:
    mask: Fields = {"mask_bank": TID_BANK, "mask_bit": 0, "mask_bits": 4 * len(order.tid), "mask": order.tid}
    where: Fields = {"bank": order.bank, "word": order.word, "password": f"{order.password:08X}", **mask}
    read = encode_command("read_by_mask", {**where, "words": order.count}, address=address)
    back = Step(read, "memory", reads_back=True)
    if not order.data:
        return [back]
    write = encode_command("write_by_mask", {**where, "count": order.count, "data": order.data}, address=address)
    return [Step(write, "done"), back]


def _by_epc(order: AccessOrder, address: int) -> Sequence[Step]:
    if not order.epc:
        raise BadValue("tag access: this board can only be told an EPC: name the tag's EPC beside its TID")
    tid = _read(order.epc, TID_BANK, 0, len(order.tid) // 4, "00000000", address)
    password = f"{order.password:08X}"
    steps = [Step(tid, "memory", words=order.tid)]
    if order.data:
        steps.append(Step(_write(order, password, address), "done"))
    back = _read(_epc_after(order), order.bank, order.word, order.count, password, address)
    return [*steps, Step(back, "memory", reads_back=True)]


def _epc_after(order: AccessOrder) -> str:
    """Return the EPC of the tag once the order's words are written."""
    if not order.data or order.bank != EPC_BANK:
        return order.epc
    at = 4 * (order.word - EPC_WORD)
    if at < 0 or at + len(order.data) > len(order.epc):
        raise BadValue("tag access: this board can only be told to write words inside the EPC, not its length or CRC")
    return order.epc[:at] + order.data + order.epc[at + len(order.data) :]


def _read(epc: str, bank: int, word: int, words: int, password: str, address: int) -> bytes:
    where: Fields = {"bank": bank, "word": word, "words": words, "password": password}
    return encode_command("read_by_epc", {"epc_words": len(epc) // 4, "epc": epc, **where}, address=address)


def _write(order: AccessOrder, password: str, address: int) -> bytes:
    named: Fields = {"count": order.count, "epc_words": len(order.epc) // 4, "epc": order.epc}
    where: Fields = {"bank": order.bank, "word": order.word, "data": order.data, "password": password}
    return encode_command("write_by_epc", {**named, **where}, address=address)
