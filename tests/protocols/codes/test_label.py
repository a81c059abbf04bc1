"""One scan in, one meaning out: GS1 labels by context, badges, commands, and named refusals."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.codes.label import (
    Badge,
    Command,
    CommandName,
    Label,
    Ticket,
    TicketSort,
    UnreadableLabel,
    make_badge,
    make_command,
    make_ticket,
    read_label,
)
from protocols.codes.own import check_character
from protocols.errors import BadValue
from protocols.values.ids import actor_id

DATA = "01069012345678921727013110LOT7\x1d21S1"


@pytest.mark.parametrize("before", ["]d2", "]C1", "]Q3", "]e0", "]J1", "\x1d", "]d1", ""])
def test_a_gs1_symbol_is_known_by_its_identifier_or_its_separator(before: str) -> None:
    label = read_label(before + DATA)
    assert isinstance(label, Label)
    assert (label.issuer, label.product, label.lot, label.serial) == ("GS1", "06901234567892", "LOT7", "S1")
    assert (label.expiry, label.made) == (date(2027, 1, 31), None)


@pytest.mark.parametrize("text", ["10D9T", "0106901234567892", "]C010D9T", "]A0LOT7", "6901234567892", "hello"])
def test_a_bare_text_is_never_guessed_to_be_gs1(text: str) -> None:
    with pytest.raises(UnreadableLabel, match="expected a product's label, a badge or a command"):
        read_label(text)


def test_a_lot_that_looks_like_an_identifier_stays_whole() -> None:
    label = read_label("]d21010D9T")
    assert isinstance(label, Label)
    assert label.lot == "10D9T"


def test_half_of_a_split_label_says_only_what_it_says() -> None:
    label = read_label("]C117270131")
    assert isinstance(label, Label)
    assert (label.product, label.lot, label.serial) == (None, None, None)


@pytest.mark.parametrize("text", ["]E06901234567892", "]I106901234567892"])
def test_an_article_number_alone_is_a_product(text: str) -> None:
    label = read_label(text)
    assert isinstance(label, Label)
    assert (label.product, label.elements) == ("06901234567892", (("01", "06901234567892"),))


@pytest.mark.parametrize("before", ["", "]C0", "]d1"])
def test_bracketed_text_has_its_own_path(before: str) -> None:
    label = read_label(before + "(01)06901234567892(10)A1")
    assert isinstance(label, Label)
    assert label.lot == "A1"


@pytest.mark.parametrize(
    ("text", "issuer", "product"),
    [
        ("+A123BJC5D6E71G", "HIBC", "A123BJC5D6E71"),
        ("]C0+A123BJC5D6E71G", "HIBC", "A123BJC5D6E71"),
        ("MA.156.M0.100204.13351764", "MA", "MA.156.M0.100204.13351764"),
        ("]Q1MA.156.M0.100204.13351764", "MA", "MA.156.M0.100204.13351764"),
        ("AHM1234", "AHM", None),
        ("https://id.gs1.org/01/09506000134352", "GS1", "09506000134352"),
    ],
)
def test_the_text_shows_whose_label_it_is(text: str, issuer: str, product: str | None) -> None:
    label = read_label(text)
    assert isinstance(label, Label)
    assert (label.issuer, label.product) == (issuer, product)


def test_a_digital_link_says_all_it_carries() -> None:
    label = read_label("https://example.com/shop/01/9506000134352/10/AB%2FC/21/12%2B3?17=270131&linkType=all#top")
    assert isinstance(label, Label)
    assert (label.product, label.lot, label.serial) == ("09506000134352", "AB/C", "12+3")
    assert label.expiry == date(2027, 1, 31)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/",
        "https://example.com/help/01",
        "https://example.com/01/09506000134353",
        "https://example.com/01/09506000134352/99/x",
        "https://example.com/01/09506000134352?17=271331",
        "https://example.com/01/09506000134352/21/a%1Db",
        "http://",
        "+A123BJC5D6E71H",
        "MA.156.M0.100204.13351764.XQ",
        "MA.156.",
    ],
)
def test_a_code_of_a_known_issuer_that_is_broken_is_refused(text: str) -> None:
    with pytest.raises(UnreadableLabel):
        read_label(text)


def test_what_is_expected_decides_only_about_a_bare_text() -> None:
    expected = frozenset({"GS1"})
    label = read_label("0106901234567892", expected=expected)
    assert isinstance(label, Label)
    assert label.product == "06901234567892"
    assert read_label("6901234567892", expected=expected) == label
    assert read_label("+A123BJC5D6E71G", expected=expected) == read_label("+A123BJC5D6E71G")
    raw = read_label("12345", expected=frozenset({"AHM"}))
    assert isinstance(raw, Label)
    assert (raw.issuer, dict(raw.elements)["raw"]) == ("AHM", "12345")


def test_a_number_card_says_its_number() -> None:
    assert {name: name.times for name in CommandName if name.times} == {
        CommandName.TIMES_5: 5,
        CommandName.TIMES_10: 10,
    }
    assert read_label(make_command(CommandName.TIMES_5)) == Command(CommandName.TIMES_5)
    assert CommandName.PACK.times is None


@pytest.mark.parametrize(
    "text", ["", "]d2", "]d20106901234567893", "]E06901234567893", "(01)1", "x" * 513, "]C1" + "\x1d"]
)
def test_a_broken_label_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(UnreadableLabel) as caught:
        read_label(text)
    assert caught.value.reason


def test_the_check_character_is_that_of_iso_7064() -> None:
    # The Global Release Identifier A1-2425G-ABC1234002-M is the published example of MOD 37,36.
    assert check_character("A12425GABC1234002") == "M"


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=12))
def test_every_badge_reads_back_as_its_person(staff: str) -> None:
    assert read_label(make_badge(actor_id(staff))) == Badge(actor_id(staff))


@pytest.mark.parametrize("sort", TicketSort)
def test_every_ticket_reads_back(sort: TicketSort) -> None:
    assert read_label("]C0" + make_ticket(sort, "A1")) == Ticket(sort, "A1")
    with pytest.raises(UnreadableLabel, match=r"1\.\.24 characters"):
        read_label(sort + "A" * 25 + check_character(sort + "A" * 25))


@pytest.mark.parametrize("name", CommandName)
def test_every_command_card_reads_back(name: CommandName) -> None:
    assert read_label("]C0" + make_command(name)) == Command(name)


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=12),
    st.integers(0, 20),
    st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
)
def test_one_wrong_character_in_a_badge_never_passes(staff: str, at: int, other: str) -> None:
    text = make_badge(actor_id(staff))
    at %= len(text)
    if text[at] == other:
        return
    with pytest.raises(UnreadableLabel):
        read_label(text[:at] + other + text[at + 1 :])


@pytest.mark.parametrize("staff", ["", "a", "N-1", "N" * 13, "N 1"])
def test_a_staff_number_that_no_badge_carries_is_refused(staff: str) -> None:
    with pytest.raises(BadValue):
        make_badge(actor_id(staff))


@pytest.mark.parametrize("body", ["WSC1NOSUCH", "WSC1", "WSB1", "WSB1ABCDEFGHIJKLM"])
def test_an_own_code_with_a_right_check_but_no_meaning_is_refused(body: str) -> None:
    with pytest.raises(UnreadableLabel):
        read_label(body + check_character(body))
