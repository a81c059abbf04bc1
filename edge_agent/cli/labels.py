"""`label`: prints labels with their inlays, each proven by what comes back from it, or draws them for any printer."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.config import Config
from edge_agent.core.labels import Label, label_of, labels_of
from edge_agent.errors import BadConfig, LinkFault
from edge_agent.links.ports import Search
from edge_agent.links.printer import PORT, Printer, zpl_of
from edge_agent.store.labels import DRAWN, PRINTED, SUFFIX, VOID, Labels, open_labels
from edge_agent.store.lock import hold_alone
from protocols.errors import BadValue

Told = tuple[bool, dict[str, object]]
"""Whether the label is good, and what a script is told of it."""


def wanted_labels(gtin: str, lot: str, expiry: str | None, serial: int, prefix_digits: int, count: int) -> list[Label]:
    """Return the labels that were asked for. Raises `BadConfig`."""
    try:
        return labels_of(label_of(gtin, lot, expiry, serial, prefix_digits), count)
    except BadValue as error:
        raise BadConfig(str(error)) from error


def address_of(text: str) -> tuple[str, int]:
    """Return a printer's host and port. Raises `BadConfig`."""
    host, _, port = text.rpartition(":") if ":" in text else (text, "", str(PORT))
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65_535:
        raise BadConfig(f"--printer: expected HOST or HOST:PORT such as 192.0.2.20:{PORT}, got {text!r:.60}")
    return host, int(port)


def show_zpl(labels: list[Label]) -> str:
    """Return the labels in the printer's language; no serial is claimed."""
    return "".join(map(zpl_of, labels))


def draw_labels(config: Config, out: Path, labels: list[Label]) -> list[Path]:
    """Write labels as pictures; each serial is used. Raises `BadConfig`, `StoreFault` for a serial that was used."""
    from edge_agent.links.label_picture import write_pictures  # only who draws pays for it

    clock, claims = Clock(config.story), config.ledger.with_name(config.ledger.name + SUFFIX)
    with hold_alone(claims, what="printing"), open_labels(config.ledger) as book:
        claimed: list[Label] = []
        state = VOID
        try:
            for label in labels:
                book.claim(label, clock.now())
                claimed.append(label)
            written = write_pictures(labels, out)
            state = DRAWN
        finally:
            for label in claimed:
                book.settle(label.epc, state, "", clock.now())
    return written


def write_tag(config: Config, reader: str, label: Label) -> Told:
    """Write a label's EPC to the only tag before a reader; returns whether it took it.

    Raises `BadConfig`, `LinkFault` when nothing was written, `StoreFault` for a serial that was used.
    """
    from edge_agent.agent.tag_writer import TagWriter  # only who writes a tag pays for it

    named = next((each for each in config.readers if each.name == reader), None)
    if named is None:
        known = ", ".join(each.name for each in config.readers) or "none"
        raise BadConfig(f"--reader: expected one of the configured readers ({known}), got {reader!r:.40}")
    clock, claims = Clock(config.story), config.ledger.with_name(config.ledger.name + SUFFIX)
    with hold_alone(config.ledger), hold_alone(claims, what="printing"), open_labels(config.ledger) as book:
        book.claim(label, clock.now())
        tid, writer = "", TagWriter(named, Search(config.serial))
        try:
            tid = writer.write(label.epc)
        finally:
            if not writer.in_doubt:  # else the tag may hold it: the serial stays taken
                book.settle(label.epc, PRINTED if tid else VOID, tid, clock.now())
    said = {"ok": bool(tid), "gtin": label.gtin, "lot": label.lot, "serial": str(label.serial), "epc": label.epc}
    return bool(tid), {**said, "tid": tid, "state": PRINTED if tid else VOID}


def print_labels(config: Config, printer: str, labels: list[Label], answer_s: float) -> Iterator[Told]:
    """Print labels; ends with the first that is not good.

    Raises `BadConfig`; `StoreFault` for a serial that was used; `LinkFault` when a label's fate is not known.
    """
    where, clock = address_of(printer), Clock(config.story)
    claims = config.ledger.with_name(config.ledger.name + SUFFIX)
    with (
        hold_alone(claims, what="printing"),
        open_labels(config.ledger) as book,
        closing(Printer(*where, answer_s=answer_s)) as link,
    ):
        for label in labels:
            good, told = _print_one(link, book, label, clock)
            yield good, told
            if not good:
                return


def _print_one(link: Printer, book: Labels, label: Label, clock: Clock) -> Told:
    book.claim(label, clock.now())
    inlay = link.print_label(label)
    good = inlay is not None and inlay.epc == label.epc
    book.settle(label.epc, PRINTED if good else VOID, inlay.tid if inlay else "", clock.now())
    said = {"ok": good, "gtin": label.gtin, "lot": label.lot, "serial": str(label.serial), "epc": label.epc}
    if inlay is not None and not good:
        raise LinkFault(
            f"serial {label.serial}: expected EPC {label.epc} on its inlay, read {inlay.epc or 'nothing'}; "
            "destroy this label and print the serial again"
        )
    return good, {**said, "tid": inlay.tid if inlay else "", "state": PRINTED if good else VOID}
