"""How alike the targets are, and how much of a perfect forecast of one a neutral portfolio can earn."""

from collections.abc import Mapping

import numpy as np

from crowdalpha.market.arrays import BoolArray, FloatArray
from crowdalpha.market.build import Market
from crowdalpha.market.checks import MarketDataError
from crowdalpha.market.targets import factor_basis, forward_returns
from crowdalpha.scoring import tie_kept_rank

__all__ = ["CUTS", "signal_kept", "target_correlations"]

CUTS = (0.05, 0.25, 0.75, 0.95)
"""Ranks between the five bins of a target."""


def target_correlations(targets: Mapping[str, FloatArray]) -> tuple[tuple[str, ...], FloatArray]:
    """Correlate targets with each other.

    Parameters
    ----------
    targets : mapping of str to ndarray of shape (n_eras, n_assets), dtype=float64
        Targets by name, as `Market.targets`.

    Returns
    -------
    names : tuple of str
        In the order given.
    correlations : ndarray of shape (n_targets, n_targets), dtype=float64
        Rank correlations over the assets that have all targets, averaged over the eras in which there are at least
        three; NaN where there is no such era.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras * n_assets * n_targets * (log(n_assets) + n_targets)).

    Examples
    --------
    >>> names, found = target_correlations({"a": np.array([[1.0, 2.0, 4.0]]), "b": np.array([[9.0, 5.0, 1.0]])})
    >>> found.round(6).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    names = tuple(targets)
    found = []
    for era in zip(*targets.values(), strict=True):
        values = np.column_stack(era)
        values = values[~np.isnan(values).any(axis=1)]
        if len(values) >= 3:  # noqa: PLR2004  # two always agree
            ranks = tie_kept_rank(values)
            found.append(np.corrcoef(ranks, rowvar=False).reshape(len(names), len(names)))
    if not found:
        return names, np.full((len(names), len(names)), np.nan)
    mean: FloatArray = np.mean(found, axis=0)
    return names, mean


def signal_kept(market: Market, name: str, *, binned: bool = True) -> FloatArray:
    """Measure what a neutral book that knows a target would earn, against the best neutral book.

    Parameters
    ----------
    market : Market
        Prices, exposures and targets.
    name : str
        Target, `<family>_<days>`.
    binned : bool, default=True
        Whether the book knows the five bins that are published, or the raw values.

    Returns
    -------
    ndarray of shape (n_eras,), dtype=float64
        Correlation, in each era, of the forecast less what all factors explain of it, with the returns of the window
        less the same: 1 where nothing is lost. A book that holds the forecast, made neutral as the optimizer does,
        earns this share of the best one of equal size. NaN where the target is not known.

    Raises
    ------
    MarketDataError
        If the market has no such target.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_eras * n_assets * n_factors**2). Size is the root of the sum of squared weights:
    specific risk where all names are equally risky.
    """
    if name not in market.targets:
        raise MarketDataError(f"the market has no target {name!r}; it has {', '.join(sorted(market.targets))}")
    days = int(name.rpartition("_")[2])
    kept = np.full(market.n_eras, np.nan)
    for era, row in enumerate(market.era_rows):
        member = market.universe[era]
        target = market.targets[name][era][member]
        if np.isnan(target).any():
            continue
        returns = forward_returns(market.carried, int(row), horizon_days=days)[member]
        forecast = _bins(target) if binned else target
        basis = factor_basis(market.factor_exposures[era][member])
        book, best = (values - basis @ (basis.T @ values) for values in (forecast, returns))
        length = float(np.linalg.norm(book) * np.linalg.norm(best))
        kept[era] = float(book @ best) / length if length > 0 else np.nan
    return kept


def _bins(target: FloatArray) -> FloatArray:
    ranks = tie_kept_rank(target[:, None])[:, 0]
    above: BoolArray = ranks[:, None] > np.array(CUTS)
    bins: FloatArray = above.sum(axis=1) / len(CUTS)
    return bins
