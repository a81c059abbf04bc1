"""UHFReader18 and UHFReader288 boards: the name, code and fields of every frame spoken here, as text tables.

Facts only. A frame is length of what follows, bus address, command, in answers a status, fields, CRC-16 (MCRF4XX: 8408,
all ones before), low byte first. Names of ours; numbers and layouts of the UHFReader18 manual V2.0 and of the
UHFReader288 (UR series) manual v1.14. Where the two boards differ, both forms stand; the one that fits exactly counts.
An answer's row begins with its command, then the statuses it has these fields with; an indented line continues a row.
"""

COMMANDS = """
01 inventory
01 inventory_at q:u8 session:u8 target:u8 antenna:u8 scan_time:u8
02 read_by_epc epc_words:u8 epc:epc_of_words bank:u8 word:u8 words:u8 password:x4
02 read_by_mask -:=FF bank:u8 word:u8 words:u8 password:x4 mask_bank:u8 mask_bit:u16 mask_bits:u8 mask:rest
02 read_memory what:rest
03 write_by_epc count:u8 epc_words:u8 epc:epc_of_words bank:u8 word:u8 data:data_of_count password:x4
03 write_by_mask count:u8 -:=FF bank:u8 word:u8 data:data_of_count password:x4 mask_bank:u8 mask_bit:u16
    mask_bits:u8 mask:rest
03 write_memory what:rest
21 get_info
22 set_region highest:u8 lowest:u8
24 set_address new_address:u8
25 set_scan_time scan_time:u8
2F set_power dbm:u8
33 signal on:u8 off:u8 times:u8
35 set_work_mode mode:u8 state:u8 memory:u8 first:u8 words:u8 tag_time:u8
36 get_work_mode
3F set_antennas mask:u8
76 set_realtime mode:u8
"""

ANSWERS = """
01 01,02,03,04 tags antenna_mask:u8 tags:tags_with_level
01 01,02,03,04 tags tags:tags
01 01 no_tags
01 26 statistics antenna_mask:u8 rate:u16 total:u32
01 F8 antenna_fault what:rest?
01 FB no_tags what:rest?
02 00 memory words:rest
21 00 info version:x2 board:u8 protocols:u8 highest:u8 lowest:u8 dbm:u8 scan_time:u8 antennas:u8 switches:x3
21 00 info version:x2 board:u8 protocols:u8 highest:u8 lowest:u8 dbm:u8 scan_time:u8
36 00 work_mode what:rest
76 00 done what:rest?
EE 00 tags antenna_mask:u8 tags:tag_with_level
EE 00 tags tags:tag
EE 28 heartbeat number:u32 antenna_status:x8 total:u32
03,22,24,25,2F,33,35,3F 00 done
"""

BROADCAST = 0xFF
LENGTH_MIN_COMMAND, LENGTH_MIN_ANSWER = 4, 5
INVENTORY, PUSHED = 0x01, 0xEE

LAST_OF_INVENTORY = (0x01, 0x02, 0x04)
"""Done; time is over; the board's memory is full: what was heard is told. 03 says that more frames follow."""

CN_920_925 = (0x13, 0x40)
"""Chinese band 2: 920.125 MHz + N x 0.25, N from 0 (lowest) to 19 (highest); the band in the two high bits of both."""

ANTENNA_ONE = 0x80
"""How `inventory_at` names antenna 1; the next follow."""

STATUSES = {
    0x00: "done",
    0x01: "done, with tags",
    0x02: "the inventory's time is over",
    0x03: "more follows",
    0x04: "the board's memory is full",
    0x05: "the access password is wrong",
    0x09: "killing failed",
    0x0A: "the kill password may not be zero",
    0x0B: "the tag does not know this command",
    0x0C: "the access password may not be zero",
    0x0D: "the tag is protected already",
    0x0E: "the tag is not protected",
    0x10: "bytes are locked against writing",
    0x11: "locking is not possible",
    0x12: "it is locked already",
    0x13: "saving failed, the value holds until power is lost",
    0x14: "the value cannot be set",
    0x15: "the inventory's time is over",
    0x16: "the inventory's time is over",
    0x17: "more follows",
    0x18: "the board's memory is full",
    0x19: "the tag does not know this command or its password may not be zero",
    0x26: "statistics of the inventory",
    0x28: "heartbeat",
    0xF8: "an antenna is not connected",
    0xF9: "the command failed",
    0xFA: "the tag answered too weakly",
    0xFB: "no tag",
    0xFC: "the tag refused",
    0xFD: "the command's length is wrong",
    0xFE: "the command is not known or not possible now",
    0xFF: "a field of the command is wrong",
}
"""Every status of the manuals: a length, a known command and a known status are what a frame begins with."""
