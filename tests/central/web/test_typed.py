"""What is typed into forms: a value is read whole or refused, and so is a row of several columns."""

import pytest

from central.errors import BadInput
from central.web.invoices import InvoiceForm
from central.web.returns import ReturnForm
from central.web.typed import in_step, whole_of
from protocols.values.quantity import LINE_QTY_MAX


def test_columns_of_one_length_are_rows() -> None:
    in_step("lines", ["a", "b"], [1, 2], {3, 4})


def test_a_column_that_is_short_is_refused_with_what_came() -> None:
    with pytest.raises(BadInput, match="lines: expected each row whole, got columns of 2, 1 values"):
        in_step("lines", ["a", "b"], [1])


def test_no_line_of_an_invoice_is_lost_where_its_price_did_not_come() -> None:
    form = InvoiceForm(order_no=["PO-1", "PO-1"], line_no=[1, 2], qty=["3", "4"], price=["1.00"])
    with pytest.raises(BadInput, match="each row whole"):
        form.lines()
    assert form.typed() == {("PO-1", 1): ("3", "1.00")}


def test_no_line_of_a_return_is_lost_where_its_quantity_did_not_come() -> None:
    form = ReturnForm(kind="return", why="damaged", line=["GR-1/1", "GR-1/2"], qty=["3"])
    with pytest.raises(BadInput, match="quantity: expected each row whole, got columns of 2, 1 values"):
        form.wanted()


@pytest.mark.parametrize(("line", "qty"), [("GR-1/x", "3"), ("GR-1/1", "x"), ("GR-1/1", "９"), ("GR-1/1", "1.5")])
def test_a_return_reads_quantities_as_every_form_does(line: str, qty: str) -> None:
    with pytest.raises(BadInput, match="expected a whole number up to"):
        ReturnForm(kind="return", why="damaged", line=[line], qty=[qty]).wanted()


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "９", str(LINE_QTY_MAX + 1), "9" * 60])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="qty: expected a whole number up to"):
        whole_of("qty", text)


def test_a_quantity_is_read_and_nothing_typed_is_none() -> None:
    assert (whole_of("qty", f" {LINE_QTY_MAX} "), whole_of("qty", " ")) == (LINE_QTY_MAX, 0)
