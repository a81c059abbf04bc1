"""The sample hospital holds together and is healthy; only lines that a story may drive come near an order."""

from pathlib import Path

import pytest

from hardware_sim.errors import BadSample, WrongUse
from hardware_sim.sample.catalogue import MAIN_STORE, Lot, Sample, Stock, Use, read_sample
from hardware_sim.sample.files import OFFICE, ward_name, write_office, write_sample
from hardware_sim.sample.policy import trigger
from hardware_sim.scenario.draw import LEAD_SLACK_DAYS, START, takes_in_health, takes_to_trigger
from protocols.values.ids import ItemId, LotNo, Position
from protocols.values.instant import business_day

DAY = business_day(START)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return read_sample()


def test_the_sample_has_sixty_items_of_six_suppliers_with_valid_and_different_gtins(sample: Sample) -> None:
    assert len(sample.items) == 60
    assert len({item.gtin for item in sample.items.values()}) == 60
    assert {source.supplier for source in sample.sources} == {f"S0{n}" for n in range(1, 7)}
    assert set(sample.main_source) == set(sample.items)


def test_every_name_is_in_chinese_and_in_english(sample: Sample) -> None:
    for item in sample.items.values():
        assert any("\u4e00" <= letter <= "\u9fff" for letter in item.name_zh), item
        assert (item.name_en + item.spec).encode("latin-1", "ignore").strip(), item
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in item.name_en + item.spec), item


def test_a_ward_holds_about_thirty_lines_of_about_five_tagged_pieces(sample: Sample) -> None:
    for profile in sample.profiles:
        rows = sample.stock_of(profile.profile)
        assert 20 <= len(rows) <= 45
        assert 110 <= sum(row.qty for row in rows) <= 190


def test_every_line_is_above_its_trigger_before_the_story_begins(sample: Sample) -> None:
    owners = {MAIN_STORE: sample.main_stock} | {p.profile: sample.stock_of(p.profile) for p in sample.profiles}
    for owner, rows in owners.items():
        use90 = sample.use90(owner)
        for item in {row.item for row in rows}:
            held = sum(row.qty for row in rows if row.item == item)
            slack = 0 if item in sample.direct_items else LEAD_SLACK_DAYS
            assert held > trigger(use90.get(item, 0), sample.main_source[item].lead_days + slack), (owner, item)


def test_the_main_store_has_use_only_of_what_it_keeps(sample: Sample) -> None:
    assert set(sample.use90(MAIN_STORE)) == {row.item for row in sample.main_stock}


def test_each_ward_has_lines_that_a_few_takes_bring_clearly_below_their_trigger(sample: Sample) -> None:
    for profile in sample.profiles:
        direct = {row.item for row in sample.stock_of(profile.profile)} & sample.direct_items
        assert len(direct) >= 3
        for item in direct:
            takes = takes_to_trigger(sample, profile.profile, item)
            held = sum(row.qty for row in sample.stock_of(profile.profile) if row.item == item)
            level = trigger(sample.use90(profile.profile)[item], sample.main_source[item].lead_days)
            assert 2 <= takes <= 4
            assert held - takes + 0.15 < level < held - takes + 0.85


def test_a_healthy_line_can_lose_what_an_evening_takes_and_one_unseen_piece(sample: Sample) -> None:
    for profile in sample.profiles:
        for row in sample.stock_of(profile.profile):
            if row.item not in sample.direct_items:
                assert takes_in_health(sample, profile.profile, row.item) >= 1


@pytest.mark.parametrize(
    "change",
    [
        {"ward_stock": (Stock("icu", ItemId("HC1001"), LotNo("NONE"), 1, Position("S1")),)},
        {"use": (Use("icu", ItemId("HC1001"), 0, 1),)},
    ],
)
def test_a_sample_that_names_what_it_does_not_have_is_refused(
    sample: Sample, change: dict[str, tuple[object, ...]]
) -> None:
    lots = {(ItemId("HC1001"), LotNo("A")): Lot(ItemId("HC1001"), LotNo("A"), -10, 300)}
    parts = {"items": sample.items, "sources": (), "lots": lots, "profiles": ()}
    rows: dict[str, object] = {"ward_stock": (), "main_stock": (), "use": ()}
    with pytest.raises(BadSample, match="expected"):
        Sample(**parts, **rows | change)  # type: ignore[arg-type]  # the rows differ by case


def test_the_written_files_carry_dates_up_to_the_day_before_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    write_sample(tmp_path / "one", wards=3, until=DAY)
    write_sample(tmp_path / "two", wards=3, until=DAY)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == [
        "item_suppliers.csv", "items.csv", "lots.csv", "places.csv", "stock.csv", "suppliers.csv", "use.csv",
    ]  # fmt: skip
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    days = [line.split(",")[2] for line in (tmp_path / "one" / "use.csv").read_text().splitlines()[1:]]
    assert max(days) == "2026-03-01"
    assert min(days) >= "2025-12-02"
    places = (tmp_path / "one" / "places.csv").read_text(encoding="utf-8")
    assert all(ward_name(number) in places for number in (1, 2, 3))


def test_the_offices_files_carry_days_around_the_storys_first(tmp_path: Path) -> None:
    write_office(tmp_path / "office", until=DAY)
    assert sorted(path.name for path in (tmp_path / "office").iterdir()) == sorted(OFFICE)
    bought = (tmp_path / "office" / "purchases.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert max(line.split(",")[2] for line in bought) < DAY.isoformat()
    agreed = (tmp_path / "office" / "agreements.csv").read_text(encoding="utf-8").splitlines()[1]
    first, last = agreed.split(",")[-3:-1]
    assert first < DAY.isoformat() < last


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(WrongUse, match="expected a new or empty folder"):
        write_sample(tmp_path, wards=2, until=DAY)


def test_the_number_of_wards_has_a_limit(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="wards: expected"):
        write_sample(tmp_path / "new", wards=33, until=DAY)
