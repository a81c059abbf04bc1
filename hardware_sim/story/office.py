"""The purchasing office: reads central's API as any client would, tells what is new, and approves what is proposed.

It knows central only by its public API. It decides nothing about stock: it approves every proposal, or leaves them all
to a person who looks around. The rule that must not be broken: a central that is away is asked again.
"""

import threading
from collections.abc import Collection, Mapping
from typing import Any

import httpx

from hardware_sim.config import DEMO_BUYER
from hardware_sim.story.person import Tell

POLL_S = 0.4
TIMEOUT_S = 5.0
LISTED_MAX = 1000
"""Rows central gives on one page of a list."""
TOLD_MAX = 10_000
"""Facts remembered as told; a story has some ten."""

TOLD_KINDS = ("missing", "unexpected")


class Office:
    """One buyer at the API. With `answers` it approves what is proposed, else a person does.

    Of what a person answers it tells the proposals of the story's wards, and every order that comes of any.
    """

    def __init__(self, url: str, wards: Collection[str], *, answers: bool, tell: Tell) -> None:
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)
        self._wards = wards
        self._answers = answers
        self._url = url
        self._handed_over = False
        self._tell = tell
        self._seen: set[str] = set()
        self.found: set[tuple[str, str]] = set()
        """Ward and item of every discrepancy seen open."""
        self.orders: set[str] = set()
        self._waiting: set[str] = set()
        """Proposals that were told and that nobody has answered yet."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="office", daemon=True)

    @property
    def is_through(self) -> bool:
        """Tell whether what was proposed is ordered, or was handed to the person who answers here."""
        return bool(self.orders) or self._handed_over

    def start(self) -> None:
        """Open the office."""
        self._thread.start()

    def stop(self) -> None:
        """Close it."""
        self._stopped.set()
        self._thread.join()
        self._client.close()

    def _work(self) -> None:
        while not self._stopped.wait(POLL_S):
            try:
                self._look()
            except (httpx.HTTPError, ValueError, KeyError):
                continue  # central is away, or not yet itself; ask again

    def _look(self) -> None:
        for row in self._listed("discrepancies", "open"):
            self.found.add((row["place"], row["item"]))
            if self._is_new(f"discrepancy {row['id']}"):
                kind = row["kind"]
                name = kind if kind in TOLD_KINDS else "discrepancy"
                self._tell(name, ward=row["place"], kind=kind, items=[row["item"]])
        proposed = self._listed("proposals", "open")
        for row in proposed:
            self._consider(row)
        if not self._waiting <= {row["id"] for row in proposed}:
            self._see_answered()

    def _consider(self, row: Mapping[str, Any]) -> None:
        key = f"proposal {row['id']}"
        fresh = self._is_new(key)
        if fresh:
            self._waiting.add(row["id"])
        if fresh and (self._answers or row["place"] in self._wards):
            self._tell(
                "proposed",
                ward=row["place"],
                items=[row["item"]],
                qty=row["qty"],
                source=row["source"],
                why={"en": row["reason_en"], "zh": row["reason_zh"]},
            )
            if not self._answers:
                self._handed_over = True
                self._tell("yours", url=self._url)
        if not self._answers:
            return
        said = {"version": row["version"]}
        answer = self._client.post(f"/api/v1/proposals/{row['id']}/approve", json=said)
        if answer.status_code == httpx.codes.CONFLICT:
            return  # it was renewed since it was listed; the next look shows what it says now
        answer.raise_for_status()
        self._ordered(row, str(answer.json()["order_no"]), ours=answer.status_code == httpx.codes.CREATED)

    def _see_answered(self) -> None:
        """Tell what a person at the page has answered meanwhile."""
        for row in self._listed("proposals", "all"):
            if row["id"] in self._waiting and row["order_no"]:
                self._ordered(row, str(row["order_no"]), ours=False)
            elif row["status"] != "open":
                self._waiting.discard(row["id"])

    def _ordered(self, row: Mapping[str, Any], order: str, *, ours: bool) -> None:
        self._waiting.discard(row["id"])
        self.orders.add(order)
        name = "ordered" if ours else "approved"
        self._tell(name, ward=row["place"], items=[row["item"]], actor=DEMO_BUYER, order=order)

    def _listed(self, what: str, status: str) -> list[dict[str, Any]]:
        answer = self._client.get(f"/api/v1/{what}", params={"status": status, "limit": LISTED_MAX})
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()["items"]
        return rows

    def _is_new(self, key: str) -> bool:
        if key in self._seen or len(self._seen) >= TOLD_MAX:
            return False
        self._seen.add(key)
        return True
