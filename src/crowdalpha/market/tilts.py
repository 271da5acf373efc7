"""How cheap each name is, for the targets that weigh cheap names."""

import numpy as np

from crowdalpha.market.arrays import BoolArray, FloatArray, IntArray
from crowdalpha.market.factors import standardize_members
from crowdalpha.market.features.compute import fill_features
from crowdalpha.market.features.declaration import Feature
from crowdalpha.market.features.fundamentals import value
from crowdalpha.market.fundamentals import Filings
from crowdalpha.market.prices import PricePanel

__all__ = ["FIRST_DAY", "LAST_DAY", "value_scores"]

FIRST_DAY, LAST_DAY = 1260, 126
"""Days back between which today's price is compared with the mean."""
VALUE = Feature("value", group="style", window=0, needs=("filings",), compute=value)


def value_scores(
    panel: PricePanel, *, era_rows: IntArray, member: BoolArray, filings: Filings | None = None
) -> FloatArray:
    """Score how cheap each name is among the members of its era.

    Parameters
    ----------
    panel : PricePanel
        Prices.
    era_rows : ndarray of shape (n_eras,), dtype=int64
        Day of each era.
    member : ndarray of shape (n_eras, n_assets), dtype=bool
        Universe.
    filings : Filings, optional
        Company reports.

    Returns
    -------
    ndarray of shape (n_eras, n_assets), dtype=float64
        Z-scores: of book and earnings to price where a report tells them, else of the log of the mean price from
        1260 to 126 days ago, as far as the panel goes back, over today's; NaN outside the universe.

    Notes
    -----
    NaN policy: a name of which nothing is known is 0, the mean. Cost: O(n_days * n_assets).

    References
    ----------
    .. [1] C. Asness, T. Moskowitz and L. Pedersen, "Value and Momentum Everywhere", Journal of Finance 68 (2013),
       which takes the return of the last five years for assets without book value.
    """
    scores = standardize_members(_fallen(panel.close, era_rows), member)
    if filings is None:
        return scores
    reported = np.empty((*member.shape, 1))
    fill_features(reported, panel, [VALUE], era_rows=era_rows, member=member, filings=filings)
    return np.where(np.isnan(reported[:, :, 0]), scores, standardize_members(reported[:, :, 0], member))


def _fallen(close: FloatArray, era_rows: IntArray) -> FloatArray:
    seen = ~np.isnan(close)
    sums = np.vstack([np.zeros((1, close.shape[1])), np.cumsum(np.where(seen, close, 0.0), axis=0)])
    counts = np.vstack([np.zeros((1, close.shape[1]), dtype=np.int64), np.cumsum(seen, axis=0)])
    first, last = np.maximum(era_rows + 1 - FIRST_DAY, 0), np.maximum(era_rows + 1 - LAST_DAY, 0)
    total, count = sums[last] - sums[first], counts[last] - counts[first]
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return np.log(mean / close[era_rows])
