"""How an M100 or R200 module reads or writes one tag's memory: it is told to speak only to the tag with this TID.

It knows no line. The rule that must not be broken: the choice is by TID and only for operations on memory; inventories
go on hearing every tag (select mode 2, firmware manual section on `set_select_mode`).
"""

from collections.abc import Sequence

from protocols.readers.access import TID_BANK, AccessOrder
from protocols.readers.columns import Fields
from protocols.readers.errands import Step
from protocols.readers.m100.codec import encode

NOT_FOR_INVENTORIES = 0x02
"""Select mode: the choice holds for every operation but inventories."""


def steps_of(order: AccessOrder) -> Sequence[Step]:
    """Return the requests of an order; its target S0 and action 0 stand in the high bits of `target`, both zero."""
    chosen: Fields = {
        "target": TID_BANK,
        "pointer": 0,
        "mask_bits": 4 * len(order.tid),
        "truncate": 0,
        "mask": order.tid,
    }
    where: Fields = {"password": f"{order.password:08X}", "bank": order.bank, "word": order.word}
    steps = [
        Step(encode("set_select_mode", {"mode": NOT_FOR_INVENTORIES}), "select_mode_set"),
        Step(encode("set_select", chosen), "select_set"),
    ]
    if order.data:
        steps.append(Step(encode("write_memory", {**where, "count": order.count, "words": order.data}), "written"))
    return [*steps, Step(encode("read_memory", {**where, "words": order.count}), "memory", reads_back=True)]
