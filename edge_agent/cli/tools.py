"""The tools beside the agent: each command with its options. Only `restore` changes a ledger.

Only `edge_agent.cli` imports this file, and only when no agent is to be started.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from edge_agent.agent.doctor import Finding, examine
from edge_agent.agent.trust import signing_said
from edge_agent.cli.cards import cards
from edge_agent.cli.copies import Answer, back_up, restore
from edge_agent.cli.doctor_scan import examine_scan
from edge_agent.cli.health import health_json, health_lines, health_of
from edge_agent.cli.labels import draw_labels, print_labels, show_zpl, wanted_labels, write_tag
from edge_agent.config import Config, load_config
from edge_agent.errors import BadConfig, EdgeError, LinkFault
from edge_agent.links.printer import ANSWER_S
from edge_agent.store.connection import SqliteConnection, open_to_read
from edge_agent.store.schema import check_known
from edge_agent.store.status import Status, read_status
from edge_agent.store.verify import Report, verify
from protocols.decode import LINE_MAX, decode_line
from protocols.values.instant import to_iso

DONE, FAILED, WRONG_USE = 0, 1, 2
MARKS = {True: "ok", False: "WRONG", None: "-"}


def example(*commands: str) -> str:
    """Return commands as the end of a help text: each on a line of its own that is not wrapped, to be copied."""
    return "\n".join(("\b", "Example:", *(f"  {command}" for command in commands)))


app = typer.Typer(
    name="wardstock-edge",
    help="The agent of one storeroom, and its tools.",
    epilog=example("wardstock-edge run --config edge.toml", "wardstock-edge verify ledger.db"),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="The device's edge.toml.")]
LedgerOption = Annotated[Path | None, typer.Option("--ledger", metavar="FILE", help="A ledger.db.")]
LedgerArgument = Annotated[Path | None, typer.Argument(metavar="LEDGER.db", help="The same as --ledger.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]

_Which = tuple[Path, Config | None]


def call(arguments: list[str]) -> int:
    """Run one tool; returns 0 done, 1 failed, 2 wrong use."""
    try:
        app(arguments, prog_name="wardstock-edge")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except BadConfig as error:
        return _complain(error, WRONG_USE)
    except EdgeError as error:
        return _complain(error, FAILED)
    return DONE


@app.command(
    "run",
    help="Run the agent of one storeroom until it is asked to stop.",
    epilog=example("wardstock-edge run --config edge.toml"),
)
def _run(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The device's edge.toml.")],
    tap: Annotated[Path | None, typer.Option("--tap", metavar="FILE", help="Record every accepted read there.")] = None,
) -> None:
    del config, tap
    raise AssertionError("`run` is handled before this file is imported")


@app.command(
    "verify",
    help="Check a whole ledger: its chain, its book, its sums, its pages. Fails when anything was changed.",
    epilog=example("wardstock-edge verify ledger.db"),
)
def _verify(
    path: LedgerArgument = None, ledger: LedgerOption = None, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    where, _ = _which((path, ledger), config)
    with _opened(where) as connection, _progress() as told:
        report = verify(connection, told, pages=True)
    if as_json:
        _print_json({"ok": report.sound, **asdict(report)})
    else:
        _print_report(where, report)
    raise typer.Exit(DONE if report.sound else FAILED)


@app.command(
    "status",
    help="Tell what a ledger holds and how much of it central has.",
    epilog=example("wardstock-edge status --config edge.toml --json"),
)
def _status(
    path: LedgerArgument = None, ledger: LedgerOption = None, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    where, told = _which((path, ledger), config)
    with _opened(where) as connection:
        status = read_status(connection)
        health = health_of(connection)
    signing = _signing(told)
    if as_json:
        last = None if status.last_wall is None else to_iso(status.last_wall)
        numbers = {**asdict(status), "last_wall": last, "pending": status.pending}
        _print_json(
            {
                **numbers,
                "ledger": str(where),
                "bytes": where.stat().st_size,
                "signing": signing,
                "health": health_json(health),
            }
        )
    else:
        _print_status(where, status, signing)
        for line in health_lines(health):
            print(line)


@app.command(
    "decode",
    help="Read lines KIND<TAB>DATA (KIND: epc, barcode, llrp, m100, uhfreader18); answer each with one JSON line.",
    epilog=example("printf 'barcode\\t(01)09506000134352(21)42\\n' | wardstock-edge decode"),
)
def _decode() -> None:
    for line in _lines(sys.stdin.buffer):
        _print_json(decode_line(line))


@app.command(
    "doctor",
    help="Tell what is connected and what is wrong, one line each. Fails when anything is. The agent should not run.",
    epilog=example("wardstock-edge doctor --config edge.toml", "wardstock-edge doctor --config edge.toml --scan s1"),
)
def _doctor(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The device's edge.toml.")],
    as_json: JsonOption = False,
    ports: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the system lists its serial ports.", show_default=False)
    ] = None,
    scan: Annotated[
        str | None, typer.Option(metavar="SCANNER", help="Only read the printed test label with this scanner.")
    ] = None,
) -> None:
    told = load_config(config)
    findings: list[Finding] = []
    for finding in examine(told, ports) if scan is None else examine_scan(told, scan, quiet=as_json):
        findings.append(finding)
        if not as_json:
            print(f"{MARKS[finding.right]:<8}{finding.part}: {finding.said}", flush=True)
    wrong = any(finding.right is False for finding in findings)
    if as_json:
        _print_json({"ok": not wrong, "findings": [asdict(finding) for finding in findings]})
    raise typer.Exit(FAILED if wrong else DONE)


@app.command(
    "replay",
    help="Run the presence filter over a recorded trace of one storeroom; write what it says, one JSON line each.",
    epilog=example("wardstock-edge replay --trace DIR --out FILE"),
)
def _replay(
    trace: Annotated[
        Path, typer.Option("--trace", metavar="DIR", help="Folder of meta.json, bins.ndjson.gz, book.ndjson.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="What is said goes there; it is written anew.")],
) -> None:
    from edge_agent.agent.replay import replay  # numpy is needed here and nowhere else

    with _progress("bins") as told:
        said = replay(trace, out, lambda bins: told(bins, None))
    kinds = f" ({_counted(said.alerts, '')})" if said.alerts else ""
    print(f"{out}: alerts {sum(said.alerts.values())}{kinds}, tags {said.tags}, instants {said.instants}")


@app.command(
    "backup",
    help="Copy the ledger while the agent runs, check the copy whole, and write a manifest beside it.",
    epilog=example("wardstock-edge backup --config edge.toml --to /media/backup"),
)
def _backup(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The device's edge.toml.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder for the copy; best on another disk.")],
    as_json: JsonOption = False,
) -> None:
    with _progress("pages") as told:
        _answer(back_up(config, to, told), as_json)


@app.command(
    "restore",
    help="Check a backup and put it in the ledger's place; what stood there is kept. The agent must not run.",
    epilog=example("wardstock-edge restore --from ward-01-20260302T160000-41.db --config edge.toml"),
)
def _restore(
    copy: Annotated[Path, typer.Option("--from", metavar="FILE", help="The backup, or its manifest.")],
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The device's edge.toml.")],
    as_json: JsonOption = False,
) -> None:
    _answer(restore(config, copy), as_json)


@app.command(
    "enrol",
    help="Take a ticket of `wardstock-central enrol` in: make this device's key and get its certificate.",
    epilog=example(
        "wardstock-edge enrol --config edge.toml WARDSTOCK-1/CENTRAL.LAN:8443/WARD-01/…",
        "wardstock-edge enrol --config edge.toml --scan s1",
    ),
)
def _enrol(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The device's edge.toml.")],
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help="The ticket's text; - reads it from stdin.")] = "",
    scan: Annotated[
        str | None, typer.Option(metavar="SCANNER", help="Scan the ticket's code with this scanner; no agent may run.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    if bool(ticket) == bool(scan):
        raise BadConfig("expected a ticket, or --scan with a scanner's name; got " + ("both" if ticket else "neither"))
    from edge_agent.cli.enrol import enrol_device, scanned_ticket  # certificates are needed here and nowhere else

    told = load_config(config)
    text = sys.stdin.readline() if ticket == "-" else ticket
    given = enrol_device(told, scanned_ticket(told, scan) if scan else text)
    if as_json:
        _print_json(given)
        return
    print(f"{given['device']} is enrolled until {given['certificate_until']}; it renews that by itself")
    print("now start the agent: wardstock-edge run --config edge.toml")


@app.command(
    "label",
    help="Print labels: DataMatrix and inlay of each hold the same serial, read back before it counts.",
    epilog=example(
        "wardstock-edge label --config edge.toml --printer 192.0.2.20 --gtin 09506000134352 --prefix-digits 7 "
        "--lot L1 --expiry 2027-03-31 --serial 1 --count 20",
        "wardstock-edge label --config edge.toml --out labels.pdf --gtin 09506000134352 --prefix-digits 7 --lot L1 "
        "--serial 21 --count 5",
    ),
)
def _label(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The device's edge.toml.")],
    gtin: Annotated[str, typer.Option(help="The item's GTIN.")],
    lot: Annotated[str, typer.Option(help="The lot.")],
    serial: Annotated[int, typer.Option(help="Serial of the first label; the others follow.")],
    prefix_digits: Annotated[int, typer.Option(help="Digits of the GTIN's company prefix, 6..12.")],
    expiry: Annotated[str | None, typer.Option(metavar="DATE", help="Expiry, YYYY-MM-DD.")] = None,
    count: Annotated[int, typer.Option(help="How many labels.")] = 1,
    printer: Annotated[
        str | None, typer.Option(metavar="HOST[:PORT]", help="The printer; without it the ZPL is shown, nothing used.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw them for any printer instead: a .png each, or a .pdf.")
    ] = None,
    reader: Annotated[
        str | None, typer.Option(metavar="NAME", help="Write one tag that lies alone before a reader; no agent runs.")
    ] = None,
    answer_s: Annotated[float, typer.Option(help="Seconds to wait for one label.", hidden=True)] = ANSWER_S,
    as_json: JsonOption = False,
) -> None:
    told, labels = load_config(config), wanted_labels(gtin, lot, expiry, serial, prefix_digits, count)
    ways = [one for one in (printer, out, reader) if one is not None]
    if len(ways) > 1 or (reader is not None and count != 1):
        raise BadConfig("expected one of --printer, --out and --reader, the last for one label; see --help")
    if out is not None:
        written = [str(path) for path in draw_labels(told, out, labels)]
        _answer(({"ok": True, "files": written}, f"drew {len(labels)} labels: {', '.join(written)}"), as_json)
        return
    if printer is None and reader is None:
        print(show_zpl(labels), end="")
        return
    made = print_labels(told, printer, labels, answer_s) if printer else iter([write_tag(told, str(reader), labels[0])])
    for good, one in made:
        if as_json:
            _print_json(one)
        else:
            print(f"{'ok' if good else 'VOID':<8}serial {one['serial']}, EPC {one['epc']}, TID {one['tid'] or '-'}")
        if not good:
            spoilt = "every inlay was spoilt; look at the roll and the printer's RFID calibration"
            raise LinkFault(spoilt if reader is None else "the tag did not take it; take another tag")


app.command(
    "cards",
    help="Draw the cards that people scan: every command, or badges, shelves, storerooms, bins.",
    epilog=example(
        "wardstock-edge cards --out cards.html", "wardstock-edge cards --out badges.html --badge 1001 --badge 1002"
    ),
)(cards)


# --- what the commands share ---


def _answer(answer: Answer, as_json: bool) -> None:
    numbers, said = answer
    if as_json:
        _print_json(numbers)
    else:
        print(said)


def _which(ledgers: tuple[Path | None, Path | None], config: Path | None) -> _Which:
    named = [one for one in (*ledgers, config) if one is not None]
    if len(named) != 1:
        got = " and ".join(str(one) for one in named) or "none"
        raise BadConfig(f"expected one of LEDGER.db, --ledger and --config edge.toml, got {got}; see --help")
    if config is None:
        return named[0], None
    told = load_config(config)
    return told.ledger, told


@contextmanager
def _opened(path: Path) -> Iterator[SqliteConnection]:
    with open_to_read(path) as connection:
        check_known(connection, str(path))
        yield connection


@contextmanager
def _progress(unit: str = "entries") -> Iterator[Callable[[int, int | None], None]]:
    """Show how far a long check is, to a person who watches and to nobody else."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(unit, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Return lines of any bytes; of a line longer than `LINE_MAX` only so much that it is refused as too long."""
    while line := stream.readline(LINE_MAX + 2):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(LINE_MAX)
        yield line.decode("utf-8", errors="replace")


