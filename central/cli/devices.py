"""`wardstock-central keys`, `enrol`, `devices`, `revoke`, `broker-conf`: who may speak, and what central signs with."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Annotated

import segno
import typer

from central.bootstrap.parts import clock_of, store_of
from central.cli.options import ConfigOption, JsonOption
from central.config import Config, read_config
from central.core.enrolment import TOKEN_MINUTES, TOKEN_MINUTES_MAX
from central.errors import BadInput
from central.links.key_files import OWNER_ONLY, load_certified
from central.services.accounts import OPERATOR
from central.services.broker_files import CONF, PORT_TLS, BrokerWanted, write_broker_files
from central.services.enrolment import Devices, DeviceStanding
from central.services.key_making import make_keys, rotate_keys
from central.services.own_keys import devices_of, key_places
from protocols.errors import BadValue
from protocols.sync.certified import KeyKind
from protocols.sync.enrolment import ticket_host, write_ticket
from protocols.values.ids import DeviceId, device_id
from protocols.values.instant import to_iso

SCALE, BORDER = 6, 4
"""Pixels of a module of a QR code, and modules of the quiet zone (ISO/IEC 18004, 5.3.8)."""
QR_ENDINGS = (".png", ".svg")

keys = typer.Typer(
    name="keys",
    help="Central's own keys: make them, rotate them, show them. The root's private half is kept offline.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

RootOption = Annotated[Path, typer.Option("--root", metavar="DIR", help="The root's folder, best on a medium.")]
DeviceArgument = Annotated[str, typer.Argument(metavar="DEVICE", help="A device that places.csv names.")]


@keys.command("init", epilog="Example: wardstock-central keys init --config central.toml --root /media/root-key")
def _init(config: ConfigOption, root: RootOption) -> None:
    """Make the keys a hospital lacks: root, sync, policy, statements, and the authority for certificates.

    The root goes to --root and nowhere else: copy it to a second medium, put both away. Doing it again makes nothing.
    """
    loaded = read_config(config)
    made = make_keys(key_places(loaded, root), clock_of(loaded).real_now())
    for path in made:
        print(path)
    print("take the root's medium out and put it away" if made else "nothing was lacking")


@keys.command("rotate", epilog="Example: wardstock-central keys rotate --config central.toml --root /media/root-key")
def _rotate(
    config: ConfigOption,
    root: RootOption,
    kind: Annotated[str, typer.Option("--kind", help="sync or policy; both without.")] = "",
) -> None:
    """Use the next key, which edges know already, and make the one after it. Start `serve` again afterwards."""
    loaded = read_config(config)
    if kind not in {"", KeyKind.SYNC, KeyKind.POLICY}:
        raise BadInput(f"--kind: expected sync or policy, got {kind!r:.20}")
    kinds = [KeyKind(kind)] if kind else [KeyKind.SYNC, KeyKind.POLICY]
    for path in rotate_keys(key_places(loaded, root), clock_of(loaded).real_now(), kinds):
        print(path)
    print("start `wardstock-central serve` again; wait a week before the next rotation")


@keys.command("show", epilog="Example: wardstock-central keys show --config central.toml --json")
def _show(config: ConfigOption, as_json: JsonOption = False) -> None:
    """List the keys that sign, the one in use first, with their last day."""
    loaded = read_config(config)
    found = [key for kind in (KeyKind.SYNC, KeyKind.POLICY) for key in load_certified(loaded.key_folder, kind)]
    rows = [{"kind": key.kind.value, "key": key.key_id, "until": to_iso(key.until)} for key in found]
    if as_json:
        print(json.dumps({"keys": rows}))
        return
    for row in rows:
        print(f"{row['kind']}  {row['key']}  until {row['until']}")


def enrol(
    config: ConfigOption,
    device: DeviceArgument,
    minutes: Annotated[
        int, typer.Option("--minutes", min=1, max=TOKEN_MINUTES_MAX, help="How long the ticket is good.")
    ] = TOKEN_MINUTES,
    qr: Annotated[
        Path | None, typer.Option("--qr", metavar="FILE", help="Draw the code into a .png or .svg file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a ticket that lets one device in, once, soon; print it as a code to scan and as text.

    At the device: `wardstock-edge enrol --config edge.toml TICKET`, or scan the code there with `--scan`.
    """
    if qr is not None and qr.suffix not in QR_ENDINGS:
        raise BadInput(f"--qr: expected a file that ends in {' or '.join(QR_ENDINGS)}, got {qr.name!r:.40}")
    with _devices(config) as (_, devices):
        text = write_ticket(devices.ticket(OPERATOR, named(device), minutes))
    code = segno.make(text, error="m")
    if qr is not None:
        _keep_code(code, qr)
    if as_json:
        print(json.dumps({"device": device, "ticket": text, "minutes": minutes}))
        return
    if qr is None:
        code.terminal(compact=True, border=BORDER)
    print(text)


