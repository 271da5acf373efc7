"""What the assets of a market are called on a day: identifiers that the operator has, and names that changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from crowdalpha.market import PricePanel
from crowdalpha.release.named.errors import NamedUniverseError
from crowdalpha.release.named.universe import IDENTIFIERS, KEYS

__all__ = ["AssetNames"]

NAME = "identifiers"
RENAMES = "renames"
PLACE_MARK = ":"
"""Between country and code in the panel's name of an asset whose code two countries have."""


@dataclass(frozen=True, slots=True, eq=False)
class AssetNames:
    """Names of the assets of a panel.

    Parameters
    ----------
    key : str, default="numerai_ticker"
        Id column: `numerai_ticker`, ticker and country, or `symbol`, the ticker alone.
    identifiers : DataFrame, optional
        `ticker` as in the panel, `country` where a ticker has several, and any of `bloomberg_ticker`,
        `composite_figi`, `cusip`, `sedol`.
    renames : DataFrame, optional
        `former`, `ticker`, `date` from which the asset has the latter name, and `country` where a ticker has several.
    """

    key: str = KEYS[0]
    identifiers: pl.DataFrame | None = None
    renames: pl.DataFrame | None = None
    _steps: dict[tuple[str, str], tuple[date, str]] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.key not in KEYS:
            raise NamedUniverseError(NAME, f"the id is {' or '.join(KEYS)}, not {self.key!r}")
        _demand_columns(self.identifiers, ("ticker",), NAME)
        _demand_columns(self.renames, ("former", "ticker", "date"), RENAMES)
        if self.renames is None:
            return
        for row, each in enumerate(self.renames.iter_rows(named=True), start=1):
            step = (str(each["ticker"]), str(each.get("country") or ""))
            if step in self._steps:
                raise NamedUniverseError(
                    RENAMES, f"{step[0]!r} got its name twice; give each name one row", column="ticker", row=row
                )
            self._steps[step] = (each["date"], str(each["former"]))

    def on(self, panel: PricePanel, day: np.datetime64) -> pl.DataFrame:
        """Name every asset of a panel as it was called on a day.

        Parameters
        ----------
        panel : PricePanel
            Tickers and countries.
        day : datetime64[D]
            A day; names that came later are not in force.

        Returns
        -------
        DataFrame
            One row an asset, in the order of the panel: the id, `ticker`, `country` (with `numerai_ticker`), the
            identifiers there are, and `former_tickers`.

        Notes
        -----
        NaN policy: propagate; a missing identifier is null. Cost: O(n_assets).
        """
        countries = [str(country) for country in panel.country]
        today = day.astype("datetime64[D]").astype(object)
        codes = [ticker.rpartition(PLACE_MARK)[2] for ticker in panel.tickers]
        chains = [self._names(code, country, today) for code, country in zip(codes, countries, strict=True)]
        shown = [names[0] for names in chains]
        shares = self.key == KEYS[0]
        ids = [f"{name} {country}" for name, country in zip(shown, countries, strict=True)] if shares else shown
        frame = pl.DataFrame({self.key: ids, "ticker": shown, "country": countries}).with_columns(
            former_tickers=pl.Series([list(names[1:]) for names in chains], dtype=pl.List(pl.String))
        )
        if self.identifiers is not None:
            frame = frame.hstack(self._identifiers(codes, countries))
        return frame if shares else frame.drop("ticker", "country")

    def _names(self, code: str, country: str, today: date) -> Sequence[str]:
        """Give the name in force and the ones before, newest first."""
        names: list[str] = []
        seen = set[str]()
        name = code
        while name not in seen:
            seen.add(name)
            step = self._steps.get((name, country)) or self._steps.get((name, ""))
            if step is None:
                return [*names, name]
            if step[0] <= today:
                names.append(name)
            name = step[1]
        raise NamedUniverseError(RENAMES, f"{code!r} comes back to a name that it had; take one of the rows out")

    def _identifiers(self, codes: Sequence[str], countries: Sequence[str]) -> pl.DataFrame:
        given = self.identifiers
        if given is None:
            return pl.DataFrame()
        on = ["ticker", "country"] if "country" in given.columns else ["ticker"]
        repeated = ~given.select(on).to_struct().is_first_distinct()
        if repeated.any():
            row = int(repeated.arg_true()[0])
            raise NamedUniverseError(NAME, f"{given['ticker'][row]!r} is there twice", column="ticker", row=row + 1)
        kept = [column for column in IDENTIFIERS if column in given.columns and column != "ticker"]
        panel = pl.DataFrame({"ticker": list(codes), "country": list(countries)})
        return panel.join(given.select(*on, *kept), on=on, how="left", maintain_order="left").select(kept)


def _demand_columns(frame: pl.DataFrame | None, columns: Sequence[str], name: str) -> None:
    for column in columns if frame is not None else ():
        if frame is not None and column not in frame.columns:
            raise NamedUniverseError(name, f"is missing; needed are {', '.join(columns)}", column=column)