def _signing(config: Config | None) -> str | None:
    return None if config is None else signing_said(config)


def _print_json(answer: object) -> None:
    print(json.dumps(answer, ensure_ascii=False), flush=True)


def _print_report(path: Path, report: Report) -> None:
    whole = report.entries == report.total
    entries = f"{report.total} entries" if whole else f"checked {report.entries} of {report.total} entries"
    print(f"{path}: ledger of {report.device or '?'}, {entries}, {report.balances} balances")
    if report.sound:
        print(f"sound: the chain ends at seq {report.head_seq} with {report.head_hash}")
        print("sound: the book is the fold of its entries, and every sum over places is zero")
    for problem in report.problems:
        where = f"incarnation {problem.incarnation} seq {problem.seq}: " if problem.incarnation else ""
        print(f"NOT SOUND: {where}{problem.what}")


def _print_status(path: Path, status: Status, signing: str | None) -> None:
    last = f"{status.last_kind} at {to_iso(status.last_wall)}" if status.last_wall is not None else "nothing yet"
    rows = (
        ("device", status.device),
        ("ledger", f"{path}, {path.stat().st_size} bytes"),
        ("entries", f"{status.entries}, head seq {status.head_seq}"),
        ("last entry", last),
        ("central has", f"up to seq {status.acked}, {status.pending} pending"),
        ("safe elsewhere", f"up to seq {status.safe}" if status.safe >= 0 else "nothing: no backup is configured"),
        ("in stock", f"{status.units_in_stock} tagged pieces, {status.tags_bound} tags bound"),
        ("presence", f"{status.believed_here} tags believed here, {status.believed_gone} believed gone"),
        ("to claim", f"{status.to_claim} pieces left without a scan"),
        ("discrepancies", _counted(status.discrepancies, "none is open")),
        ("hospital data", _counted(status.feed, "nothing came yet")),
        ("signing", signing or "unknown without --config"),
        *([("put back", f"from a backup at {status.restored}")] if status.restored else []),
    )
    for name, value in rows:
        print(f"{name:<15}{value}")


def _counted(numbers: Mapping[str, int], none: str) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items()) or none


def _complain(error: Exception, status: int) -> int:
    for line in str(error).splitlines():
        print(f"wardstock-edge: {line}", file=sys.stderr)
    return status
