"""Selective neutralization: to the features that carry the most risk, and no others."""

import math
from typing import Literal, Self, get_args

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from crowdalpha.client.estimators._base import EraMetaRegressor, Numbers, Rows, eras_of, neutralized
from crowdalpha.client.estimators.timing import feature_corr
from crowdalpha.scoring import FloatArray, RangeError, checks, feature_exposures, max_drawdown, summarize

__all__ = ["FeatureRisk", "SelectivelyNeutralizedRegressor"]

FeatureRisk = Literal["exposure", "volatility", "drawdown"]


class SelectivelyNeutralizedRegressor(EraMetaRegressor):
    """A model that is neutralized in each era to the riskiest features, which are found in training.

    Parameters
    ----------
    estimator : regressor
        The model; it is cloned and fitted.
    risk : {"exposure", "volatility", "drawdown"}, default="exposure"
        What makes a feature risky. "exposure": the mean, over eras, of the model's absolute exposure to it in training.
        "volatility": the standard deviation of the feature's own CORR over eras. "drawdown": the deepest fall of its
        cumulative CORR in the last `window` eras, a feature that pays backwards in the mean being turned round first.
    share : float in (0, 1], default=0.1
        Share of the features that are neutralized to, one at least.
    window : int, default=52
        Eras that are recent, for "drawdown".
    proportion : float in [0, 1], default=1.0
        Share of what those features explain that is taken away.
    gaussianize : bool, default=True
        As in `NeutralizedRegressor`.

    Attributes
    ----------
    estimator_ : regressor
        The fitted model.
    risk_ : ndarray of shape (n_features,), dtype=float64
        Risk of each feature; NaN for one that is constant in all eras.
    features_ : ndarray of shape (n_chosen,), dtype=intp
        Columns that are neutralized to, the riskiest first; of equals the first.

    Notes
    -----
    NaN policy: refuse. Cost: the model's; "exposure" one product an era, the others one sort a feature and era.
    In one era alone no feature has volatility or drawdown. Rows without `eras` are one era.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> X, y = [[0, 1], [1, 3], [2, 0], [3, 2]], [0.0, 0.3, 0.7, 1.0]
    >>> SelectivelyNeutralizedRegressor(Ridge(), share=0.5).fit(X, y).features_
    array([0])
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        risk: FeatureRisk = "exposure",
        share: float = 0.1,
        window: int = 52,
        proportion: float = 1.0,
        gaussianize: bool = True,
    ) -> None:
        self.estimator = estimator
        self.risk = risk
        self.share = share
        self.window = window
        self.proportion = proportion
        self.gaussianize = gaussianize

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, eras: npt.ArrayLike | None = None) -> Self:
        """Fit the model and find the riskiest features.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Finite features.
        y : array-like of shape (n_rows,)
            Finite target.
        eras : array-like of shape (n_rows,), optional
            Era of each row; without it all rows are one.

        Returns
        -------
        SelectivelyNeutralizedRegressor

        Raises
        ------
        RangeError
            If a parameter lies outside its range.
        DistortionError
            If a target has such heavy tails that CORR is not defined; rank it first.
        """
        self._check_parameters()
        matrix, target = self._training(X, y)
        _, rows_of = eras_of(eras, len(matrix))
        self._fit_inner(X, y, eras)
        if self.risk == "exposure":
            self.risk_ = _mean_exposures(matrix, self._inner_predictions(X, eras), rows_of)
        else:
            scores = feature_corr(matrix, target, rows_of)
            self.risk_ = _volatilities(scores) if self.risk == "volatility" else _drawdowns(scores, self.window)
        n_chosen = math.ceil(self.share * len(self.risk_))
        self.features_ = np.argsort(-np.nan_to_num(self.risk_, nan=-np.inf), kind="stable")[:n_chosen]
        return self

    def predict(self, X: npt.ArrayLike, eras: npt.ArrayLike | None = None) -> FloatArray:
        """Predict, and neutralize each era to the riskiest features.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Finite features.
        eras : array-like of shape (n_rows,), optional
            Era of each row; without it all rows are one.

        Returns
        -------
        ndarray of shape (n_rows,), dtype=float64
        """
        matrix = self._fitted_rows(X)[:, self.features_]
        out = self._inner_predictions(X, eras)
        for rows in eras_of(eras, len(matrix))[1]:
            out[rows] = neutralized(out[rows], matrix[rows], self.proportion, gaussian=self.gaussianize)
        return out

    def _check_parameters(self) -> None:
        if self.risk not in get_args(FeatureRisk):
            raise RangeError(f"risk is {self.risk!r}; it must be one of {', '.join(get_args(FeatureRisk))}")
        if not 0.0 < self.share <= 1.0:
            raise RangeError(f"share is {self.share}; it must be above 0 and not above 1")
        checks.in_range(self.proportion, 0.0, 1.0, "proportion")
        if self.window < 1:
            raise RangeError(f"window is {self.window}; it is a number of eras, 1 or more")


def _mean_exposures(matrix: Numbers, predictions: FloatArray, rows_of: list[Rows]) -> FloatArray:
    found = np.stack([np.abs(feature_exposures(matrix[rows], predictions[rows, None])[:, 0]) for rows in rows_of])
    counts = (~np.isnan(found)).sum(axis=0)
    sums = np.nan_to_num(found).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(1, counts), np.nan)


def _volatilities(scores: FloatArray) -> FloatArray:
    return np.array([summarize(column).std for column in scores.T])


def _drawdowns(scores: FloatArray, window: int) -> FloatArray:
    signs = [-1.0 if summarize(column).mean < 0 else 1.0 for column in scores.T]
    return np.array([max_drawdown(column) for column in (scores * signs)[-window:].T])
