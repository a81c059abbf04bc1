"""A hospital with keys, for system tests: mosquitto that lets nobody in without a certificate, central as a process."""

import io
import json
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from central.cli import start
from edge_agent.cli.tools import call
from hardware_sim.demo.brokers import free_port
from protocols.sync.codec import Envelope, Signing, unseal
from protocols.sync.frames import Message
from tests.central.hospital import FILES, write_files
from tests.system.brokers import HOST, SYSTEM_FOLDERS
from tests.system.edge_ward import CONFIG, ROOT, Ward

PROGRAM = [sys.executable, "-c", "from central.cli import main; main()"]
LIMIT_S = 60.0
POLL_S = 0.05
LINK = "hello_s = 0.5\nidle_hello_s = 2\nresend_s = 1\nbackoff_max_s = 0.5\nspread_s = 0.1\n"


def eventually(true: Callable[[], object], told: Callable[[], str] = str) -> None:
    until = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < until, f"it did not come to pass in time\n{told()}"
        time.sleep(POLL_S)


class Hospital:
    """Keys, store, broker and server of one hospital in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, folder / "central.toml"
        self.port, self.enrolment_port = free_port(), free_port()
        self.config.write_text(
            f'[broker]\nurls = ["mqtts://localhost:{self.port}"]\nkeepalive_s = 2\n'
            f'[enrolment]\nport = {self.enrolment_port}\nnames = ["localhost"]\n[people]\neveryone_is = "page"\n'
        )
        write_files(folder / "sample", FILES)
        self.call("keys", "init", "--root", str(folder / "medium"))
        self.call("migrate")
        self.call("import", str(folder / "sample"))
        self._processes: list[subprocess.Popen[str]] = []
        try:
            self.broker = self.start_broker()
            self.server = self.serve()
        except (AssertionError, OSError):
            self.close()
            raise

    def call(self, *arguments: str) -> None:
        assert start([*arguments, "--config", str(self.config)]) == 0

    def start_broker(self) -> subprocess.Popen[str]:
        out = self.folder / "broker"
        self.call("broker-conf", "--out", str(out), "--name", "localhost", "--port", str(self.port))
        conf = out / "wardstock.conf"
        conf.write_text(conf.read_text() + "user root\n")  # tests may run as root; the files are theirs
        program = shutil.which("mosquitto", path=SYSTEM_FOLDERS)
        assert program is not None
        with (self.folder / "broker.log").open("a") as log:
            self.broker = subprocess.Popen([program, "-c", str(conf)], stdout=log, stderr=log, text=True)
        self._processes.append(self.broker)
        eventually(self._broker_listens, (self.folder / "broker.log").read_text)
        return self.broker

    def serve(self) -> subprocess.Popen[str]:
        with (self.folder / "central.log").open("a") as log:
            command = [*PROGRAM, "serve", "--config", str(self.config)]
            self.server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        self._processes.append(self.server)
        assert self.server.stdout is not None
        assert self.server.stdout.readline().startswith("listening "), (self.folder / "central.log").read_text()
        return self.server

    def end(self, process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait(LIMIT_S)
        if process.stdout is not None:
            process.stdout.close()

    def close(self) -> None:
        for process in self._processes:
            self.end(process)

    def ticket(self, device: str = "ward-01") -> str:
        with redirect_stdout(io.StringIO()) as told:
            self.call("enrol", device, "--json")
        return str(json.loads(told.getvalue())["ticket"])

    def events(self) -> set[bytes]:
        """Event ids of every entry in central's ledger."""
        connection = sqlite3.connect(self.folder / "central.db")
        rows = connection.execute("SELECT event_id FROM ledger").fetchall()
        connection.close()
        return {bytes(event) for (event,) in rows}

    def _broker_listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0


class EnrolledWard(Ward):
    """A ward whose edge signs; brokers and shard come from its enrolment."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        told = CONFIG.replace('[broker]\nurls = ["mqtt://127.0.0.1:9"]\n', "").replace("unsigned = true\n", LINK)
        self.config.write_text(told)

    def enrol(self, ticket: str) -> subprocess.CompletedProcess[str]:
        """Take a ticket in as a process of its own."""
        return self.tool("enrol", "--config", str(self.config), ticket)

    def enrol_here(self, ticket: str) -> None:
        """Take a ticket in within this process, where the test is about what comes after."""
        assert call(["enrol", "--config", str(self.config), ticket]) == 0

    def events(self) -> set[bytes]:
        connection = sqlite3.connect(self.ledger)
        rows = connection.execute("SELECT event_id FROM ledger").fetchall()
        connection.close()
        return {bytes(event) for (event,) in rows}

    def acked(self) -> int:
        connection = sqlite3.connect(self.ledger)
        ((acked,),) = connection.execute("SELECT max(acked) FROM mark").fetchall()
        connection.close()
        return int(acked)


class Listener:
    """Anybody with a certificate at the broker: it hears what it may, and says what it likes."""

    def __init__(self, port: int, authority: Path, certificate: Path, key: Path) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._said, self._asked = threading.Event(), threading.Event()
        context = ssl.create_default_context(cafile=str(authority))
        context.load_cert_chain(certificate, key)
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id="", clean_session=True, protocol=MQTTProtocolVersion.MQTTv311
        )
        self._client.tls_set_context(context)
        self._client.on_message = self._message
        self._client.on_subscribe = self._listens
        self._client.connect("localhost", port)
        self._client.loop_start()

    def listen(self, topic: str) -> None:
        """Ask for a topic; mosquitto grants any and hands on what the access list admits."""
        eventually(self._client.is_connected)
        self._asked.clear()
        self._client.subscribe(topic, qos=1)
        assert self._asked.wait(LIMIT_S)

    def say(self, topic: str, data: bytes) -> None:
        eventually(self._client.is_connected)
        self._client.publish(topic, data, qos=1).wait_for_publish(LIMIT_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _listens(
        self, _client: Client, _user: object, _mid: int, _codes: list[ReasonCode], _props: Properties | None
    ) -> None:
        self._asked.set()

    def _message(self, _client: Client, _user: object, message: MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))


def greets_without_certificate(port: int, authority: Path) -> bytes:
    """Say CONNECT to the broker as nobody in particular; returns its answer. Raises `OSError` when it hangs up."""
    context = ssl.create_default_context(cafile=str(authority))
    with (
        socket.create_connection(("localhost", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.send(bytes.fromhex("100c00044d5154540402003c0000"))  # MQTT 3.1.1, section 3.1
        answer = tls.recv(4)
    if not answer:
        raise ConnectionResetError("reset without a word")
    return answer


def opened(data: bytes) -> tuple[Envelope, Message]:
    """Open a message without asking who signed it, as a thief at the broker would."""
    return unseal(data, Signing(unsigned=True, verify=lambda *_: True))
