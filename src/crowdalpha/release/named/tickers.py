"""From what people write to the asset that they mean.

Names are compared in one normal form: capitals, no blanks at the ends, and one separator between the parts, so that
`brk/b`, `BRK-B` and `BRK.B` are the same. A last part that stands for an exchange or a country says where the ticker
is from (`VOD.L`, `VOD LN Equity`, `VOD GB`), as a first part before a colon does (`LON:VOD`). A name that was in force
before leads to the asset that has another now, unless somebody else took it over. Where a name fits several assets,
the only live one of them is meant; more than one live one is ambiguous.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

from crowdalpha.release.named.places import BLOOMBERG_PLACES, EXCHANGE_PLACES
from crowdalpha.release.named.universe import IDENTIFIERS, NamedUniverse

__all__ = ["CODE_LENGTHS", "Match", "TickerIndex", "normal_name"]

Outcome = Literal["live", "outside", "delisted", "ambiguous", "unknown"]
CODE_LENGTHS = {"composite_figi": 12, "cusip": 9, "sedol": 7}
"""Columns of codes without parts, and their lengths: a spreadsheet drops the zeros in front."""
QUOTES = frozenset({"USD", "USDT", "USDC", "EUR"})
"""What a coin is quoted in: `BTC-USD` is `BTC`."""
_PARTS = re.compile(r"[\s./_:\-]+")
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Match:
    """What a name was found to be: the id of the asset, the only one of it if several fit, and its status."""

    outcome: Outcome
    ids: tuple[str, ...] = ()


def normal_name(text: str) -> str:
    """Write a name in its normal form.

    Parameters
    ----------
    text : str
        As somebody wrote it.

    Returns
    -------
    str
        Capitals, parts separated by single dots.

    Examples
    --------
    >>> [normal_name(text) for text in (" brk/b ", "BRK-B", "zyme us")]
    ['BRK.B', 'BRK.B', 'ZYME.US']
    """
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    return ".".join(part for part in _PARTS.split(plain) if part)


class TickerIndex:
    """Finds the assets of a universe by any of their names.

    Parameters
    ----------
    universe : NamedUniverse
        The universe of a round.
    """

    def __init__(self, universe: NamedUniverse) -> None:
        assets = universe.assets
        self.key = universe.key
        self.ids: list[str] = assets[universe.key].to_list()
        self._status: list[str] = assets["status"].to_list()
        places = assets["country"].fill_null("") if "country" in assets.columns else [""] * len(self.ids)
        self._country = [str(place).upper() for place in places]
        self._own_places = frozenset(self._country) - {""}
        self._exact = {column: _places(assets[column]) for column in self.columns(assets)}
        self._assets = assets

    @cached_property
    def _normal(self) -> dict[str, Mapping[str, list[int]]]:
        """Places by normal form, column by column; a file that copies the names as they are never needs it."""
        return {column: _places(map(_normal_or_none, self._assets[column])) for column in self._exact}

    @cached_property
    def _symbols(self) -> Mapping[str, list[int]]:
        symbols = self._assets["ticker"] if "ticker" in self._assets.columns else self._assets[self.key]
        return _places(map(self._symbol, symbols, self._country))

    @cached_property
    def _former(self) -> Mapping[str, list[int]]:
        former: dict[str, list[int]] = defaultdict(list)
        for place, names in enumerate(self._assets["former_tickers"].to_list()):
            for each in names:
                former[normal_name(each)].append(place)
        return dict(former)

    @staticmethod
    def columns(assets: pl.DataFrame) -> list[str]:
        """Name the columns that a submission may use as its id."""
        return [assets.columns[0], *(column for column in IDENTIFIERS if column in assets.columns)]

    def find(self, text: str, *, column: str) -> Match:
        """Find the asset that a name of a column stands for.

        Parameters
        ----------
        text : str
            As the participant wrote it.
        column : str
            One of `columns`.

        Returns
        -------
        Match
            `live` with one id, `outside` or `delisted` with one, `ambiguous` with several, or `unknown`.
        """
        if len(text) > _LONGEST:
            return Match("unknown")
        exact = self._exact[column].get(text.strip())
        if exact:
            return self._judged(exact)
        found = next(filter(None, self._guesses(normal_name(text), text, column)), None)
        return self._judged(found) if found else Match("unknown")

    def _guesses(self, plain: str, text: str, column: str) -> Iterator[list[int] | None]:
        """Give the assets that a name may stand for, the likeliest reading first."""
        known = self._normal[column]
        if column in CODE_LENGTHS:
            yield known.get(plain.rjust(CODE_LENGTHS[column], "0") if plain.isdecimal() else plain)
            return
        plain = plain.removesuffix(".EQUITY") if column != "symbol" else plain
        yield known.get(plain)
        if column == "symbol":
            coin, _, quote = plain.rpartition(".")
            yield known.get(coin) if quote in QUOTES else None
            yield self._former.get(plain)
            return
        placed = list(self._placed(plain, text, column))
        for symbol, country in placed:
            yield self._at(self._symbols.get(symbol), country)
        yield self._symbols.get(plain)
        for symbol, country in placed:
            yield self._at(self._former.get(symbol), country)
        yield self._former.get(plain)

    def _placed(self, plain: str, text: str, column: str) -> Iterator[tuple[str, str]]:
        """Part a name into a symbol and a country, in each way that makes sense."""
        head, _, last = plain.rpartition(".")
        first, _, tail = plain.partition(".")
        for symbol, place in ((head, last), *(((tail, first),) if ":" in text else ())):
            for country in self._countries(place, column):
                if symbol:
                    yield symbol, country

    def _countries(self, place: str, column: str) -> Iterator[str]:
        """Read a place as an exchange or a country; in the column of Bloomberg's tickers its own codes come first."""
        if column == "bloomberg_ticker" and place in BLOOMBERG_PLACES:
            yield BLOOMBERG_PLACES[place]
        if place in self._own_places:
            yield place
        if column == "ticker" and place in EXCHANGE_PLACES:
            yield EXCHANGE_PLACES[place]

    def _at(self, found: list[int] | None, country: str) -> list[int]:
        return [place for place in found or () if self._country[place] == country]

    def _judged(self, found: list[int]) -> Match:
        live = [place for place in found if self._status[place] == "live"]
        if len(live) > 1:
            return Match("ambiguous", tuple(self.ids[place] for place in live))
        if live:
            return Match("live", (self.ids[live[0]],))
        outside = next((place for place in found if self._status[place] == "outside"), None)
        if outside is not None:
            return Match("outside", (self.ids[outside],))
        return Match("delisted", (self.ids[found[0]],))

    def _symbol(self, text: str | None, country: str) -> str | None:
        """Take the country from an id, which a universe without a column `ticker` has in it."""
        return None if text is None else normal_name(text).removesuffix(f".{country}")


def _normal_or_none(text: str | None) -> str | None:
    return None if text is None else normal_name(text)


def _places(names: Iterable[str | None]) -> Mapping[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        if name:
            places[name].append(place)
    return dict(places)