def revoke(
    config: ConfigOption,
    device: DeviceArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the device's log and the record of acts.")],
) -> None:
    """Shut a device out: it is refused from its next word on. Write the brokers' files anew to cut it off there too."""
    with _devices(config) as (_, devices):
        devices.revoke(OPERATOR, named(device), reason)
    print(f"{device} is revoked; now write each broker's files anew with `wardstock-central broker-conf`")


def list_devices(config: ConfigOption, as_json: JsonOption = False) -> None:
    """List the devices: enrolled or not, and until when the certificate of each is good."""
    with _devices(config) as (_, devices):
        rows = [_row(one) for one in devices.standings()]
    if as_json:
        print(json.dumps({"devices": rows}))
        return
    for row in rows:
        print("  ".join(str(each) for each in row.values() if each))


def write_broker(
    config: ConfigOption,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the broker's files go.")],
    name: Annotated[
        list[str], typer.Option("--name", help="A host name or address devices reach it by; may be said again.")
    ],
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="The broker's port.")] = PORT_TLS,
) -> None:
    """Write the files of a mosquitto broker: configuration, access list, certificate, who is revoked.

    Run it again after a revocation and once a year, then let mosquitto read them: systemctl restart mosquitto.
    """
    try:
        hosts = tuple(ticket_host(each) for each in name)
    except BadValue as error:
        raise BadInput(f"--name: {error}") from error
    with _devices(config) as (loaded, devices):
        now = clock_of(loaded).real_now()
        wanted = BrokerWanted(out, hosts, port)
        for path in write_broker_files(wanted, loaded.key_folder, loaded.hospital_id, devices.revoked(), now):
            print(path)
    print(f"start it with: mosquitto -c {out / CONF}")


def add_commands(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.add_typer(keys)
    app.command("enrol", epilog="Example: wardstock-central enrol --config central.toml ward-01 --qr ward-01.png")(
        enrol
    )
    app.command("devices", epilog="Example: wardstock-central devices --config central.toml --json")(list_devices)
    app.command(
        "revoke", epilog="Example: wardstock-central revoke --config central.toml ward-01 --reason 'lost in a move'"
    )(revoke)
    app.command(
        "broker-conf",
        epilog="Example: wardstock-central broker-conf --config central.toml --out broker/ --name broker.hospital.lan",
    )(write_broker)


def named(text: str) -> DeviceId:
    """Parse a device's name as a person typed it. Raises `BadInput`."""
    try:
        return device_id(text)
    except BadValue as error:
        raise BadInput(str(error)) from error


def _keep_code(code: segno.QRCode, path: Path) -> None:
    """Draw a code into a file, its owner's alone: whoever reads it in time gets in. Raises `BadInput`."""
    drawn = BytesIO()
    code.save(drawn, kind=path.suffix[1:], scale=SCALE, border=BORDER)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY), "wb") as file:
            os.fchmod(file.fileno(), OWNER_ONLY)
            file.write(drawn.getvalue())
    except OSError as error:
        raise BadInput(f"--qr: expected a file that can be written, got {path}: {error.strerror}") from error


@contextmanager
def _devices(path: Path) -> Iterator[tuple[Config, Devices]]:
    loaded = read_config(path)
    with store_of(loaded) as store:
        yield loaded, devices_of(loaded, store, clock_of(loaded))


def _row(one: DeviceStanding) -> dict[str, str]:
    key = one.key
    return {
        "device": one.known.device,
        "standing": one.standing.value,
        "certificate_until": "" if key is None else to_iso(key.until),
        "revoked_at": "" if key is None or key.revoked_at is None else to_iso(key.revoked_at),
        "reason": "" if key is None else key.reason,
        "token_until": "" if one.token_until is None else to_iso(one.token_until),
    }
