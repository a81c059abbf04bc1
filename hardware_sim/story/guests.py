"""What a person who looks around finds: accounts to sign in with, volumes reported, a clinic with a phone, an office.

Everything is done on central's own pages and API, as people do it. It judges nothing and is not part of the story that
is judged. The rule that must not be broken: the password is drawn for this demo and told on its terminal only.
"""

import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from hardware_sim.clock import monotonic_s, pause
from hardware_sim.story.purchasing import People, acts, play

TIMEOUT_S = 20.0
PATIENCE_S = 60.0
"""Real seconds in which central must answer; on a machine under load each password takes a second."""
AGAIN_S = 0.5

WORD = re.compile(r'name="word" value="([^"]+)"')
ONCE = re.compile(r'name="once" value="([^"]+)"')
INVITED = re.compile(r"/invited/([\w-]+)")

CLINIC, THEATRE = "clinic-01", "theatre-01"
PATIENT = "P-0302-117"
PORT, OTHER_PORT = (f"(01)06999990202638(17)271130(10)PV2601(21){serial}" for serial in ("700001", "700002"))
"""Two implantable ports as their labels read; the first goes into a patient."""
PORT_USED = "700001"
DRESSINGS = "(01)06999990602452(17)270831(10)HD2602"
DRESSINGS_QTY = 30

BATCH = "VBP-2025"
REPORTED: Mapping[str, int] = {"TUBE": 400, "SUTURE": 300, "HAEMOSTAT": 230}
"""Base units a buyer reported; of the stents nobody has reported anything yet."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody to sign in as; `wards` only for a role of a ward."""

    staff: str
    name: str
    role: str
    wards: tuple[str, ...] = ()


BUYER = Account("P1001", "示例采购员 Buyer", "purchaser")
KEEPER = Account("K1001", "示例库管员 Ward keeper", "ward-keeper", ("ward-01", CLINIC))
NURSE = Account("N1001", "示例护士 Nurse", "nurse", (CLINIC,))
THEATRE_NURSE = Account("T1001", "示例手术室护士 Theatre nurse", "nurse", (THEATRE,))
STORE = Account("W1001", "示例中心库管员 Storekeeper", "storekeeper")
FINANCE = Account("F1001", "示例会计 Finance", "finance")
ACCOUNTS = (
    Account("H1001", "示例科长 Head of consumables", "head-of-consumables"),
    BUYER,
    KEEPER,
    NURSE,
    THEATRE_NURSE,
    Account("A1001", "示例审计员 Auditor", "auditor"),
    FINANCE,
    STORE,
)

PEOPLE = People(
    buyer=BUYER.staff, store=STORE.staff, finance=FINANCE.staff, nurse=NURSE.staff, theatre_nurse=THEATRE_NURSE.staff
)


class Visit:
    """One browser at central's pages, with a session of its own."""

    def __init__(self, url: str) -> None:
        headers = {"sec-fetch-site": "same-origin"}
        self._client = httpx.Client(
            base_url=url, timeout=TIMEOUT_S, trust_env=False, headers=headers, follow_redirects=True
        )
        self._word = ""

    def close(self) -> None:
        """Leave."""
        self._client.close()

    def send(self, page: str, action: str, told: Mapping[str, object]) -> str:
        """Open a page, fill in its form and send it; returns the page that answers. Raises `httpx.HTTPError`."""
        shown = self._client.get(page).raise_for_status().text
        hidden = {name: found[1] for name, form in (("word", WORD), ("once", ONCE)) if (found := form.search(shown))}
        return self._client.post(action, data={**hidden, **told}).raise_for_status().text

    def ask(self, verb: str, address: str, told: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a request to the API; returns what it answers. Raises `httpx.HTTPError`."""
        if not self._word:
            found = WORD.search(self._client.get("/help").raise_for_status().text)
            self._word = found[1] if found else ""
        headers = {"x-form-word": self._word}
        answer = self._client.request(verb, f"/api/v1/{address}", json=told, headers=headers).raise_for_status()
        said: Mapping[str, Any] = answer.json()
        return said


class Guests:
    """Makes a hospital ready for a person who looks around."""

    def __init__(self, url: str, password: str, today: date) -> None:
        self._url, self._password, self._today = url, password, today
        self._visits: dict[str, Visit] = {}
        """Everybody's own session, by staff number."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="guests", daemon=True)

    def start(self) -> None:
        """Begin; it is done within some seconds."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step under way."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        until = monotonic_s() + PATIENCE_S
        try:
            for account in ACCOUNTS:
                while not self._stopped.is_set() and not self._made(account) and monotonic_s() < until:
                    pause(AGAIN_S)
            self._keep_office()
        finally:
            for one in self._visits.values():
                one.close()

    def _made(self, account: Account) -> bool:
        """Make an account and do what is its day's work; False where central did not answer."""
        everyone, own = Visit(self._url), Visit(self._url)
        self._visits[account.staff] = own
        try:
            asked = {"staff": account.staff, "name": account.name, "role": account.role, "ward": list(account.wards)}
            found = INVITED.search(everyone.send("/people", "/people", asked))
            if found is None:
                return True  # central was away after it had made the account: it stands without a password
            own.send(found[0], found[0], {"password": self._password})
            self._work_as(account, own)
        except httpx.HTTPError:
            own.close()
            return False
        finally:
            everyone.close()
        return True

    def _keep_office(self) -> None:
        """Let the office have things under way; where central refuses one or is away, the rest is left."""
        if self._stopped.is_set() or len(self._visits) < len(ACCOUNTS):
            return
        with suppress(httpx.HTTPError):
            play(acts(PEOPLE, clinic=CLINIC, theatre=THEATRE), self._visits, self._today)

    def _work_as(self, account: Account, own: Visit) -> None:
        sheet = f"/hand/{CLINIC}"
        if account is BUYER:
            for group, qty in REPORTED.items():
                own.ask("POST", f"vbp/{BATCH}/{group}/reports", {"qty": qty})
        elif account is KEEPER:
            for code, qty in ((PORT, 1), (OTHER_PORT, 1), (DRESSINGS, DRESSINGS_QTY)):
                own.send(sheet, sheet, {"doing": "receive", "code": code, "qty": qty})
        elif account is NURSE:
            own.send(sheet, sheet, {"doing": "use", "code": PORT, "qty": 1, "patient": PATIENT})
