"""`wardstock-edge enrol`: take a ticket in, make this device's key, and keep what central gives for it."""

from edge_agent.agent.ticket_scan import scan_ticket
from edge_agent.config import Config
from edge_agent.config.scanners import CARD
from edge_agent.errors import BadConfig
from edge_agent.links.enrolment import enrol
from edge_agent.links.key_files import keep_enrolment, load_key, next_key
from protocols.errors import BadValue
from protocols.sync.enrolment import read_ticket
from protocols.values.instant import to_iso


def enrol_device(config: Config, ticket_text: str) -> dict[str, object]:
    """Enrol this device; returns what it was given, for a person. Raises `BadConfig`, `LinkFault`."""
    try:
        ticket = read_ticket(ticket_text)
    except BadValue as error:
        raise BadConfig(str(error)) from error
    if ticket.device != config.device.id:
        raise BadConfig(
            f"ticket: expected one for {config.device.id}, as {config.path} names this device, got one for "
            f"{ticket.device}; make a ticket for {config.device.id}"
        )
    given = enrol(ticket, next_key(config.keys))
    said = given.said
    if said.hospital != config.device.hospital:
        raise BadConfig(
            f"device.hospital: expected {said.hospital}, as central says, got {config.device.hospital}; correct it"
        )
    keep_enrolment(config.keys, given)
    load_key(config.keys, said.key_id)  # puts the new key in the place of the one before
    return {
        "device": said.device,
        "key": said.key_id,
        "certificate_until": to_iso(said.until),
        "shard": said.shard,
        "brokers": list(said.brokers),
    }


def scanned_ticket(config: Config, name: str) -> str:
    """Wait for a scan of the ticket by one of the configuration's scanners. Raises `BadConfig`, `LinkFault`."""
    found = next((each for each in config.scanners if each.name == name and each.kind != CARD), None)
    if found is None:
        known = ", ".join(each.name for each in config.scanners if each.kind != CARD)
        raise BadConfig(f"--scan: expected one of the scanners {known}, got {name!r:.40}")
    print(f"scan the ticket with {name} now", flush=True)
    return scan_ticket(found)
