"""Feature timing: weights that follow what each feature has paid lately, as far as it was known."""

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.utils import Tags

from crowdalpha.client.errors import DataRequestError
from crowdalpha.client.estimators._base import Codes, EraRegressor, Numbers, Rows, eras_of, weighted_sum
from crowdalpha.scoring import FloatArray, IndexArray, RangeError, checks, corr

__all__ = ["FeatureTiming", "feature_corr"]


class FeatureTiming(EraRegressor):
    """Sum of the features, each times a weight that follows its own recent CORR.

    A feature takes no fitting, so its CORR in an era is out of sample. The weight in an era is a mean of past CORR:
    of the last `window` eras whose target was known by then, shrunk towards the mean of all of them.

    Parameters
    ----------
    lag : int, default=5
        Eras until a target is known: in era `e` those up to `e - lag` are. 5 for 20 days after 2 days' lag on weekly
        eras; 1 for a target that is known in the next era.
    window : int, default=26
        Known eras that are recent.
    shrinkage : float in [0, 1], default=0.5
        0 follows the recent mean, 1 the mean of all known eras.

    Attributes
    ----------
    eras_ : ndarray of shape (n_eras,)
        Eras seen in `fit`, ascending.
    corr_ : ndarray of shape (n_eras, n_features), dtype=float64
        CORR of each feature in each; NaN where it, or the target, is constant.
    weights_ : ndarray of shape (n_eras, n_features), dtype=float64
        Weights in each, from what was known by then; 0 where nothing was.
    live_weights_ : ndarray of shape (n_features,), dtype=float64
        Weights from all of them, for eras after the last: a target that is given to `fit` is known.

    Notes
    -----
    NaN policy: refuse. Cost: one sort a feature and era. Features should be on one scale, as bins are; else put
    `EraStandardizer` in front. Eras are counted in their order, text of digits as numbers; give every era.

    Examples
    --------
    >>> X, y = [[0, 2], [1, 1], [2, 0]] * 3, [0.0, 0.5, 1.0] * 3
    >>> model = FeatureTiming(lag=1).fit(X, y, eras=[1, 1, 1, 2, 2, 2, 3, 3, 3])
    >>> model.weights_.round(6).tolist()
    [[0.0, 0.0], [1.0, -1.0], [1.0, -1.0]]
    """

    def __init__(self, *, lag: int = 5, window: int = 26, shrinkage: float = 0.5) -> None:
        self.lag = lag
        self.window = window
        self.shrinkage = shrinkage

    def __sklearn_tags__(self) -> Tags:
        """Say that predictions are not in the unit of the target."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, eras: npt.ArrayLike | None = None) -> Self:
        """Score each feature in each era.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Finite features.
        y : array-like of shape (n_rows,)
            Finite target; leave out eras whose target is not known yet.
        eras : array-like of shape (n_rows,), optional
            Era of each row; without it all rows are one.

        Returns
        -------
        FeatureTiming

        Raises
        ------
        RangeError
            If a parameter lies outside its range.
        DistortionError
            If a target has such heavy tails that CORR is not defined; rank it first.
        """
        for name, value in (("lag", self.lag), ("window", self.window)):
            if value < 1:
                raise RangeError(f"{name} is {value}; it is a number of eras, 1 or more")
        checks.in_range(self.shrinkage, 0.0, 1.0, "shrinkage")
        matrix, target = self._training(X, y)
        self.eras_, rows_of = eras_of(eras, len(matrix))
        self.corr_ = feature_corr(matrix, target, rows_of)
        n_eras = len(self.eras_)
        self.weights_ = self._weights(np.maximum(0, np.arange(n_eras) - self.lag + 1))
        self.live_weights_ = self._weights(np.array([n_eras]))[0]
        return self

    def predict(self, X: npt.ArrayLike, eras: npt.ArrayLike | None = None) -> FloatArray:
        """Predict each era with what was known by then.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Finite features.
        eras : array-like of shape (n_rows,), optional
            Era of each row. Eras after the last of `fit`, and rows without eras, get the latest weights.

        Returns
        -------
        ndarray of shape (n_rows,), dtype=float64
            Only ranks within an era mean something; 0 where nothing was known.

        Raises
        ------
        DataRequestError
            If eras cannot be told apart from, or put in order with, those of `fit`.
        """
        matrix = self._fitted_rows(X)
        if eras is None:
            return weighted_sum(matrix, self.live_weights_)
        labels, rows_of = eras_of(eras, len(matrix))
        out = np.empty(len(matrix))
        for weights, rows in zip(self._weights(self._known(labels)), rows_of, strict=True):
            out[rows] = matrix[rows] @ weights
        return out

    def _known(self, labels: Codes) -> IndexArray:
        """Count the eras of `fit` whose target was known in each era."""
        if (labels.dtype.kind in "US") != (self.eras_.dtype.kind in "US"):
            raise DataRequestError(f"eras here look like {labels[0]!r}, in fit like {self.eras_[0]!r}; use one kind")
        earlier = np.searchsorted(self.eras_, labels)
        known = np.maximum(0, earlier - self.lag + 1)
        return np.where(labels > self.eras_[-1], len(self.eras_), known)

    def _weights(self, known: IndexArray) -> FloatArray:
        """Weights after so many known eras, one row each."""
        first = np.maximum(0, known - self.window)
        recent, whole = self._mean(first, known), self._mean(np.zeros_like(known), known)
        weights: FloatArray = (1.0 - self.shrinkage) * recent + self.shrinkage * whole
        return weights

    def _mean(self, first: IndexArray, last: IndexArray) -> FloatArray:
        """Mean CORR over the eras from `first` to before `last`; 0 where there is none."""
        scored = ~np.isnan(self.corr_)
        start = np.zeros((1, self.corr_.shape[1]))
        sums = np.concatenate([start, np.cumsum(np.where(scored, self.corr_, 0.0), axis=0)])
        counts = np.concatenate([start, np.cumsum(scored, axis=0)])
        found: FloatArray = (sums[last] - sums[first]) / np.maximum(1, counts[last] - counts[first])
        return found


def feature_corr(matrix: Numbers, target: FloatArray, rows_of: list[Rows]) -> FloatArray:
    """CORR of each feature in each era.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_features)
        Finite features.
    target : ndarray of shape (n_rows,), dtype=float64
        Finite target.
    rows_of : list of slices or index arrays
        Rows of each era.

    Returns
    -------
    ndarray of shape (n_eras, n_features), dtype=float64
        NaN where a feature or the target is constant.

    Raises
    ------
    DistortionError
        If a target has such heavy tails that CORR is not defined.

    Notes
    -----
    NaN policy: refuse. Cost: one sort a feature and era.

    Examples
    --------
    >>> feature_corr(np.array([[1, 1], [2, 1], [3, 1]]), np.array([0.0, 0.5, 1.0]), [slice(0, 3)]).round(6)
    array([[ 1., nan]])
    """
    return np.stack([corr(matrix[rows], target[rows]) for rows in rows_of])
