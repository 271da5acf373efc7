"""Benchmark models: ridge regressions that walk forward in time, with what they may not yet know taken out.

The prediction of an era is made by a model that was fitted on eras before it, and on none whose target window was still
open on its day (the purge), nor on the last 13 before it (the embargo). So the predictions on `train` are as honest as
those on `validation`; the first eras of `train` have none.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crowdalpha.market import Market
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.example import centred_bins, centred_target, ridge
from crowdalpha.release.frames import horizon_days, target_is_known
from crowdalpha.release.splits import EMBARGO_ERAS
from crowdalpha.scoring import tie_kept_rank

__all__ = ["MIN_FIT_ERAS", "REFIT_ERAS", "WalkForward", "benchmark_targets"]

REFIT_ERAS = 13
MIN_FIT_ERAS = 8
Floats = NDArray[np.float64]


@dataclass(slots=True)
class _Sums:
    """What a ridge needs to know of some rows."""

    era: int
    rows: int
    gram: Floats
    moments: Floats


@dataclass(slots=True)
class WalkForward:
    """Models of several targets, and the mean of their ranks.

    Parameters
    ----------
    market : Market
        Where days of eras and ends of windows come from.
    targets : tuple of str
        Names of the targets that the models learn.
    n_features : int
        Number of columns.
    """

    market: Market
    targets: tuple[str, ...]
    n_features: int
    coefficients: Floats | None = field(default=None, init=False)
    _fitted_at: int = field(default=-REFIT_ERAS, init=False)
    _pending: deque[_Sums] = field(default_factory=deque, init=False)
    _known: _Sums = field(init=False)
    _eras: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        shape = (self.n_features, len(self.targets))
        self._known = _Sums(era=-1, rows=0, gram=np.zeros((self.n_features,) * 2), moments=np.zeros(shape))

    def learn(self, era: int, bins: NDArray[np.int8], targets: Floats) -> None:
        """Remember the rows of an era; they enter a model when their windows are closed and the embargo is over.

        Parameters
        ----------
        era : int
            Index of the era; later than all before.
        bins : ndarray of shape (n_rows, n_features), dtype=int8
            Features; -1 is missing.
        targets : ndarray of shape (n_rows, n_targets), dtype=float64
            In the order of `targets`; a NaN counts as the middle.

        Raises
        ------
        ReleaseError
            If the era is not later than those before.

        Notes
        -----
        NaN policy: replaced by the middle. The sums are of small integers in float32 and so exact. Cost:
        O(n_rows n_features**2), and memory for n_features**2 numbers an era of the embargo.
        """
        if self._pending and era <= self._pending[-1].era:
            raise ReleaseError(f"era {era} is not later than era {self._pending[-1].era}; walk forward in time")
        X = centred_bins(bins).astype(np.float32)
        y = np.nan_to_num(centred_target(targets)) * 4
        gram, moments = X.T @ X, X.T @ y.astype(np.float32)
        self._pending.append(_Sums(era, len(X), gram.astype(np.float64), moments.astype(np.float64) / 4))

    def predict(self, era: int, bins: NDArray[np.int8]) -> Floats | None:
        """Predict an era by what was known on its day.

        Parameters
        ----------
        era : int
            Index of the era.
        bins : ndarray of shape (n_rows, n_features), dtype=int8
            Features; -1 is missing.

        Returns
        -------
        ndarray of shape (n_rows, n_targets + 1), dtype=float64
            Percentile ranks of each model and of the mean of their ranks, in (0, 1); None where fewer than 8 eras
            were known.

        Notes
        -----
        NaN policy: not applicable (integers). A model is fitted anew every 13 eras. Cost: O(n_rows n_features), and
        O(n_features**3) every 13 eras.
        """
        if self.coefficients is None or era - self._fitted_at >= REFIT_ERAS:
            self._fit(era)
        if self.coefficients is None:
            return None
        ranks = tie_kept_rank(centred_bins(bins) @ self.coefficients)
        return np.column_stack([ranks, tie_kept_rank(ranks.mean(axis=1, keepdims=True))])

    def _fit(self, era: int) -> None:
        longest = max(horizon_days(name) for name in self.targets)
        while self._pending and self._pending[0].era <= era - EMBARGO_ERAS:
            if not target_is_known(self.market, era=self._pending[0].era, horizon=longest, published=era):
                break
            sums = self._pending.popleft()
            self._known.rows += sums.rows
            self._known.gram += sums.gram
            self._known.moments += sums.moments
            self._eras += 1
        if self._eras >= MIN_FIT_ERAS:
            self.coefficients = ridge(self._known.gram, self._known.moments, rows=self._known.rows)
            self._fitted_at = era


def benchmark_targets(main: str, names: Sequence[str]) -> tuple[str, ...]:
    """Choose what the benchmark models learn: the main target, and its family over the longest horizon.

    Examples
    --------
    >>> benchmark_targets("neutral_20", ["neutral_20", "neutral_60", "sector_60"])
    ('neutral_20', 'neutral_60')
    """
    family = main.rpartition("_")[0]
    same = [name for name in names if name.rpartition("_")[0] == family]
    longest = max([main, *same], key=horizon_days)
    return (main,) if longest == main else (main, longest)
