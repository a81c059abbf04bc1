"""What others wrote and central told: it moves the model of presence as what was written here does."""

from edge_agent.agent.model import hear, tell
from edge_agent.core.presence.live import Filter
from edge_agent.store.ledger import Ledger
from edge_agent.store.queries import known_tags
from edge_agent.store.verify import verify
from protocols.entry import Entry, encode_entry
from protocols.movements.bodies import write_body
from protocols.movements.tags import SIGHTED, ObserveBody
from protocols.readers.reads import RoundEnded
from protocols.sync.facts import sum_of
from protocols.values.ids import DeviceId, PlaceId, epc
from protocols.values.instant import plus
from tests.edge_agent.conftest import START, Scribe

OWN, BESIDE = DeviceId("ward-01"), DeviceId("ward-02")
PLACE = PlaceId("ward-01")
UNITS = [f"30340242201D8D40000000{number:02X}" for number in (1, 2)]


def stocked(ledger: Ledger, scribe: Scribe) -> Filter:
    """A ledger with two pieces of which one was believed here, and a filter that heard a minute of silence."""
    ledger.append([scribe.bind(*UNITS), scribe.opening(*UNITS), scribe.observe(UNITS[0], 0.99)])
    made = Filter({"r1": (1,)}, round_s=10)
    for unit in UNITS:
        made.book(epc(unit), True, START)
    minutes(made, 0, 2)
    return made


def minutes(made: Filter, first: int, last: int) -> None:
    for minute in range(first, last):
        for turn in range(6):
            made.receive(RoundEnded(plus(START, minute * 60 + turn * 10), (1,)), "r1")


def sighting(scribe: Scribe, p: float) -> Entry:
    return scribe.entry("observe", write_body(ObserveBody(UNITS[0], p, SIGHTED, START)))


def post(ledger: Ledger, device: DeviceId, *entries: Entry) -> None:
    ledger.post_facts(1, sum_of(b"", []), [(device, encode_entry(entry)) for entry in entries])


def test_what_another_storeroom_sights_is_no_belief_of_this_one_and_the_ledger_stays_sound(
    ledger: Ledger, scribe: Scribe
) -> None:
    stocked(ledger, scribe)
    post(ledger, BESIDE, sighting(scribe, 0.99))
    assert ledger.connection.query("SELECT p, model FROM belief") == [(0.99, "window-1")]
    assert ledger.connection.query("SELECT COUNT(*) FROM fact") == [(1,)]
    assert verify(ledger.connection).sound


def test_the_filter_hears_of_it_and_of_what_it_sighted_itself_it_does_not(ledger: Ledger, scribe: Scribe) -> None:
    told, own = stocked(ledger, scribe), Filter({"r1": (1,)}, round_s=10)
    for unit in UNITS:
        own.book(epc(unit), True, START)
    minutes(own, 0, 2)
    entry = sighting(scribe, 0.99)
    hear(told, ledger.connection, [(BESIDE, entry)], OWN, PLACE)
    hear(own, ledger.connection, [(OWN, entry)], OWN, PLACE)
    for made in (told, own):
        minutes(made, 2, 4)
    assert told.tags.minds[0].n > 10 * own.tags.minds[0].n
    assert told.tags.minds[1].n == own.tags.minds[1].n


def test_a_movement_that_another_wrote_moves_the_book_of_the_filter(ledger: Ledger, scribe: Scribe) -> None:
    made = stocked(ledger, scribe)
    entry = scribe.issue(UNITS[0])
    post(ledger, BESIDE, entry)
    hear(made, ledger.connection, [(BESIDE, entry)], OWN, PLACE)
    minutes(made, 2, 4)
    assert [made.tags.booked(number)[0] for number in range(2)] == [False, True]


def test_a_fact_that_cannot_be_read_is_left_out(ledger: Ledger, scribe: Scribe) -> None:
    made = stocked(ledger, scribe)
    wrong = scribe.entry("observe", {"epc": UNITS[0]})
    hear(made, ledger.connection, [(BESIDE, wrong), (BESIDE, sighting(scribe, 0.99))], OWN, PLACE)
    minutes(made, 2, 4)
    assert made.tags.minds[0].n > 0.01


def test_the_filter_is_told_the_shelf_that_the_book_has_a_piece_on(ledger: Ledger, scribe: Scribe) -> None:
    made = stocked(ledger, scribe)
    line = {"item": "C001", "lot": "L1", "qty": 1, "unit": UNITS[0], "source": PLACE, "target": PLACE}
    put = scribe.entry("put_away", {"lines": [{**line, "source_position": "S1", "target_position": "S2"}]})
    tell(made, ledger.connection, [scribe.opening(*UNITS)], PLACE)
    assert [made.shelves.names[stand.home] for stand in made.shelves.stands] == ["S1", "S1"]
    ledger.append([put])
    tell(made, ledger.connection, [put], PLACE)
    assert [made.shelves.names[stand.home] for stand in made.shelves.stands] == ["S2", "S1"]
    assert [tag.position for tag in known_tags(ledger.connection, PLACE)] == ["S2", "S1"]
