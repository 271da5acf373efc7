"""From a panel to a market: eras, universe, factor exposures, features and targets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from crowdalpha.market.arrays import BoolArray, DateArray, Float32Array, FloatArray, IntArray
from crowdalpha.market.checks import CheckReport, Finding, MarketDataError, MarketTooShortError
from crowdalpha.market.factors import FactorExposures, FactorKind, factor_exposures, usable_styles
from crowdalpha.market.features import FEATURES, compute_features
from crowdalpha.market.history import history_of
from crowdalpha.market.prices import PricePanel
from crowdalpha.market.returns import carried_prices
from crowdalpha.market.targets import (
    FAMILY_KINDS,
    HORIZON_DAYS,
    LAG_DAYS,
    Family,
    factor_basis,
    forward_returns,
    residuals,
)
from crowdalpha.market.universe import WARM_UP_DAYS, point_in_time_universe, week_ends

__all__ = ["MIN_ASSETS", "MIN_ERAS", "Market", "build_market", "residual_returns"]

MIN_ASSETS = 30
MIN_ERAS = 26
WEEK_TRADING_DAYS = 5
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Market:
    """All that the operator knows of each era.

    Parameters
    ----------
    panel : PricePanel
        Prices that everything here comes from.
    carried : ndarray of shape (n_days, n_assets), dtype=float64
        Closes of the panel carried over gaps and past delistings.
    era_rows : ndarray of shape (n_eras,), dtype=int64
        Day of each era: the last trading day of a week.
    universe : ndarray of shape (n_eras, n_assets), dtype=bool
        Assets of each era.
    feature_names : tuple of str
        Features in the order of the last axis of `features`.
    feature_groups : mapping of str to tuple of str
        Names by group.
    features : ndarray of shape (n_eras, n_assets, n_features), dtype=float32
        Raw values; NaN outside the universe and where undefined.
    factor_names : tuple of str
        `market`, `country:…`, `sector:…`, `style:…`.
    factor_kinds : tuple of FactorKind
        Kind of each factor.
    factor_exposures : ndarray of shape (n_eras, n_assets, n_factors), dtype=float64
        Exposures; NaN outside the universe.
    targets : mapping of str to ndarray of shape (n_eras, n_assets), dtype=float64
        Residual returns by `<family>_<days>`; NaN where the window ends after the panel.
    checks : CheckReport
        Findings of the files and of the build.
    """

    panel: PricePanel
    carried: FloatArray
    era_rows: IntArray
    universe: BoolArray
    feature_names: tuple[str, ...]
    feature_groups: Mapping[str, tuple[str, ...]]
    features: Float32Array
    factor_names: tuple[str, ...]
    factor_kinds: tuple[FactorKind, ...]
    factor_exposures: FloatArray
    targets: Mapping[str, FloatArray]
    checks: CheckReport

    @property
    def n_eras(self) -> int:
        """Number of eras."""
        return len(self.era_rows)

    @property
    def era_dates(self) -> DateArray:
        """Day of each era."""
        return self.panel.dates[self.era_rows]

    def factor_columns(self, *kinds: FactorKind) -> IntArray:
        """Positions of the factors of these kinds."""
        return np.flatnonzero(np.isin(self.factor_kinds, kinds)).astype(np.int64)


def build_market(
    panel: PricePanel,
    *,
    max_assets: int | None = None,
    min_assets: int = MIN_ASSETS,
    min_eras: int = MIN_ERAS,
    progress: Progress | None = None,
) -> Market:
    """Compute everything about each era from what was known on its day, and its targets from what came after.

    Parameters
    ----------
    panel : PricePanel
        Checked prices.
    max_assets : int, optional
        Size limit of the universe, by traded value.
    min_assets : int, default=30
        A week with fewer members is no era.
    min_eras : int, default=26
        Fewest eras that make a market.
    progress : callable, optional
        Told the stage and the share of it that is done.

    Returns
    -------
    Market
        Eras in the order of time.

    Raises
    ------
    MarketTooShortError
        If there are fewer than `min_eras` eras; the message says what the data have and need.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras * n_assets * n_features * 252); half a gigabyte and some seconds for 500
    assets and 14 years. Row t of features, exposures and universe reads the panel up to t, and nothing else.
    """
    weeks = week_ends(panel.dates)
    member = point_in_time_universe(panel.close, panel.dollar_volume, era_rows=weeks, max_assets=max_assets)
    large = member.sum(axis=1) >= min_assets
    if (n_eras := int(large.sum())) < min_eras:
        problem = _too_short(panel, weeks, member, needs=(min_assets, min_eras))
        raise MarketTooShortError(problem, eras_available=n_eras, eras_needed=min_eras)
    rows, universe = weeks[large], member[large]

    def told(stage: str) -> Callable[[float], None] | None:
        return None if progress is None else partial(progress, stage)

    # styles are computed with the features: both read the same windows
    declared = (*FEATURES, *usable_styles(panel))
    values = compute_features(history_of(panel), declared, era_rows=rows, member=universe, progress=told("features"))
    factors = factor_exposures(panel, values[:, :, len(FEATURES) :], member=universe)
    carried = carried_prices(panel.close)
    small = panel.dates[weeks[~large]]
    found = [
        Finding.of("style_missing", factors.n_missing, "counted over all eras"),
        Finding.of("era_too_few_assets", len(small), f"week to {small[0]}" if len(small) else ""),
    ]
    return Market(
        panel=panel,
        carried=carried,
        era_rows=rows,
        universe=universe,
        feature_names=tuple(feature.name for feature in FEATURES),
        feature_groups=_feature_groups(),
        features=values[:, :, : len(FEATURES)].astype(np.float32),
        factor_names=factors.names,
        factor_kinds=factors.kinds,
        factor_exposures=factors.values,
        targets=_targets(carried, rows, universe, factors=factors, progress=told("targets")),
        checks=panel.checks.extended(finding for finding in found if finding.count),
    )


def residual_returns(
    market: Market,
    era: int,
    *,
    horizon_days: int,
    lag_days: int = LAG_DAYS,
    family: Family = "neutral",
) -> FloatArray:
    """Compute the raw target of one era over any horizon, also that of the days so far.

    Parameters
    ----------
    market : Market
        Market of n_assets.
    era : int
        Position of the era, from 0.
    horizon_days, lag_days : int
        Length of the window in days of the panel, at least 1, and days before it starts, at least 0.
    family : {"neutral", "sector"}, default="neutral"
        Residual to all factors, or to market, country and sector alone.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Residual returns; NaN outside the universe, and for all where the window ends after the panel. Over 20
        and 60 days equal to the last bit to `market.targets`.

    Raises
    ------
    MarketDataError
        If era, horizon, lag or family is not one there is.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_assets * n_factors**2).
    """
    if not 0 <= era < market.n_eras:
        raise MarketDataError(f"era {era} is not there; the market has eras 0 to {market.n_eras - 1}")
    if horizon_days < 1 or lag_days < 0:
        raise MarketDataError(f"horizon_days {horizon_days} must be at least 1 and lag_days {lag_days} at least 0")
    if family not in FAMILY_KINDS:
        raise MarketDataError(f"family {family!r} is none of {', '.join(FAMILY_KINDS)}")
    member = market.universe[era]
    columns = market.factor_columns(*FAMILY_KINDS[family])
    basis = factor_basis(market.factor_exposures[era][np.ix_(member, columns)])
    returns = forward_returns(market.carried, int(market.era_rows[era]), horizon_days=horizon_days, lag_days=lag_days)
    return residuals(returns, basis, member)


def _targets(
    carried: FloatArray,
    rows: IntArray,
    universe: BoolArray,
    *,
    factors: FactorExposures,
    progress: Callable[[float], None] | None,
) -> dict[str, FloatArray]:
    targets = {f"{family}_{days}": np.full(universe.shape, np.nan) for family in FAMILY_KINDS for days in HORIZON_DAYS}
    for era, row in enumerate(rows):
        member = universe[era]
        returns = {days: forward_returns(carried, int(row), horizon_days=days) for days in HORIZON_DAYS}
        for family, kinds in FAMILY_KINDS.items():
            columns = np.flatnonzero(np.isin(factors.kinds, kinds))
            basis = factor_basis(factors.values[era][np.ix_(member, columns)])
            for days in HORIZON_DAYS:
                targets[f"{family}_{days}"][era] = residuals(returns[days], basis, member)
        if progress is not None:
            progress((era + 1) / len(rows))
    return targets


def _feature_groups() -> dict[str, tuple[str, ...]]:
    groups = dict.fromkeys(feature.group for feature in FEATURES)
    return {group: tuple(feature.name for feature in FEATURES if feature.group == group) for group in groups}


def _too_short(panel: PricePanel, weeks: IntArray, member: BoolArray, *, needs: tuple[int, int]) -> str:
    min_assets, min_eras = needs
    largest = int(member.sum(axis=1).max(initial=0))
    return (
        f"the prices give {int((member.sum(axis=1) >= min_assets).sum())} eras and {min_eras} are needed: they have "
        f"{len(panel.dates)} trading days, {len(weeks)} weeks after the {WARM_UP_DAYS} days that features look back, "
        f"and at most {largest} of {len(panel.tickers)} assets with that much history in one of them, where an era "
        f"needs {min_assets}; give at least {WARM_UP_DAYS + WEEK_TRADING_DAYS * min_eras} days of {min_assets} assets"
    )
