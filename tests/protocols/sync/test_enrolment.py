"""The ticket and the texts of enrolment: they read back as written, and nothing else is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadValue, PeerBroke
from protocols.sync.certified import CertifiedKey, KeyKind
from protocols.sync.enrolment import (
    BODY_BYTES_MAX,
    TICKET_LENGTH_MAX,
    Asking,
    Enrolled,
    Renewing,
    Ticket,
    read_asking,
    read_enrolled,
    read_keys,
    read_renewing,
    read_ticket,
    token_text,
    write_asked,
    write_enrolled,
    write_keys,
    write_ticket,
)
from protocols.values.ids import DeviceId, HospitalId, PlaceId
from protocols.values.instant import Instant

ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
"""ISO/IEC 18004, table 5: what a QR code holds in its alphanumeric mode."""
TICKET = Ticket("central.hospital.lan", 8443, DeviceId("ward-01"), token_text(bytes(16)), bytes(range(32)))
KEY = CertifiedKey("sync-1", bytes(32), b"s" * 64, KeyKind.SYNC, Instant(5))
ENROLLED = Enrolled(
    device=DeviceId("ward-01"),
    hospital=HospitalId("main"),
    place=PlaceId("ward-01"),
    shard=7,
    key_id="0123456789abcdef",
    until=Instant(9),
    certificate="-----BEGIN",
    authority="-----BEGIN",
    root=bytes(32),
    brokers=("mqtts://broker.lan:8883",),
    keys=(KEY,),
)


@given(token=st.binary(min_size=16, max_size=16), fingerprint=st.binary(min_size=32, max_size=32))
def test_a_ticket_reads_back_as_written_in_either_case(token: bytes, fingerprint: bytes) -> None:
    ticket = Ticket("10.0.0.5", 443, DeviceId("ward-01"), token_text(token), fingerprint)
    text = write_ticket(ticket)
    assert read_ticket(text) == read_ticket(f" {text.lower()}\r\n") == ticket


def test_a_ticket_fits_the_alphabet_of_the_smallest_code() -> None:
    assert set(write_ticket(TICKET)) <= ALPHANUMERIC
    assert len(write_ticket(TICKET)) < 150


@given(st.text(max_size=TICKET_LENGTH_MAX + 50))
def test_any_other_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadValue):
        read_ticket(text)


@pytest.mark.parametrize(
    ("part", "wrong"), [(1, "NOWHERE"), (1, "HOST:0"), (1, "A B:8443"), (2, "ÄÖ"), (3, "SHORT"), (4, "1890")]
)
def test_a_spoilt_part_of_a_ticket_is_refused(part: int, wrong: str) -> None:
    parts = write_ticket(TICKET).split("/")
    parts[part] = wrong
    with pytest.raises(BadValue):
        read_ticket("/".join(parts))


def test_what_is_said_reads_back_as_written() -> None:
    asking, renewing = Asking("T", "ward-01", "-----BEGIN"), Renewing("ward-01", "-----BEGIN")
    assert read_asking(write_asked(asking)) == asking
    assert read_renewing(write_asked(renewing)) == renewing
    assert read_enrolled(write_enrolled(ENROLLED)) == ENROLLED
    assert read_keys(write_keys((KEY, KEY))) == (KEY, KEY)


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    for read in (read_asking, read_renewing, read_enrolled):
        with pytest.raises(PeerBroke):
            read(data)


@pytest.mark.parametrize("device", ["", "WARD", "ward-01\n", "ward-01\nforged line", "a" * 65])
def test_a_request_for_what_is_no_devices_name_is_refused(device: str) -> None:
    for read, asked in ((read_asking, Asking("T", device, "x")), (read_renewing, Renewing(device, "x"))):
        with pytest.raises(PeerBroke, match="device"):
            read(write_asked(asked))


def test_an_answer_with_a_wrong_name_or_key_is_refused() -> None:
    good = write_enrolled(ENROLLED)
    for wrong in (good.replace(b"ward-01", b"WARD 01"), good.replace(b'"sync-1"', b'""'), b" " * (BODY_BYTES_MAX + 1)):
        with pytest.raises(PeerBroke):
            read_enrolled(wrong)
