"""A card is its holder's badge, once for each time it is laid down, and a scanner is read as it was set."""

from pathlib import Path

import pytest

from edge_agent.agent.scanners import AGAIN_S, CardScans, scanner_decoder
from edge_agent.config.scanners import ScannerConfig
from edge_agent.errors import BadConfig
from edge_agent.store.master import read_cards
from protocols.codes.label import make_badge
from protocols.readers.card import frame_card
from protocols.readers.reads import BadFrame
from protocols.readers.scanner import ScanForm, ScanFrame
from protocols.values.ids import ActorId

UID, OTHER = "04A1B2C3", "04A1B2C3D4E5F6"
BADGE = ScanFrame(make_badge(ActorId("1001")))


class Reader:
    def __init__(self) -> None:
        self.now_s = 100.0
        self.cards = CardScans({UID: ActorId("1001")}, lambda: self.now_s)

    def lay(self, uid: str = UID, after_s: float = 0.5) -> list[ScanFrame | BadFrame]:
        self.now_s += after_s
        return self.cards.receive(frame_card(uid))


def test_a_card_that_lies_there_is_one_badge_and_laid_down_again_another() -> None:
    reader = Reader()
    assert [reader.lay() for _ in range(20)] == [[BADGE]] + [[]] * 19
    assert reader.lay(after_s=AGAIN_S) == [BADGE]


def test_a_card_of_nobody_is_refused_with_what_to_do() -> None:
    reader = Reader()
    (told,) = reader.lay(OTHER)
    assert isinstance(told, BadFrame)
    assert told.reason == f"card {OTHER}: nobody's card here; let the keeper add it to the cards of [master]"


def test_cards_are_read_from_master_data_and_each_is_one_persons(tmp_path: Path) -> None:
    path = tmp_path / "cards.csv"
    path.write_text(f"uid,staff\n{UID.lower()},1001\n{OTHER},1002\n")
    assert read_cards(path) == {UID: "1001", OTHER: "1002"}
    path.write_text(f"uid,staff\n{UID},1001\n{UID},1002\n04,1003\n")
    with pytest.raises(BadConfig, match="line 4: card: expected a UID"):
        read_cards(path)
    path.write_text(f"uid,staff\n{UID},1001\n{UID},1002\n")
    with pytest.raises(BadConfig, match="stands on two lines"):
        read_cards(path)


def test_a_scanner_is_read_as_it_was_set() -> None:
    config = ScannerConfig("s1", Path("x"), 9600, form=ScanForm("#", "TAB", aim_required=True))
    decoder = scanner_decoder(config, {}, lambda: 0.0)
    told = decoder.receive(b"#]d201\t#01\t")
    assert told[0] == ScanFrame("]d201")
    assert isinstance(told[1], BadFrame)
