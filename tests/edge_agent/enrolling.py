"""A central that enrols devices over real HTTPS, for tests of the edge."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from central.api.enrolling import EnrolmentServer, Served
from central.clock import Clock
from central.links.tls_files import keep_server
from central.services.enrolment import Reach
from hardware_sim.demo.brokers import free_port
from protocols.sync.enrolment import Ticket
from tests.central.services.fleet import ADMIN, WARD, Fleet
from tests.system.brokers import HOST


class Central:
    """The server, and what an administrator does."""

    def __init__(self, folder: Path) -> None:
        self.fleet = Fleet(folder, Clock().now())
        self.port = free_port()
        reach = Reach("localhost", self.port, ("mqtts://localhost:8883",))
        self.fleet.devices = replace(self.fleet.devices, reach=reach)
        certificate, key = keep_server(self.fleet.keys, ["localhost"], self.fleet.now)
        self.server = EnrolmentServer(self.fleet.devices, Served(HOST, self.port, certificate, key))

    def ticket(self) -> Ticket:
        return self.fleet.devices.ticket(ADMIN, WARD, 30)


@contextmanager
def serving(folder: Path) -> Iterator[Central]:
    central = Central(folder)
    central.server.start(threading.Event().wait)
    try:
        yield central
    finally:
        central.server.stop()
