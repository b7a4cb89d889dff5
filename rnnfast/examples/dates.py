"""Dates as people write them, beside ISO 8601: "Tuesday, 3rd of March 1987" and "1987-03-03".

A date is written by drawing an order, and then each part of it. A year of two digits is one of
1930 to 2029, the only years there are here; where the year comes first it is written in full, or
nobody could tell it from the day.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FIRST, LAST = datetime.date(1930, 1, 1), datetime.date(2029, 12, 31)

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_IRREGULAR = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
    "twenty": "twentieth",
    "thirty": "thirtieth",
}
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

_ORDERS = (
    "{day} {month} {year}",
    "{day} of {month} {year}",
    "{day} of {month}, {year}",
    "the {day} of {month}, {year}",
    "{month} {day} {year}",
    "{month} {day}, {year}",
    "{month} the {day}, {year}",
    "{weekday}, {day} of {month} {year}",
    "{weekday} {day} {month} {year}",
    "{weekday} {month} {day}, {year}",
    "on {weekday} the {day} of {month} {year}",
    "{day}-{month}-{year}",
    "{day_digits}.{month_digits}.{year}",
    "{full_year}/{month_digits}/{day_digits}",
    "{full_year}, {month} {day}",
    "{full_year} {month} {day}",
)


class Pair(NamedTuple):
    """A date as somebody wrote it, and as ISO 8601 has it."""

    words: str
    iso: str


def pairs(rng: np.random.Generator, count: int, held_out: int) -> tuple[list[Pair], list[Pair]]:
    """Draw dates and write them.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws.
    count, held_out : int
        How many of either list.

    Returns
    -------
    training, test : list of Pair
        Nine days of ten are for the first list, all others for the second: in no way of writing it
        is a day of the one among those of the other.
    """
    days = rng.permutation((LAST - FIRST).days + 1)
    cut = len(days) * 9 // 10
    return _pairs(rng, count, days[:cut]), _pairs(rng, held_out, days[cut:])


def _pairs(rng: np.random.Generator, count: int, days: NDArray[np.int64]) -> list[Pair]:
    dates = [FIRST + datetime.timedelta(int(day)) for day in rng.choice(days, count)]
    return [Pair(write(rng, date), date.isoformat()) for date in dates]


def write(rng: np.random.Generator, date: datetime.date) -> str:
    """Write a date in one of some thousand ways."""

    def one_of(choices: Sequence[str]) -> str:
        return choices[int(rng.integers(len(choices)))]

    number, month, weekday = str(date.day), _MONTHS[date.month - 1], _WEEKDAYS[date.weekday()]
    full_year = str(date.year)
    order = one_of(_ORDERS)
    words = order.format(
        day=one_of([number, number, f"{number:0>2}", _ordinal(date.day), _in_words(date.day)]),
        day_digits=one_of([number, f"{number:0>2}"]),
        month=one_of([month, month, month[:3], f"{month[:3]}."]),
        month_digits=one_of([str(date.month), f"{date.month:02}"]),
        year=one_of([full_year, full_year, full_year[2:], f"'{full_year[2:]}", _year(date.year)]),
        full_year=full_year,
        weekday=one_of([weekday, weekday[:3]]),
    )
    return one_of([words, words, words.lower(), words.upper()])


def _ordinal(day: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th") if day not in (11, 12, 13) else "th"
    return f"{day}{ending}"


def _in_words(day: int) -> str:
    *before, last = _number(day).split("-")
    return "-".join([*before, _IRREGULAR.get(last, f"{last}th")])


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    if century == 20 and rest < 10:
        return "two thousand" + (f" and {_number(rest)}" if rest else "")
    return f"{_number(century)} {_number(rest)}"


def _number(n: int) -> str:
    """Return a number from 1 to 99 in words."""
    tens, ones = divmod(n, 10)
    if tens < 2:
        return [*_ONES, *_TEENS][n - 1]
    return _TENS[tens - 2] + (f"-{_ONES[ones - 1]}" if ones else "")


_FORMS = (
    r"(?P<d>\d\d?)(?:st|nd|rd|th)?(?: of|)[ -](?P<m>[a-z]{3})[a-z.]*[, -]+'?(?P<y>\d{4}|\d\d)$",
    r"(?P<m>[a-z]{3})[a-z.]* (?:the )?(?P<d>\d\d?)(?:st|nd|rd|th)?,? '?(?P<y>\d{4}|\d\d)$",
    r"(?P<d>\d\d?)\.(?P<n>\d\d?)\.'?(?P<y>\d{4}|\d\d)$",
    r"(?P<y>\d{4})/(?P<n>\d\d?)/(?P<d>\d\d?)$",
)


def by_patterns(words: str) -> str:
    """Read a date by four regular expressions, which know no numbers in words: a baseline.

    Parameters
    ----------
    words : str
        A date as somebody wrote it.

    Returns
    -------
    str
        As ISO 8601 has it; "" for one that fits no pattern.
    """
    for form in _FORMS:
        found = re.search(form, words.lower())
        if not found:
            continue
        part = found.groupdict()
        year = int(part["y"])
        if year < 100:
            year += 2000 if year < 30 else 1900
        names = [name[:3].lower() for name in _MONTHS]
        month = int(part["n"]) if "n" in part else names.index(part["m"]) + 1
        return f"{year}-{month:02}-{int(part['d']):02}"
    return ""
