"""How numbers, amounts and instants are written for one language; days and hours are the hospital's.

Not here: words and sentences. The rule that must not be broken: a rate is cut, never rounded up, so that 99.96 % does
not read as 100 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import floor

from babel import Locale
from babel.dates import format_date, format_skeleton, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent

from central.services.overview import Name
from central.web.languages import LOCALES, Language
from protocols.values.instant import HOSPITAL_ZONE, Instant, business_day, seconds_between, to_datetime
from protocols.values.money import UNITS_A_YUAN, Money, rounded_fen

JUST_NOW_S = 60
"""Below this an event is just past; nobody reads seconds."""

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
UNITS_S = (365 * DAY_S, 30 * DAY_S, 7 * DAY_S, DAY_S, HOUR_S, MINUTE_S)
"""The units a length of time is said in, longest first; what is left over of one is cut, so 119 minutes is 1 hour."""

SHARE_DIGITS = 9
"""Decimals up to which a share that comes as a float is believed; beyond them is binary dust."""

WRITTEN_MAX = 4_096
"""Numbers, amounts and moments remembered as they are written; a page writes some hundred, often the same."""

SIBILANTS = ("s", "x", "z", "ch", "sh")


def tenths_of_percent(share: Fraction | float) -> int:
    """Return a share as whole tenths of a percent, cut downwards: the one rule by which every rate is written.

    A rate stands beside a gate it must reach, so what is shown may never pass a gate the rate itself does not:
    0.9799 is 979 and never 980, and only a whole reads as 1000.
    """
    exact = share if isinstance(share, Fraction) else Fraction(f"{share:.{SHARE_DIGITS}f}")
    return floor(exact * 1000)


def _whole_units(seconds: float) -> float:
    """Return a length of time cut to whole numbers of the longest unit that fits in it."""
    unit = next((unit for unit in UNITS_S if seconds >= unit), MINUTE_S)
    return seconds // unit * unit


@dataclass(frozen=True, slots=True)
class Formats:
    """Writes values for readers of one language."""

    language: Language

    @property
    def locale(self) -> Locale:
        """Whose customs are followed."""
        return LOCALES[self.language]

    def name(self, name: Name) -> str:
        """Return a name in this language, in the other when it has none in this."""
        own, other = (name.zh, name.en) if self.language is Language.ZH else (name.en, name.zh)
        return own or other

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number with thousands parted and at most so many decimals."""
        if type(value) is int:
            return _whole_number(value, self.language)
        return format_decimal(value, "#,##0" + ("." + "#" * digits if digits else ""), locale=self.locale)

    def quantity(self, qty: int, unit: Name) -> str:
        """Return a quantity with its unit; English units take the plain plural, master data knows no other."""
        word = self.name(unit)
        if self.language is Language.EN and qty != 1 and word:
            word += "es" if word.endswith(SIBILANTS) else "s"
        return f"{self.number(qty)} {word}".strip()

    def percent(self, value: Fraction | float) -> str:
        """Return a share as a percentage with one decimal, by the rule of `tenths_of_percent`."""
        return format_percent(Decimal(tenths_of_percent(value)) / 1000, "#,##0.0%", locale=self.locale)

    def fraction(self, text: str) -> str:
        """Return a share that was written as a decimal, as a percentage with all its digits."""
        return format_percent(Decimal(text), "#,##0.####%", locale=self.locale)

    def chance(self, p: float) -> str:
        """Return a probability as whole percent; what is nearly sure stays nearly."""
        return format_percent(min(max(round(p, 2), 0.01), 0.99), "#,##0%", locale=self.locale)

    def money(self, amount: Money) -> str:
        """Return an amount in yuan, rounded once to the fen."""
        return _amount(amount, self.language)

    def price(self, amount: Money) -> str:
        """Return a unit price in yuan, exactly: syringes cost less than a fen."""
        return format_currency(
            Decimal(amount) / UNITS_A_YUAN, "CNY", "¥#,##0.00##", locale=self.locale, currency_digits=False
        )

    def day(self, value: date) -> str:
        """Return a day with its year."""
        return format_date(value, "medium", locale=self.locale)

    def written_day(self, text: str) -> str:
        """Return a day that is kept as ISO text like any other day; what is no day stays as it is."""
        try:
            return self.day(date.fromisoformat(text))
        except ValueError:
            return text

    def moment(self, instant: Instant, now: Instant) -> str:
        """Return when: the time of day, with the day where it is not today and the year where it is not this year."""
        day, today = business_day(instant), business_day(now)
        if day == today:
            return self._part(instant, "Hm")
        return f"{self._part(instant, 'MMMd' if day.year == today.year else 'yMMMd')} {self._part(instant, 'Hm')}"

    def stamp(self, instant: Instant) -> str:
        """Return day, year and time of day."""
        return f"{self._part(instant, 'yMMMd')} {self._part(instant, 'Hm')}"

    def ago(self, instant: Instant, now: Instant) -> str:
        """Return how long ago, to one unit; empty when it is just past."""
        seconds = seconds_between(instant, now)
        if seconds < JUST_NOW_S:
            return ""
        past = timedelta(seconds=-_whole_units(seconds))
        return format_timedelta(past, threshold=1, add_direction=True, format="short", locale=self.locale)

    def span(self, seconds: float) -> str:
        """Return a length of time, at least a minute: to the minute within a day, beyond it to one unit."""
        length = max(seconds, MINUTE_S)
        first = _whole_units(length)
        rest = _whole_units(length - first) if HOUR_S <= length < DAY_S and length - first >= MINUTE_S else 0
        joint = "" if self.language is Language.ZH else " "
        return joint.join(self._length(part) for part in (first, rest) if part)

    def _length(self, seconds: float) -> str:
        return format_timedelta(timedelta(seconds=seconds), threshold=1, format="short", locale=self.locale)

    def prose(self, sentences: Sequence[str]) -> str:
        """Return sentences as one paragraph, parted as the language parts them; empty ones are left out."""
        return ("" if self.language is Language.ZH else " ").join(filter(None, sentences))

    def _part(self, instant: Instant, skeleton: str) -> str:
        return _moment(instant, skeleton, self.language)


@lru_cache(WRITTEN_MAX)
def _whole_number(value: int, language: Language) -> str:
    return format_decimal(value, "#,##0", locale=LOCALES[language])


@lru_cache(WRITTEN_MAX)
def _amount(amount: Money, language: Language) -> str:
    return format_currency(rounded_fen(amount), "CNY", "¥#,##0.00", locale=LOCALES[language])


@lru_cache(WRITTEN_MAX)
def _moment(instant: Instant, skeleton: str, language: Language) -> str:
    moment = to_datetime(instant)
    return format_skeleton(skeleton, moment, tzinfo=HOSPITAL_ZONE, locale=LOCALES[language], fuzzy=False)
