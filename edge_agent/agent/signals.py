"""Lights and door contacts on the readers' own ports: an answer is shown, a door is heard.

A light shows ok, look or no for a while after the COMMIT, beside the scanner's beep or in place of it. A door that
opens and closes while a visit stands open has let its person out. The rule that must not be broken: a light is only
ever a copy of an answer that was given; nothing waits for it, and a reader that does not switch it is told in the log.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.config.readers import Door, Lights, ReaderConfig
from protocols.readers.reads import CommandRefused, InputChanged, ReaderEvent
from protocols.readers.scanner import Beep
from protocols.values.instant import Instant, plus

Switch = Callable[[str, int, bool], None]
"""Switches one reader's output: name, port, on."""


@dataclass(slots=True)
class _Lamp:
    """The lights of one reader, and which one shines until when (link time)."""

    lights: Lights
    lit: int | None = None
    until: Instant = Instant(0)  # noqa: RUF009 - Instant is an int


@dataclass(slots=True)
class _Contact:
    """One door: whether it stands open, None before the reader said so, and since when (story time)."""

    door: Door
    is_open: bool | None = None
    opened: Instant = Instant(0)  # noqa: RUF009 - Instant is an int


class Signals:
    """Every light and door of one storeroom. `leave(opened)` is told of a door that closed, and when it had opened."""

    def __init__(
        self,
        readers: Iterable[ReaderConfig],
        *,
        switch: Switch,
        leave: Callable[[Instant], None],
        clock: Clock,
        voice: Voice,
    ) -> None:
        those = tuple(readers)
        self._lamps = {each.name: _Lamp(each.lights) for each in those if each.lights is not None}
        self._contacts = {each.name: _Contact(each.contact) for each in those if each.contact is not None}
        self._switch, self._leave = switch, leave
        self._clock, self._voice = clock, voice

    def show(self, beep: Beep) -> None:
        """Show an answer on every reader that has a light for it."""
        for name, lamp in self._lamps.items():
            port = {Beep.OK: lamp.lights.ok, Beep.LOOK: lamp.lights.look, Beep.NO: lamp.lights.no}[beep]
            if lamp.lit is not None and lamp.lit != port:
                self._switch(name, lamp.lit, False)
            if port is not None and lamp.lit != port:
                self._switch(name, port, True)
            lamp.lit, lamp.until = port, plus(self._clock.link_now(), lamp.lights.seconds)

    def tick(self) -> None:
        """Put out what has shone long enough."""
        for name, lamp in self._lamps.items():
            if lamp.lit is not None and self._clock.link_now() >= lamp.until:
                self._switch(name, lamp.lit, False)
                lamp.lit = None

    def hear(self, name: str, event: ReaderEvent) -> None:
        """Take what a reader says of its ports."""
        match event:
            case InputChanged():
                contact = self._contacts.get(name)
                if contact is not None and event.port == contact.door.port:
                    self._door(name, contact, is_open=event.high == contact.door.open_high)
            case CommandRefused():
                self._voice.say_counted(f"reader {name} {event.command}", f"not done: {event.reason}")
            case _:
                pass

    def _door(self, name: str, contact: _Contact, *, is_open: bool) -> None:
        before, contact.is_open = contact.is_open, is_open
        if before == is_open:
            return
        self._voice.say_change(f"door of {name}", "is open" if is_open else "is closed")
        if is_open:
            contact.opened = self._clock.now()
        elif before is not None:
            self._leave(contact.opened)
