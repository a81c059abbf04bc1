"""An RFID label printer on its raw port: one label in ZPL, its inlay written, read back and told.

The printer tries an inlay again, prints VOID over one that does not read back as written, and takes the next (^RR and
^RS: ZPL II Programming Guide, RFID commands); ^HV tells what the good one holds. The rule that must not be broken: a
label is called printed only for the EPC that came back from its inlay.
"""

import re
import socket
from dataclasses import dataclass

from edge_agent.core.labels import Label
from edge_agent.errors import LinkFault
from protocols.values.ids import Epc

PORT = 9100
TRIES, INLAYS_MAX = 3, 3
"""Writes of one inlay, and inlays that one label may spoil."""
ANSWER_S = 15.0
"""Seconds for one label: three spoilt inlays and a good one, on a slow printer."""
CONNECT_S = 5.0
ANSWER_BYTES_MAX = 4096
DOTS = 6
"""Dots of one module of the DataMatrix: 0.5 mm at 300 dpi, which every scanner reads."""

_ANSWER = re.compile(rb"EPC=([0-9A-F]*)\s+TID=([0-9A-F]*)")


@dataclass(frozen=True, slots=True)
class Inlay:
    """What came back from the inlay of one label."""

    epc: Epc
    tid: str


def zpl_of(label: Label) -> str:
    """Return one label in ZPL: GS1 DataMatrix with FNC1 as `_1`, text, and the inlay written and read back."""
    *front, (last_ai, last) = label.elements
    data = "_1" + "".join(ai + value.replace("_", "__") for ai, value in front) + f"_1{last_ai}{last}"
    lines = [label.text, *(f"({ai}){value}" for ai, value in label.elements)]
    texts = "".join(
        f"^FO200,{40 + 34 * row}^A0N,28^FD{line}^FS" for row, line in enumerate(each for each in lines if each)
    )
    return (
        f"^XA^CI28^RS8,,,{INLAYS_MAX},N^RR{TRIES}"
        f"^FO30,40^BXN,{DOTS},200,,,,_^FD{data}^FS{texts}"
        f"^RFW,H,0,12,E^FD{label.epc}^FS^RFR,H,0,12,E^FN1^FS^RI2^HV1,24,EPC=^HV2,24,TID=^PQ1^XZ\n"
    )


class Printer:
    """One printer's connection; it takes one host at a time. Raises `LinkFault` when it does not open."""

    def __init__(self, host: str, port: int = PORT, answer_s: float = ANSWER_S) -> None:
        self._where, self._answer_s = f"{host}:{port}", answer_s
        try:
            self._socket = socket.create_connection((host, port), CONNECT_S)
        except OSError as error:
            raise LinkFault(f"printer {self._where}: {error}; look at its power, address and cable") from error

    def close(self) -> None:
        """Give the printer free for others."""
        self._socket.close()

    def print_label(self, label: Label) -> Inlay | None:
        """Print one label; returns what its inlay holds, None when every inlay it was given was spoilt.

        Raises `LinkFault` when it cannot be known whether a label came out.
        """
        answer = self._say(zpl_of(label).encode(), _ANSWER, self._answer_s)
        found = _ANSWER.search(answer)
        if found is not None:
            return Inlay(Epc(found[1].decode()), found[2].decode())
        self._look(label)
        return None

    def _look(self, label: Label) -> None:
        """Ask a silent printer: with nothing left to print and no answer, each inlay was void. Raises `LinkFault`."""
        said = self._say(b"~HS", re.compile(rb"\x03\s*\x02[^\x03]*\x03"), CONNECT_S)
        first = said.partition(b"\x02")[2].partition(b"\x03")[0].split(b",")
        trouble = "" if len(first) >= 5 else "it does not answer; look at it, and at its last label"
        if not trouble and first[1] == b"1":
            trouble = "it is out of labels; load a roll, its label comes then"
        elif not trouble and first[2] == b"1":
            trouble = "it pauses; look at it and press its key"
        elif not trouble and first[4].strip(b"0"):
            trouble = "it is not done; wait for the label"
        if trouble:
            raise LinkFault(f"printer {self._where}, serial {label.serial}: {trouble}")

    def _say(self, data: bytes, until: re.Pattern[bytes], wait_s: float) -> bytes:
        answer = b""
        try:
            self._socket.settimeout(wait_s)
            self._socket.sendall(data)
            while len(answer) < ANSWER_BYTES_MAX and not until.search(answer):
                more = self._socket.recv(ANSWER_BYTES_MAX)
                if not more:
                    raise LinkFault(f"printer {self._where}: it closed the connection; look at its last label")
                answer += more
        except TimeoutError:
            return answer
        except OSError as error:
            raise LinkFault(f"printer {self._where}: {error}; look at its last label") from error
        return answer
