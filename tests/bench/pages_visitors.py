"""Fifty people at browsers: each signs in, opens a page of its role, reads for a while, and opens the next.

They are threads, each with a connection, a session and an address of its own, as fifty PCs have. What is
measured is one page from the request to its last byte. Every answer must be the page that was asked for.
"""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from string import Formatter
from urllib.parse import quote

import httpx

from central.core.rights import Role
from tests.bench.pages_hospital import PASSWORD, Visitor

READING_S = 5.0
"""Mean time between two pages of one person; drawn, so that people do not walk in step."""
TIMEOUT_S, STOPPED_S = 60.0, 90.0

WARD = (
    "/",
    "/stock?place={place}",
    "/stock?place={place}&q={word}",
    "/trace?q={lot}",
    "/counts",
    "/discrepancies/{gap}",
)
STORE = ("/", "/stock?place={place}", "/stock?place={place}&q={word}", "/trace?q={lot}", "/orders", "/orders/{order}")
BUYING = (
    "/",
    "/proposals",
    "/orders",
    "/orders/{order}",
    "/suppliers",
    "/suppliers/{firm}",
    "/catalogue",
    "/agreements",
)
HEAD = ("/", "/proposals", "/figures", "/figures/{figure}", "/discrepancies/{gap}", "/permits", "/orders")
AUDITING = ("/", "/acts", "/figures", "/figures/{figure}", "/trace?q={lot}", "/discrepancies/{gap}")
WALKS: Mapping[Role, Sequence[str]] = {
    Role.WARD_KEEPER: WARD,
    Role.HEAD_NURSE: WARD,
    Role.STOREKEEPER: (*STORE, "/devices"),
    Role.PURCHASER: BUYING,
    Role.HEAD_OF_CONSUMABLES: HEAD,
    Role.AUDITOR: AUDITING,
    Role.FINANCE: ("/", "/orders", "/orders/{order}", "/invoices"),
}
"""The pages that people of a role open."""

CROWD: Mapping[Role, int] = {
    Role.WARD_KEEPER: 18,
    Role.HEAD_NURSE: 8,
    Role.STOREKEEPER: 8,
    Role.PURCHASER: 8,
    Role.HEAD_OF_CONSUMABLES: 3,
    Role.AUDITOR: 3,
    Role.FINANCE: 2,
}
"""Who the fifty are."""

Taken = dict[str, list[float]]
"""The seconds of every visit of a page, by the page's form."""


class Person:
    """One visitor at a browser."""

    def __init__(self, number: int, who: Visitor, address: str, told: Mapping[str, Sequence[str]]) -> None:
        self.failed: list[str] = []
        self.taken: Taken = defaultdict(list)
        self._who, self._told, self._rng = who, told, random.Random(number)
        self._forms = [form for form in WALKS[who.role] if all(told[name] for name in fields_of(form))]
        away = httpx.HTTPTransport(local_address=f"127.1.{number // 250}.{1 + number % 250}")
        self._browser = httpx.Client(base_url=f"http://{address}", transport=away, timeout=TIMEOUT_S)

    def sign_in(self) -> None:
        """Sign in by the page's form."""
        form = {"staff": self._who.staff, "password": PASSWORD, "next": "/"}
        answer = self._browser.post("/sign-in", data=form)
        assert answer.status_code == 303, answer.text

    def leave(self) -> None:
        """Close the browser."""
        self._browser.close()

    def browse(self, ended: threading.Event) -> None:
        """Open pages until the end."""
        while not ended.wait(self._rng.expovariate(1 / READING_S)):
            form = self._rng.choice(self._forms)
            began = time.perf_counter()
            answer = self._browser.get(self._filled(form))
            self.taken[form].append(time.perf_counter() - began)
            if answer.status_code != httpx.codes.OK:
                self.failed.append(f"{self._who.role} {answer.url.path}: {answer.status_code}")

    def _filled(self, form: str) -> str:
        return form.format(**{name: quote(self._rng.choice(self._told[name])) for name in fields_of(form)})


def fields_of(form: str) -> list[str]:
    """Return what a page's form leaves open."""
    return [name for _, name, _, _ in Formatter().parse(form) if name]


def browse(people: Sequence[Person], seconds: float) -> Taken:
    """Let everybody browse for a while; returns what each page took. Raises `AssertionError` for a page that failed."""
    ended = threading.Event()
    for person in people:
        person.taken = defaultdict(list)
    threads = [threading.Thread(target=person.browse, args=(ended,), daemon=True) for person in people]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    ended.set()
    for thread in threads:
        thread.join(STOPPED_S)
    failed = [line for person in people for line in person.failed]
    assert not failed, failed[:5]
    taken: Taken = defaultdict(list)
    for person in people:
        for form, seconds_each in person.taken.items():
            taken[form] += seconds_each
    return taken
