"""From a panel to a market: eras, universe, factor exposures, features and targets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from crowdalpha.market.arrays import BoolArray, DateArray, Float32Array, FloatArray, IntArray
from crowdalpha.market.checks import CheckReport, Finding, MarketDataError, MarketTooShortError
from crowdalpha.market.factors import FactorExposures, FactorKind, factor_exposures, usable_styles
from crowdalpha.market.features import FEATURE_SETS, Feature, Tier, features_named
from crowdalpha.market.features.compute import fill_features
from crowdalpha.market.features.source import ComputedFeatures, FeatureSource
from crowdalpha.market.findings import note_empty_features, note_empty_sectors, usable_features
from crowdalpha.market.fundamentals import Filings
from crowdalpha.market.prices import PricePanel
from crowdalpha.market.returns import carried_prices
from crowdalpha.market.targets import (
    FAMILIES,
    HORIZON_DAYS,
    LAG_DAYS,
    Family,
    factor_basis,
    forward_returns,
    residuals,
    tilt_weights,
)
from crowdalpha.market.tilts import value_scores
from crowdalpha.market.universe import WARM_UP_DAYS, point_in_time_universe, week_ends

__all__ = ["MIN_ASSETS", "MIN_ERAS", "Market", "build_market", "feature_sets", "residual_returns"]

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
        Features in the order of the last axis of `feature_block`.
    feature_groups : mapping of str to tuple of str
        Names by group.
    source : FeatureSource
        Computes features when they are asked for.
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
    value_scores : ndarray of shape (n_eras, n_assets), dtype=float64, optional
        Z-scores of cheapness, which the family `value` is weighted by.
    """

    panel: PricePanel
    carried: FloatArray
    era_rows: IntArray
    universe: BoolArray
    feature_names: tuple[str, ...]
    feature_groups: Mapping[str, tuple[str, ...]]
    source: FeatureSource
    factor_names: tuple[str, ...]
    factor_kinds: tuple[FactorKind, ...]
    factor_exposures: FloatArray
    targets: Mapping[str, FloatArray]
    checks: CheckReport
    value_scores: FloatArray | None = None

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

    def feature_block(self, first: int, last: int) -> Float32Array:
        """Compute the raw features of the eras from `first` up to but not with `last`.

        Parameters
        ----------
        first, last : int
            Positions of eras, 0 <= first <= last <= n_eras.

        Returns
        -------
        ndarray of shape (last - first, n_assets, n_features), dtype=float32
            Raw values; NaN outside the universe and where undefined.

        Raises
        ------
        MarketDataError
            If there are no such eras.

        Notes
        -----
        NaN policy: omit. Cost: linear in the eras, after the work for a year of days that a block begins with: ask
        for tens of eras at once rather than for one after the other. Nothing is kept.
        """
        if not 0 <= first <= last <= self.n_eras:
            raise MarketDataError(f"eras {first} to {last} are not there; the market has eras 0 to {self.n_eras - 1}")
        return self.source.block(first, last)


def feature_sets(market: Market) -> dict[Tier, tuple[str, ...]]:
    """List the features of each set that a market has.

    Parameters
    ----------
    market : Market
        Which has features of `FEATURES`.

    Returns
    -------
    dict of str to tuple of str
        `small`, `medium` and `all`, nested, each in the order of the market's features.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(n_features).
    """
    return {
        name: tuple(feature for feature in market.feature_names if name == "all" or feature in members)
        for name, members in FEATURE_SETS.items()
    }


