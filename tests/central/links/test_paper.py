"""Forms on paper: the same form makes the same bytes, its font is embedded, and a person's words are never markup."""

import zlib
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from central.errors import BadInput
from central.links.paper import ROWS_MAX, Column, Form, Size, pdf_of, pictures_of

FORM = Form(
    "zh", "示例市第一医院", "采购订单", "PO-20260302-9F3A11C0", [("供应商", "示例·云汀医疗")],
    [Column("品名"), Column("数量", 20, number=True)],
    [(f"一次性使用中心静脉导管包 {number}", str(number)) for number in range(60)], ["采购员", "库房收货"],
    sums=[("合计(元)", "1,340.00")], note="随货附检验报告",
)  # fmt: skip
DOTS = 40


def streams(pdf: bytes) -> bytes:
    """Return what a PDF holds, unpacked."""
    told = pdf
    for part in pdf.split(b"stream")[1:]:
        try:
            told += zlib.decompress(part.strip(b"\r\n"))
        except zlib.error:
            continue
    return told


@pytest.mark.parametrize("size", Size)
def test_a_form_is_the_same_bytes_each_time_with_its_font_inside(size: Size) -> None:
    made = pdf_of(FORM, size)
    assert made.startswith(b"%PDF-")
    assert made == pdf_of(FORM, size)
    assert made != pdf_of(replace(FORM, number="PO-2"), size)
    assert b"NotoSansSC" in streams(made)
    assert b"/FontFile" in streams(made)
    assert len(made) < 400_000  # a subset: the whole font is 8 MB


@pytest.mark.parametrize(("size", "mm"), [(Size.A4, (210, 297)), (Size.HALF, (241, 140)), (Size.THIRD, (241, 93))])
def test_a_form_goes_over_pages_of_its_paper(size: Size, mm: tuple[int, int]) -> None:
    pages = [Image.open(BytesIO(page)) for page in pictures_of(FORM, size, DOTS)]
    assert len(pages) > 1
    for page in pages:
        assert [round(side / DOTS * 25.4) for side in page.size] == pytest.approx(mm, abs=1)


def test_what_a_person_wrote_is_never_read_as_markup() -> None:
    wild = '#panic("x") $ * _ ` \\ [ ] { } <a> @b // */ "quoted"'
    plain = replace(FORM, rows=[(wild, "1")], note=wild, facts=[(wild, wild)], hospital=wild, title=wild)
    assert len(pictures_of(plain, Size.A4, DOTS)) == 1


def test_a_form_without_boxes_or_with_too_many_lines_is_refused() -> None:
    with pytest.raises(BadInput, match="expected 1 to 6 boxes"):
        replace(FORM, signed=[])
    with pytest.raises(BadInput, match=f"at most {ROWS_MAX} lines"):
        replace(FORM, rows=[("a", "1")] * (ROWS_MAX + 1))
    with pytest.raises(BadInput, match="expected 2 cells"):
        replace(FORM, rows=[("a",)])
