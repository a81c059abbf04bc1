"""The AccessSpecs inside a simulated LLRP reader, which read and write the memory of tags.

Rules of LLRP 1.1 chapter 11: a spec is added disabled; enabled, it acts on every tag it matches until its
count is reached, and then it is gone; operations end at the first that fails.
It knows neither antennas nor time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hardware_sim.devices.llrp_answers import ACCESSSPECS_MAX, OPERATIONS_MAX, SUCCESS, Answer
from hardware_sim.devices.tag_memory import WORD_BYTES, Refused, TagMemory
from protocols.readers.llrp.fields import Params, Value
from protocols.readers.llrp.messages import number_at, number_of, rows_at, text_at

READ_WORDS = {
    Refused.PASSWORD: "Incorrect_password_error",
    Refused.LOCKED: "Tag_Memory_Locked_Error",
    Refused.OVERRUN: "Tag_Memory_Overrun_Error",
}
WRITE_WORDS = READ_WORDS | {Refused.PASSWORD: "Incorrect_Password_Error"}
"""LLRP's names of a tag's refusals; it spells one of them in two ways."""


@dataclass(slots=True)
class _Spec:
    params: Params
    left: int | None
    active: bool = False


@dataclass(slots=True)
class AccessSpecs:
    """The AccessSpecs of one reader."""

    _specs: dict[int, _Spec] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget all."""
        self._specs.clear()

    def add(self, spec: Params) -> Answer:
        """Take a new one, disabled."""
        number = number_at(spec, "AccessSpecID") or 0
        operations = rows_at(spec, "AccessCommand", "AccessCommandOpSpec")
        if number == 0 or number in self._specs:
            return Answer(("M_ParameterError", f"expected a new AccessSpec id above 0, got {number}"))
        if number_at(spec, "CurrentState"):
            return Answer(("M_ParameterError", "expected an AccessSpec whose state is Disabled"))
        if len(self._specs) >= ACCESSSPECS_MAX or len(operations) > OPERATIONS_MAX:
            most = f"{ACCESSSPECS_MAX} AccessSpecs of {OPERATIONS_MAX} operations"
            return Answer(("M_OverflowParameter", f"expected at most {most}"))
        if not all(set(row) <= {"C1G2Read", "C1G2Write"} for row in operations):
            return Answer(("M_UnsupportedParameter", "this reader reads and writes, and does nothing else to a tag"))
        counted = number_at(spec, "AccessSpecStopTrigger", "AccessSpecStopTrigger") == 1
        count = number_at(spec, "AccessSpecStopTrigger", "OperationCountValue") or 0
        self._specs[number] = _Spec(spec, count if counted and count else None)
        return Answer()

    def change(self, request: str, number: int) -> Answer:
        """Enable, disable or delete one, or all with 0."""
        if number and number not in self._specs:
            return Answer(("M_FieldError", f"there is no AccessSpec {number}"))
        for each in [number] if number else list(self._specs):
            if request == "DELETE_ACCESSSPEC":
                del self._specs[each]
            else:
                self._specs[each].active = request == "ENABLE_ACCESSSPEC"
        return Answer(SUCCESS)

    def shown(self) -> Params:
        """Return them as GET_ACCESSSPECS answers."""
        rows = [dict(each.params) | {"CurrentState": int(each.active)} for each in self._specs.values()]
        return {"AccessSpec": rows} if rows else {}

    def act(self, tag: TagMemory, rospec_id: int, antenna: int) -> dict[str, Value]:
        """Do to a tag that was just met what it matches; returns what its report says of that."""
        for number, spec in tuple(self._specs.items()):
            where = (number_at(spec.params, "ROSpecID"), number_at(spec.params, "AntennaID"))
            if not spec.active or where[0] not in (0, rospec_id) or where[1] not in (0, antenna):
                continue
            if not _matches(tag, rows_at(spec.params, "AccessCommand", "C1G2TagSpec", "C1G2TargetTag")):
                continue
            results = _operate(tag, rows_at(spec.params, "AccessCommand", "AccessCommandOpSpec"))
            if spec.left is not None:
                spec.left -= 1
                if not spec.left:
                    del self._specs[number]
            return {"AccessSpecID": number, "AccessCommandOpSpecResult": results}
        return {}


def _matches(tag: TagMemory, targets: list[Params]) -> bool:
    return all(_matches_one(tag, target) for target in targets)


def _matches_one(tag: TagMemory, target: Params) -> bool:
    mask, wanted = _bits(text_at(target, "TagMask")), _bits(text_at(target, "TagData"))
    start = number_at(target, "Pointer") or 0
    here = tag.bits(number_at(target, "MB") or 0)[start : start + len(mask)]
    same = len(here) == len(mask) and all(
        bit == want for bit, want, counts in zip(here, wanted, mask, strict=False) if counts == "1"
    )
    return same == bool(target.get("Match"))


def _bits(text: str) -> str:
    digits, _, count = text.partition("/")
    bits = "".join(f"{byte:08b}" for byte in bytes.fromhex(digits))
    return bits[: int(count)] if count else bits


def _operate(tag: TagMemory, operations: list[Params]) -> list[Value]:
    results: list[Value] = []
    for row in operations:
        name, operation = next(iter(row.items()))
        if not isinstance(operation, Mapping):
            continue
        result, failed = (_read if name == "C1G2Read" else _write)(tag, operation)
        results.append(result)
        if failed:
            break
    return results


def _read(tag: TagMemory, operation: Params) -> tuple[Value, bool]:
    where = (number_at(operation, "MB") or 0, number_at(operation, "WordPointer") or 0)
    read = tag.read(*where, number_at(operation, "WordCount") or 0, number_at(operation, "AccessPassword") or 0)
    code = number_of("C1G2ReadResultType", READ_WORDS[read] if isinstance(read, Refused) else "Success")
    data = "" if isinstance(read, Refused) else read.hex().upper()
    result: Params = {"Result": code, "OpSpecID": number_at(operation, "OpSpecID") or 0, "ReadData": data}
    return {"C1G2ReadOpSpecResult": result}, code != 0


def _write(tag: TagMemory, operation: Params) -> tuple[Value, bool]:
    data = bytes.fromhex(text_at(operation, "WriteData"))
    where = (number_at(operation, "MB") or 0, number_at(operation, "WordPointer") or 0)
    refused = tag.write(*where, data, number_at(operation, "AccessPassword") or 0)
    code = number_of("C1G2WriteResultType", "Success" if refused is None else WRITE_WORDS[refused])
    written = 0 if code else len(data) // WORD_BYTES
    result: Params = {
        "Result": code,
        "OpSpecID": number_at(operation, "OpSpecID") or 0,
        "NumWordsWritten": written,
    }
    return {"C1G2WriteOpSpecResult": result}, code != 0
