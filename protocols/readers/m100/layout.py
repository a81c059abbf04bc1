"""M100 and R200 modules (MagicRF): the name, code and fields of every frame spoken here, as one text table.

Facts only. A frame is BB, direction, command, length of the payload in two bytes, payload, sum of all bytes from the
direction on modulo 256, 7E; nothing is escaped, so BB and 7E may stand anywhere inside. Directions: command 00 from the
host, answer 01, notice 02 by itself. Names of ours; numbers as in the MagicRF M100 & QM100 firmware manual V2.3.4.
"""

FRAMES = """
command 03 get_module_info what:u8
answer 03 module_info what:u8 text:text
command 07 set_region region:u8
answer 07 region_set status:u8
command 08 get_region
answer 08 region region:u8
command 0B get_select
answer 0B select target:u8 pointer:u32 mask_bits:u8 truncate:u8 mask:rest
command 0C set_select target:u8 pointer:u32 mask_bits:u8 truncate:u8 mask:rest
answer 0C select_set status:u8
command 0D get_query
answer 0D query query:x2
command 0E set_query query:x2
answer 0E query_set status:u8
command 11 set_baud hundreds:u16
command 12 set_select_mode mode:u8
answer 12 select_mode_set status:u8
command 17 sleep
answer 17 asleep status:u8
command 1A io operation:u8 pin:u8 value:u8
answer 1A io_done operation:u8 pin:u8 value:u8
command 1D set_sleep_time minutes:u8
answer 1D sleep_time_set status:u8
command 22 poll
notice 22 tag rssi_dbm:s8 pc:x2 epc:epc crc:x2 more:rest?
command 27 poll_many -:=22 rounds:u16
command 28 stop
answer 28 stopped status:u8
command 39 read_memory password:x4 bank:u8 word:u16 words:u16
answer 39 memory pc_epc_length:u8 pc:x2 epc:epc words:rest
command 49 write_memory password:x4 bank:u8 word:u16 count:u16 words:rest
answer 49 written pc_epc_length:u8 pc:x2 epc:epc status:u8
command 65 kill password:x4
answer 65 killed pc_epc_length:u8 pc:x2 epc:epc status:u8
command 82 lock password:x4 what:x3
answer 82 locked pc_epc_length:u8 pc:x2 epc:epc status:u8
command AA get_channel
answer AA channel channel:u8
command AB set_channel channel:u8
answer AB channel_set status:u8
command AD set_hopping on:u8
answer AD hopping_set status:u8
command A9 set_channels count:u8 channels:rest
answer A9 channels_set status:u8
command B0 set_carrier on:u8
answer B0 carrier_set status:u8
command B6 set_power centi_dbm:u16
answer B6 power_set status:u8
command B7 get_power
answer B7 power centi_dbm:u16
command F0 set_demodulator mixer_gain:u8 if_gain:u8 threshold:u16
answer F0 demodulator_set status:u8
command F1 get_demodulator
answer F1 demodulator mixer_gain:u8 if_gain:u8 threshold:u16
command F2 scan_jammers
answer F2 jammers first:u8 last:u8 levels:rest
command F3 scan_levels
answer F3 levels first:u8 last:u8 levels:rest
answer FF error code:u8 about:rest?
"""

DIRECTIONS = {"command": 0x00, "answer": 0x01, "notice": 0x02}

HEAD, END = 0xBB, 0x7E
OVERHEAD = 7
"""Bytes of a frame beside its payload."""
PAYLOAD_MAX = 255
"""No frame of the manual is longer; a larger length is a lie that would hold the stream back."""

REGION_CN_920_925 = 0x01
"""China, 920.125 to 924.875 MHz, 20 channels of 250 kHz."""

NO_TAG = 0x15
"""The error that is an answer: one inventory was done, and no tag was heard."""

ERRORS = {
    0x09: "reading the tag's memory failed",
    0x10: "writing the tag's memory failed",
    0x12: "killing the tag failed",
    0x13: "locking the tag failed",
    0x14: "the tag refused",
    0x15: "no tag",
    0x16: "the access password is wrong",
    0x17: "the command is not known or not whole",
    0x20: "every channel is in use",
}