def build_market(
    panel: PricePanel,
    *,
    filings: Filings | None = None,
    features: Sequence[str] | None = None,
    families: Sequence[Family] | None = None,
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
    filings : Filings, optional
        Company reports, as `read_filings` returns them for this panel.
    features : sequence of str, optional
        Names of the features to offer, such as `FEATURE_SETS["medium"]`; by default all that the data allow.
    families : sequence of Family, optional
        Families of targets to compute; by default all that the data allow.
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
    MarketDataError
        If there is no feature or family of a name.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras * n_assets * 252) for universe, exposures and targets; features are computed when
    they are asked for, but for three eras that tell which have no value. Row t of features, exposures and universe
    reads the panel up to t, and nothing else. What is left out for want of data is counted in `checks`.
    """
    weeks = week_ends(panel.dates)
    member = point_in_time_universe(panel.close, panel.dollar_volume, era_rows=weeks, max_assets=max_assets)
    large = member.sum(axis=1) >= min_assets
    if (n_eras := int(large.sum())) < min_eras:
        problem = _too_short(panel, weeks, member, needs=(min_assets, min_eras))
        raise MarketTooShortError(problem, eras_available=n_eras, eras_needed=min_eras)
    rows, universe = weeks[large], member[large]
    carried = carried_prices(panel.close)
    factors = _factors(panel, rows, universe, progress=progress)
    usable, unusable = usable_features(panel, features_named(features), filings=filings)
    source = ComputedFeatures(panel, usable, era_rows=rows, universe=universe, filings=filings)
    scores = value_scores(panel, era_rows=rows, member=universe, filings=filings)
    targets = _Targets(rows, universe, factors.names, factors.kinds, factors.values, scores)
    small = panel.dates[weeks[~large]]
    probes = (source.block(era, era + 1) for era in sorted({0, n_eras // 2, n_eras - 1}))
    found = [
        *(() if filings is None else filings.findings),
        unusable,
        note_empty_features(usable, probes),
        note_empty_sectors(panel, rows, universe),
        Finding.of("style_missing", factors.n_missing, "counted over all eras"),
        Finding.of("era_too_few_assets", len(small), f"week to {small[0]}" if len(small) else ""),
    ]
    return Market(
        panel=panel,
        carried=carried,
        era_rows=rows,
        universe=universe,
        feature_names=tuple(feature.name for feature in usable),
        feature_groups=_feature_groups(usable),
        source=source,
        factor_names=factors.names,
        factor_kinds=factors.kinds,
        factor_exposures=factors.values,
        targets=_all_targets(carried, targets, families=_families(families, factors.names), progress=progress),
        checks=panel.checks.extended(finding for finding in found if finding is not None and finding.count),
        value_scores=scores,
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
    family : Family, default="neutral"
        Which of `FAMILIES`.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        Residual returns; NaN outside the universe, and for all where the window ends after the panel. Over 5, 20
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
    _check_family(family)
    targets = _Targets(
        market.era_rows,
        market.universe,
        market.factor_names,
        market.factor_kinds,
        market.factor_exposures,
        market.value_scores,
    )
    returns = forward_returns(market.carried, int(market.era_rows[era]), horizon_days=horizon_days, lag_days=lag_days)
    return targets.residualizer(era, family)(returns)


@dataclass(frozen=True, eq=False)
class _Targets:
    """What the targets of an era need beside the prices."""

    era_rows: IntArray
    universe: BoolArray
    names: tuple[str, ...]
    kinds: tuple[FactorKind, ...]
    exposures: FloatArray
    value_scores: FloatArray | None

    def residualizer(self, era: int, family: Family) -> Callable[[FloatArray], FloatArray]:
        """Give what turns the returns of an era into the target of a family."""
        rule, member = FAMILIES[family], self.universe[era]
        styles = {f"style:{style}" for style in rule.styles}
        used = [kind in rule.kinds or name in styles for name, kind in zip(self.names, self.kinds, strict=True)]
        exposures = self.exposures[era][np.ix_(member, np.flatnonzero(used))]
        if rule.tilt is None:
            return partial(residuals, basis=factor_basis(exposures), member=member)
        weights = tilt_weights(rule.sign * self._tilt(era, rule.tilt)[member])
        basis = factor_basis(exposures * np.sqrt(weights)[:, None])
        return partial(residuals, basis=basis, member=member, weights=weights)

    def _tilt(self, era: int, name: str) -> FloatArray:
        if name == "value":
            if self.value_scores is None:
                raise MarketDataError("the market has no value scores; build it with build_market")
            scores: FloatArray = self.value_scores[era]
            return scores
        column: FloatArray = self.exposures[era][:, self.names.index(f"style:{name}")]
        return column


def _families(wanted: Sequence[Family] | None, factors: tuple[str, ...]) -> tuple[Family, ...]:
    """Families in the order of `FAMILIES`, without those whose style a panel without volume does not have."""
    for family in wanted or ():
        _check_family(family)
    tilts = {family: rule.tilt for family, rule in FAMILIES.items() if wanted is None or family in wanted}
    return tuple(family for family, tilt in tilts.items() if tilt in {None, "value"} or f"style:{tilt}" in factors)


def _check_family(family: str) -> None:
    if family not in FAMILIES:
        raise MarketDataError(f"family {family!r} is none of {', '.join(FAMILIES)}")


def _factors(panel: PricePanel, rows: IntArray, universe: BoolArray, *, progress: Progress | None) -> FactorExposures:
    styles = usable_styles(panel)
    raw = np.empty((*universe.shape, len(styles)))
    told = None if progress is None else partial(progress, "features")
    fill_features(raw, panel, styles, era_rows=rows, member=universe, progress=told)
    return factor_exposures(panel, raw, member=universe)


def _all_targets(
    carried: FloatArray, targets: _Targets, *, families: tuple[Family, ...], progress: Progress | None
) -> dict[str, FloatArray]:
    shape = targets.universe.shape
    found = {f"{family}_{days}": np.full(shape, np.nan) for family in families for days in HORIZON_DAYS}
    for era, row in enumerate(targets.era_rows):
        returns = {days: forward_returns(carried, int(row), horizon_days=days) for days in HORIZON_DAYS}
        for family in families:
            residualize = targets.residualizer(era, family)
            for days in HORIZON_DAYS:
                found[f"{family}_{days}"][era] = residualize(returns[days])
        if progress is not None:
            progress("targets", (era + 1) / len(targets.era_rows))
    return found


def _feature_groups(features: tuple[Feature, ...]) -> dict[str, tuple[str, ...]]:
    groups = dict.fromkeys(feature.group for feature in features)
    return {group: tuple(feature.name for feature in features if feature.group == group) for group in groups}


def _too_short(panel: PricePanel, weeks: IntArray, member: BoolArray, *, needs: tuple[int, int]) -> str:
    min_assets, min_eras = needs
    largest = int(member.sum(axis=1).max(initial=0))
    return (
        f"the prices give {int((member.sum(axis=1) >= min_assets).sum())} eras and {min_eras} are needed: they have "
        f"{len(panel.dates)} trading days, {len(weeks)} weeks after the {WARM_UP_DAYS} days that features look back, "
        f"and at most {largest} of {len(panel.tickers)} assets with that much history in one of them, where an era "
        f"needs {min_assets}; give at least {WARM_UP_DAYS + WEEK_TRADING_DAYS * min_eras} days of {min_assets} assets"
    )
