"""Rows of a market as a named tournament publishes them: names, day, ranked features, targets, exposures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.market import FEATURE_SETS, Market
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.example import ExampleModel
from crowdalpha.release.frames import BLOCK_CELLS, MOST_ERAS_AT_ONCE, horizon_days, target_is_known
from crowdalpha.release.named.assets import live_exposures
from crowdalpha.release.named.names import AssetNames
from crowdalpha.release.named.universe import NEUTRALIZER
from crowdalpha.release.obfuscation import N_BINS, bin_target
from crowdalpha.scoring import tie_kept_rank

__all__ = ["NamedData", "NamedEra", "stream_eras"]

SIGNAL = "signal"
MISSING_BIN = -1


@dataclass(frozen=True, slots=True, eq=False)
class NamedData:
    """What a named tournament publishes of a market.

    Parameters
    ----------
    market : Market
        The operator's data.
    names : AssetNames, optional
        What the assets are called; shares by ticker and country if not given.
    target : str, default="neutral_20"
        The target that pays, published as `target` too.
    features : tuple of str, optional
        Which features are published, under their own names; those of the set `small` that the market has, if not given.
    aliases : mapping of str to str, optional
        Further columns of targets, the market's target by the column: `{"target_chili_60": "neutral_60"}` lets
        notebooks that were written for other data run.
    """

    market: Market
    names: AssetNames = field(default_factory=AssetNames)
    target: str = "neutral_20"
    features: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (self.target, *self.aliases.values()):
            if name not in self.market.targets:
                known = ", ".join(sorted(self.market.targets))
                raise ReleaseError(f"the market has no target {name!r}; it has {known}")
        taken = sorted(set(self.aliases) & {"target", *(f"target_{name}" for name in self.targets)})
        if taken:
            raise ReleaseError(f"the alias {taken[0]!r} is a column already; choose another name")
        unknown = sorted(set(self.features) - set(self.market.feature_names))
        if unknown:
            raise ReleaseError(f"the market has no feature {unknown[0]!r}")
        if not self.places:
            raise ReleaseError("the market has none of the features of the set small; name those to publish")

    @property
    def places(self) -> tuple[int, ...]:
        """Positions of the published features among the market's."""
        chosen = set(self.features or FEATURE_SETS["small"])
        return tuple(place for place, name in enumerate(self.market.feature_names) if name in chosen)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the published features."""
        return tuple(f"feature_{self.market.feature_names[place]}" for place in self.places)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the targets: the main one, then the others by name."""
        return (self.target, *(name for name in sorted(self.market.targets) if name != self.target))

    @property
    def target_columns(self) -> Mapping[str, str]:
        """The market's target by the column: `target`, each under its own name, the aliases."""
        return {"target": self.target, **{f"target_{name}": name for name in self.targets}, **self.aliases}


