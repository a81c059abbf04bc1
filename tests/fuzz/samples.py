"""Good input for the mutator: frames that our own encoders write, and texts of every kind of line.

Only shapes: what they mean is tested elsewhere. A new row of the registry needs samples here, or its test says so.
"""

from collections.abc import Mapping, Sequence

from protocols.codes.own import CommandName, make_badge, make_command
from protocols.readers.card import frame_card
from protocols.readers.columns import Fields
from protocols.readers.m100 import codec as m100
from protocols.readers.uhfreader18.codec import encode_answer, encode_command
from protocols.values.ids import actor_id

EPC = "3066C4409047E140075BCD15"
TID = "E280110520001234ABCDEF01"
INFO: Fields = {
    "version": "0102",
    "board": 9,
    "protocols": 2,
    "highest": 0x13,
    "lowest": 0x40,
    "dbm": 26,
    "scan_time": 10,
}

LABELS = (
    "]d2010690123456789217270131112601011" + "0LOT\x1d21SERIAL",
    "]C1010690123456789217270131\x1d10A213B1",
    "(01)06901234567892(17)270131(10)LOT(21)S",
    "https://id.gs1.org/01/06901234567892/10/LOT/21/32a%2Fb?17=220630",
    "+A123BJC5D6E71G",
    "+A99912345/$$812710X3/16D20111212/14D20200906/S77DEFG453",
    "+A123BJC5D6E71G+$$52001510X3GD",
    "MA.156.M0.100350.01004YA10017.SLMSAGAAAC.M210628.LAY21062803.E220628.V220627.C3",
    "AHM123456",
    make_badge(actor_id("N0042")),
    *(make_command(name) for name in CommandName),
)

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "m100": (
        m100.tag_frame(EPC, -60),
        m100.tag_frame("BB7E" * 4, -90),
        m100.encode("stopped", {"status": 0}),
        m100.encode("module_info", {"what": 0, "text": "M100 26dBm V1.0"}),
        m100.encode("memory", {"pc_epc_length": 14, "pc": "3000", "epc": EPC, "words": "CAFE0001"}),
        m100.encode("error", {"code": 0x15}),
    ),
    "uhfreader18": (
        encode_answer("tags", 0x01, 0x01, {"tags": [{"epc": EPC}, {"epc": "E200"}]}),
        encode_answer("tags", 0x01, 0x03, {"antenna_mask": 2, "tags": [{"epc": EPC, "tid": TID, "level": 200}]}),
        encode_answer("tags", 0xEE, 0x00, {"antenna_mask": 1, "tags": [{"epc": EPC, "level": 190}]}),
        encode_answer("info", 0x21, 0x00, INFO),
        encode_answer("error", 0x01, 0xFB),
        encode_command("get_info", address=3),
    ),
    "card": tuple(map(frame_card, ("A1B2C3D4", "04A1B2C3D4E5F6", "E004015012345678"))),
    "scanner": tuple(f"{each}\r".encode() for each in LABELS),
}

TEXTS: Mapping[str, Sequence[str]] = {
    "epc": (EPC, "F73795211411234538566CB0AFC4", "FB342CDE795211411234538566CB0AFC4", "3D" + "7" * 40, "E2801105"),
    "barcode": (*(each.replace("\x1d", "\\x1d") for each in LABELS), "\\u4e2d\\\\"),
    "llrp": ("043e0000000a00000001", "04350000001200000001011f000800000000", "043D0000000A00000007"),
    "m100": ("BB00220000227E", "BB02220011C43000E200001D7315016521408FC6B83EC27E", "BB01FF000115167E"),
    "uhfreader18": ("04FF011BB4", "040001DB4B", "0500010" + "1010000"),
}
