"""Every figure of a series of scores in one call, for many models at once."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring._series import constant, packed, series_columns
from crowdalpha.scoring.arrays import BoolArray, FloatArray, IndexArray
from crowdalpha.scoring.diagnostics import STAKE_LOCK_WEEKS, WEEKLY_CLIP, WEEKS_PER_YEAR

__all__ = ["ScoreMetrics", "metrics"]


@dataclass(frozen=True, eq=False)
class ScoreMetrics:
    """Figures of one score over the eras; each has shape (n_models,), or () for one series.

    Each is what the function of its name in `crowdalpha.scoring.diagnostics` gives; `std` and `sharpe` with ddof=0.
    `n_eras` counts eras with a score.
    """

    n_eras: FloatArray
    mean: FloatArray
    std: FloatArray
    sharpe: FloatArray
    smart_sharpe: FloatArray
    sortino: FloatArray
    autocorrelation: FloatArray
    hit_rate: FloatArray
    max_drawdown: FloatArray
    compounded_drawdown: FloatArray
    annual_percentage_yield: FloatArray
    calmar: FloatArray

    def of(self, model: int) -> dict[str, float]:
        """Give the figures of one model by their names.

        Parameters
        ----------
        model : int
            Its column; 0 for one series.

        Returns
        -------
        dict of str to float
        """
        return {field.name: float(np.atleast_1d(getattr(self, field.name))[model]) for field in fields(self)}


def metrics(scores_by_era: npt.ArrayLike) -> ScoreMetrics:
    """Compute every figure of a score series: mean, spread, ratios, drawdowns.

    Parameters
    ----------
    scores_by_era : array-like of shape (n_eras,) or (n_eras, n_models)
        One score an era, eras in order: CORR, MMC, or FNC for the feature-neutral figures.

    Returns
    -------
    ScoreMetrics
        NaN where a figure is not defined.

    Raises
    ------
    ShapeError
        If there are no eras.
    NonFiniteError
        If a score is infinite.

    Notes
    -----
    NaN policy: omit; the eras around a gap count as neighbours. Cost: O(n_eras * n_models). A model's figures do not
    depend on the models beside it.

    Examples
    --------
    >>> found = metrics([[1.0, 3.0], [3.0, 3.0]])
    >>> found.sharpe, found.of(0)["hit_rate"]
    (array([ 2., inf]), 1.0)
    """
    columns, shape = series_columns(scores_by_era)
    table = _Table(*packed(columns))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, std = table.mean(table.packed), table.std(ddof=0)
        correlation = table.autocorrelation()
        drawdown, growth = table.compounded_drawdown(), table.annual_percentage_yield()
        found = {
            "n_eras": table.counts.astype(np.float64),
            "mean": mean,
            "std": std,
            "sharpe": mean / std,
            "smart_sharpe": mean / (table.std(ddof=1) * table.penalty(correlation)),
            "sortino": mean / np.sqrt(table.mean(np.minimum(table.packed, 0.0) ** 2)),
            "autocorrelation": correlation,
            "hit_rate": table.mean((table.packed > 0).astype(np.float64)),
            "max_drawdown": table.max_drawdown(),
            "compounded_drawdown": drawdown,
            "annual_percentage_yield": growth,
            "calmar": np.where(drawdown < 0, growth / -drawdown, np.nan),
        }
    return ScoreMetrics(**{name: values.reshape(shape) for name, values in found.items()})


@dataclass(frozen=True, eq=False)
class _Table:
    """Scores with the known ones of each column moved to its top, in order, and 0 below; `counts` of them."""

    packed: FloatArray
    counts: IndexArray

    @property
    def known(self) -> BoolArray:
        """Where the scores are."""
        known: BoolArray = np.arange(len(self.packed))[:, None] < self.counts
        return known

    def mean(self, values: FloatArray) -> FloatArray:
        """Mean over the known scores of what is 0 elsewhere."""
        mean: FloatArray = values.sum(axis=0) / self.counts
        return mean

    def std(self, ddof: int) -> FloatArray:
        """Exactly 0 for equal scores."""
        centred = np.where(self.known, self.packed - self.mean(self.packed), 0.0)
        freedom = self.counts - ddof
        std = np.sqrt((centred**2).sum(axis=0) / np.where(freedom > 0, freedom, np.nan))
        return np.where(constant(self.packed, self.known) & (freedom > 0), 0.0, std)

    def autocorrelation(self) -> FloatArray:
        """Correlation of each score with the one before."""
        pairs = self.known[1:]
        sides = (np.where(pairs, side, 0.0) for side in (self.packed[:-1], self.packed[1:]))
        before, after = (np.where(pairs, side - side.sum(axis=0) / (self.counts - 1), 0.0) for side in sides)
        lengths = (before**2).sum(axis=0) * (after**2).sum(axis=0)
        correlation: FloatArray = (before * after).sum(axis=0) / np.sqrt(lengths)
        return correlation

    def penalty(self, correlation: FloatArray) -> FloatArray:
        """Inflation of the standard deviation of a sum."""
        lags = np.arange(1, len(self.packed))[:, None]
        shares = np.clip(self.counts - lags, 0, None) / self.counts
        inflation: FloatArray = 1.0 + 2.0 * (shares * correlation**lags).sum(axis=0)
        return np.sqrt(np.maximum(inflation, 0.0))

    def max_drawdown(self) -> FloatArray:
        """Deepest fall of the sum."""
        totals = np.cumsum(self.packed, axis=0)
        return self._or_nan((np.maximum.accumulate(totals, axis=0) - totals).max(axis=0))

    def compounded_drawdown(self) -> FloatArray:
        """Deepest relative fall of the product."""
        values = np.cumprod(1.0 + self.packed, axis=0)
        return self._or_nan(-(1.0 - values / np.maximum.accumulate(values, axis=0)).max(axis=0))

    def annual_percentage_yield(self) -> FloatArray:
        """Growth of a year in percent."""
        growth = np.prod(1.0 + np.clip(self.packed, -WEEKLY_CLIP, WEEKLY_CLIP), axis=0)
        return self._or_nan((growth ** ((WEEKS_PER_YEAR - STAKE_LOCK_WEEKS) / self.counts) - 1.0) * 100.0)

    def _or_nan(self, values: FloatArray) -> FloatArray:
        return np.where(self.counts > 0, values, np.nan)