@dataclass(frozen=True, slots=True, eq=False)
class NamedEra:
    """The rows of one era, by id.

    Parameters
    ----------
    era : int
        Position in the market.
    assets : ndarray of shape (n_rows,), dtype=intp
        The asset of each row.
    names : DataFrame
        The id, identifiers and `country` (shares) of each row.
    ranks : ndarray of shape (n_rows, n_features), dtype=float64
        Tie-kept ranks of the features; NaN where missing.
    """

    data: NamedData
    era: int
    assets: NDArray[np.intp]
    names: pl.DataFrame
    ranks: NDArray[np.float64]

    @property
    def day(self) -> str:
        """Day of the era, `YYYY-MM-DD`."""
        market = self.data.market
        return str(market.panel.dates[int(market.era_rows[self.era])])

    def features(self, data_type: str) -> pl.DataFrame:
        """Give names, day, part and features."""
        columns = [
            pl.Series(name, self.ranks[:, place].astype(np.float32), nan_to_null=True)
            for place, name in enumerate(self.data.columns)
        ]
        named = self.names.drop("country", strict=False)
        places = self.names.select(feature_country="country") if "country" in self.names.columns else pl.DataFrame()
        return named.with_columns(date=pl.lit(self.day), data_type=pl.lit(data_type)).hstack(columns).hstack(places)

    def with_targets(self, data_type: str, *, published: int) -> pl.DataFrame:
        """Give the rows of a history file; where the main target was not due the part is `test`, else none lacks it."""
        due = self._is_known(self.data.target, published)
        values = {name: self._target(name, published) for name in self.data.targets}
        columns = [
            pl.Series(column, values[name], nan_to_null=True) for column, name in self.data.target_columns.items()
        ]
        frame = self.features(data_type if due else "test").hstack(columns)
        return frame.drop_nulls("target") if due else frame

    def exposures(self, *, width: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Give the neutralizers, filled up to a width by columns of zeros, and the sample weights, by id and day."""
        weights, neutralizers = live_exposures(self.data.market, self.era, self.assets)
        filled = np.zeros((len(self.assets), width))
        filled[:, : neutralizers.shape[1]] = neutralizers
        key = self.names.select(self.data.names.key).with_columns(date=pl.lit(self.day))
        columns = [pl.Series(f"{NEUTRALIZER}{place}", filled[:, place]) for place in range(width)]
        return key.hstack(columns), key.with_columns(sample_weights=pl.Series(weights))

    def bins(self) -> NDArray[np.int8]:
        """Give the features in five bins of equal width of rank, for the example model; -1 where missing."""
        bins = np.floor(np.nan_to_num(self.ranks, nan=0.0) * N_BINS).astype(np.int8)
        bins[np.isnan(self.ranks)] = MISSING_BIN
        return bins

    def main_target(self, published: int) -> NDArray[np.float64]:
        """Give the target that pays; NaN where it is not known on the day of publication."""
        return self._target(self.data.target, published).astype(np.float64)

    def example(self, model: ExampleModel) -> pl.DataFrame:
        """Give the submission of the example model."""
        ranks = tie_kept_rank(model.predict(self.bins())[:, np.newaxis])[:, 0]
        return self.names.select(self.data.names.key).with_columns(pl.Series(SIGNAL, ranks))

    def _is_known(self, name: str, published: int) -> bool:
        return target_is_known(self.data.market, era=self.era, horizon=horizon_days(name), published=published)

    def _target(self, name: str, published: int) -> NDArray[np.float32]:
        if not self._is_known(name, published):
            return np.full(len(self.assets), np.nan, dtype=np.float32)
        values = self.data.market.targets[name][self.era]
        binned = np.full(len(values), np.nan)
        inside = np.sort(self.assets)  # ties go by the market's order, whatever the assets are called
        binned[inside] = bin_target(values[inside])
        return binned[self.assets].astype(np.float32)


def stream_eras(data: NamedData, eras: range) -> Iterator[NamedEra]:
    """Give consecutive eras one after the other; few of them are in memory at once.

    Parameters
    ----------
    data : NamedData
        What is published.
    eras : range
        Positions in the market.

    Yields
    ------
    NamedEra

    Raises
    ------
    ReleaseError
        If the market has no such era.

    Notes
    -----
    NaN policy: propagate. Cost: O(assets * features * log assets) an era.
    """
    market = data.market
    if eras.start < 0 or eras.stop > market.n_eras:
        raise ReleaseError(f"the market has no eras {eras.start} to {eras.stop - 1}; they are 0 to {market.n_eras - 1}")
    cells = len(market.panel.tickers) * len(market.feature_names)
    step = min(max(BLOCK_CELLS // cells, 1), MOST_ERAS_AT_ONCE)
    for first in range(eras.start, eras.stop, step):
        last = min(first + step, eras.stop)
        block = market.feature_block(first, last)[:, :, list(data.places)]
        for era, raw in zip(range(first, last), block, strict=True):
            yield _era(data, era, raw)


def _era(data: NamedData, era: int, raw: NDArray[np.float32]) -> NamedEra:
    market = data.market
    members = np.flatnonzero(market.universe[era])
    named = data.names.on(market.panel, market.panel.dates[int(market.era_rows[era])])
    rows = named.with_row_index("asset").filter(pl.Series(market.universe[era])).sort(data.names.key)
    assets = rows["asset"].to_numpy().astype(np.intp)
    place = np.searchsorted(members, assets)
    ranks = tie_kept_rank(raw[members].astype(np.float64))[place]
    return NamedEra(data, era, assets, rows.drop("asset", "former_tickers"), ranks)
