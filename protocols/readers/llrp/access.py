"""Reading and writing one tag's memory over LLRP: the AccessSpec that asks for it, and its results (chapter 11).

A write is always followed by a read of the same words in the same AccessSpec. It says nothing about when to ask; that
is `jobs.py`.
"""

from collections.abc import Mapping

from protocols.readers.access import TID_BANK, AccessOrder
from protocols.readers.llrp.fields import Params, Value
from protocols.readers.llrp.messages import name_of, number_at, number_of, rows_at, text_at
from protocols.readers.reads import AccessDone

ACCESS_SPEC_ID = 1
WRITE_ID, READ_ID = 1, 2
RESULTS = {"C1G2WriteOpSpecResult": "C1G2WriteResultType", "C1G2ReadOpSpecResult": "C1G2ReadResultType"}


def add_access_spec(order: AccessOrder, rospec_id: int) -> tuple[str, Params]:
    """Return the request that adds an order's AccessSpec: once, on any antenna, reported when it is done."""
    target: Params = {
        "MB": TID_BANK,
        "Match": True,
        "Pointer": 0,
        "TagMask": "F" * len(order.tid),
        "TagData": order.tid,
    }
    where: Params = {"AccessPassword": order.password, "MB": order.bank, "WordPointer": order.word}
    commands: list[Value] = [{"C1G2Read": {"OpSpecID": READ_ID, **where, "WordCount": order.count}}]
    if order.data:
        commands.insert(0, {"C1G2Write": {"OpSpecID": WRITE_ID, **where, "WriteData": order.data}})
    spec: Params = {
        "AccessSpecID": ACCESS_SPEC_ID,
        "AntennaID": 0,
        "ProtocolID": number_of("AirProtocols", "EPCGlobalClass1Gen2"),
        "CurrentState": 0,
        "ROSpecID": rospec_id,
        "AccessSpecStopTrigger": {"AccessSpecStopTrigger": 1, "OperationCountValue": 1},
        "AccessCommand": {"C1G2TagSpec": {"C1G2TargetTag": [target]}, "AccessCommandOpSpec": commands},
        "AccessReportSpec": number_of("AccessReportTriggerType", "End_Of_AccessSpec"),
    }
    return "ADD_ACCESSSPEC", {"AccessSpec": spec}


def name_access_spec(request: str) -> tuple[str, Params]:
    """Return a request that only names our AccessSpec."""
    return request, {"AccessSpecID": ACCESS_SPEC_ID}


def read_results(order: AccessOrder, report: Params) -> AccessDone | None:
    """Return what one TagReportData says of an order, or None where it says nothing."""
    results = rows_at(report, "AccessCommandOpSpecResult")
    if number_at(report, "AccessSpecID") not in (None, ACCESS_SPEC_ID) or not results:
        return None
    read = ""
    is_read = False
    for row in results:
        name, value = next(iter(row.items()))
        if name not in RESULTS or not isinstance(value, Mapping):
            continue
        code = number_at(value, "Result") or 0
        if code:
            what = "written" if name == "C1G2WriteOpSpecResult" else "read"
            return order.failed(f"not {what}: {name_of(RESULTS[name], code)}")
        if name == "C1G2ReadOpSpecResult":
            read, is_read = text_at(value, "ReadData"), True
    return order.read_back(read) if is_read else order.failed("the words were not read back")
