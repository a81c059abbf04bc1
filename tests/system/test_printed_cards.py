"""A storeroom's first day with nothing but what the program prints: cards and badges from the page, labels of goods."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from protocols.readers.scanner import Beep
from tests.system.edge_ward import GTIN, Ward, label

pytestmark = pytest.mark.needs_linux

OK, LOOK, NO = Beep.OK, Beep.LOOK, Beep.NO
SYRINGE = "]d20106901234567892"
ITEMS = f"item,name_zh,pack,gtin\nC001,支架,,{GTIN}\nC002,注射器,10,06901234567892\n"


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        (tmp_path / "items.csv").write_text(ITEMS)
        config = made.config.read_text().replace("[master]\n", '[master]\nitems = "items.csv"\n')
        made.config.write_text(config)
        yield made


def printed(ward: Ward, *asked: str) -> dict[str, str]:
    """Return what the symbols of a page say, by the English words beside each."""
    page = ward.folder / "page.html"
    told = ward.tool("cards", "--out", str(page), *asked)
    assert told.returncode == 0, told.stderr
    texts = re.findall(r"<b>(.+?)</b>.*?<code>(\w+)</code>", page.read_text("utf-8"), re.DOTALL)
    return dict(texts)


def test_a_first_day_needs_only_what_was_printed(ward: Ward) -> None:
    cards = printed(ward)
    people = printed(ward, "--badge", "1001", "--badge", "2001", "--shelf", "S2")
    nurse, keeper, shelf = people["badge 1001"], people["badge 2001"], people["shelf S2"]
    ward.start_ready()
    scan = ward.plug.scan
    assert scan(SYRINGE, nurse, cards["COUNT"], shelf, cards["×10"], f"{SYRINGE}10A1") == [NO, *[OK] * 5]
    assert scan(cards["COUNT"], keeper, cards["ADJUST"]) == [OK, OK, LOOK]  # the tagged pieces were not counted
    assert scan(nurse, cards["×5"], f"{SYRINGE}10A1", label(1), cards["UNDO"], label(1)) == [OK] * 6
    assert scan(cards["RETURN"], label(1), cards["DONE"]) == [OK] * 3
    assert scan(cards["RETURN"], cards["EMERGENCY"], label(2), cards["DONE"]) == [NO, OK, OK, OK]
    assert "count ward-01" in ward.log()
    told = ward.tool("verify", "--config", str(ward.config))
    assert told.returncode == 0, told.stdout
    assert "Traceback" not in ward.log()
