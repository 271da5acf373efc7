"""Neutralization of a model's predictions, era by era, as part of the model."""

from collections.abc import Sequence
from typing import Self

import numpy.typing as npt
from sklearn.base import BaseEstimator

from crowdalpha.client.estimators._base import EraMetaRegressor, Numbers, eras_of, neutralized, signal_of
from crowdalpha.client.estimators.search import smallest_proportion
from crowdalpha.scoring import FloatArray, RangeError, checks

__all__ = ["ExposureLimitedRegressor", "NeutralizedRegressor"]


class NeutralizedRegressor(EraMetaRegressor):
    """A model whose predictions are neutralized to features, fully or in part, in each era.

    Parameters
    ----------
    estimator : regressor
        The model; it is cloned and fitted. A fitted one stays as it is in `sklearn.frozen.FrozenEstimator`.
    proportion : float in [0, 1], default=1.0
        Share of what the features explain that is taken away.
    features : sequence of int or str, optional
        Columns of `X` to neutralize to, by position or name; default: all.
    gaussianize : bool, default=True
        Neutralize the normal quantiles of the ranks, as FNC does, and not the predictions as they are. Predictions of
        a linear model are wholly explained by its own features; their ranks are not.

    Attributes
    ----------
    estimator_ : regressor
        The fitted model.
    features_ : ndarray of shape (n_chosen,), dtype=intp
        Columns that are neutralized to.

    Notes
    -----
    NaN policy: refuse. Cost: the model's, and one neutralization an era.
    Predictions depend on all rows of an era: rows without `eras` are one era, as in a live round. An era whose
    predictions are constant, or explained whole, is predicted constant.
    `eras` reach the model if its `fit` (or `predict`) takes them; with metadata routing on, if it requests them.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> X, y = [[0, 1], [1, 3], [2, 0], [3, 2]], [0.0, 1.0, 0.0, 1.0]
    >>> model = NeutralizedRegressor(DecisionTreeRegressor(random_state=0), features=[0], gaussianize=False)
    >>> model.fit(X, y).predict(X).round(3).tolist()
    [-0.2, 0.6, -0.6, 0.2]
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        proportion: float = 1.0,
        features: Sequence[int | str] | None = None,
        gaussianize: bool = True,
    ) -> None:
        self.estimator = estimator
        self.proportion = proportion
        self.features = features
        self.gaussianize = gaussianize

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, eras: npt.ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Finite features.
        y : array-like of shape (n_rows,)
            Finite target.
        eras : array-like of shape (n_rows,), optional
            Era of each row, for a model that takes them.

        Returns
        -------
        NeutralizedRegressor

        Raises
        ------
        RangeError
            If `proportion` lies outside [0, 1].
        DataRequestError
            If `X` has no such feature.
        """
        checks.in_range(self.proportion, 0.0, 1.0, "proportion")
        self._training(X, y)
        self.features_ = self._columns(self.features)
        self._fit_inner(X, y, eras)
        return self

    def predict(self, X: npt.ArrayLike, eras: npt.ArrayLike | None = None) -> FloatArray:
        """Predict, and neutralize each era.

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


class ExposureLimitedRegressor(EraMetaRegressor):
    """A model that is neutralized in each era by as little as brings its largest exposure under a limit.

    Parameters
    ----------
    estimator : regressor
        The model; it is cloned and fitted.
    limit : float in [0, 1], default=0.1
        Largest absolute exposure allowed.
    features : sequence of int or str, optional
        Columns of `X` whose exposure is limited and that are neutralized to; default: all.
    gaussianize : bool, default=True
        As in `NeutralizedRegressor`; the exposure that is limited is that of what `predict` returns.

    Attributes
    ----------
    estimator_ : regressor
        The fitted model.
    features_ : ndarray of shape (n_chosen,), dtype=intp
        Columns that are neutralized to.

    Notes
    -----
    NaN policy: refuse. Cost: the model's, and two neutralizations an era. Rows without `eras` are one era.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> X, y = [[0, 1], [1, 3], [2, 0], [3, 2]], [0.0, 1.0, 0.0, 1.0]
    >>> model = ExposureLimitedRegressor(DecisionTreeRegressor(random_state=0), limit=0.2, features=[1]).fit(X, y)
    >>> from crowdalpha.scoring import max_feature_exposure
    >>> max_feature_exposure([[1], [3], [0], [2]], model.predict(X)[:, None]).round(6)
    array([0.2])
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        limit: float = 0.1,
        features: Sequence[int | str] | None = None,
        gaussianize: bool = True,
    ) -> None:
        self.estimator = estimator
        self.limit = limit
        self.features = features
        self.gaussianize = gaussianize

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, eras: npt.ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Finite features.
        y : array-like of shape (n_rows,)
            Finite target.
        eras : array-like of shape (n_rows,), optional
            Era of each row, for a model that takes them.

        Returns
        -------
        ExposureLimitedRegressor

        Raises
        ------
        RangeError
            If `limit` lies outside [0, 1].
        DataRequestError
            If `X` has no such feature.
        """
        checks.in_range(self.limit, 0.0, 1.0, "limit")
        self._training(X, y)
        self.features_ = self._columns(self.features)
        self._fit_inner(X, y, eras)
        return self

    def predict(self, X: npt.ArrayLike, eras: npt.ArrayLike | None = None) -> FloatArray:
        """Predict, and neutralize each era as far as it needs.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Finite features.
        eras : array-like of shape (n_rows,), optional
            Era of each row; without it all rows are one.

        Returns
        -------
        ndarray of shape (n_rows,), dtype=float64

        Raises
        ------
        RangeError
            If the features explain the predictions of an era whole, so that the limit cannot be reached.
        """
        matrix = self._fitted_rows(X)[:, self.features_]
        out = self._inner_predictions(X, eras)
        labels, rows_of = eras_of(eras, len(matrix))
        for era, rows in zip(labels, rows_of, strict=True):
            proportion = self._proportion(out[rows], matrix[rows], str(era))
            out[rows] = neutralized(out[rows], matrix[rows], proportion, gaussian=self.gaussianize)
        return out

    def _proportion(self, predictions: FloatArray, features: Numbers, era: str) -> float:
        signal = signal_of(predictions, gaussian=self.gaussianize)
        if signal.max() == signal.min() or (features.max(axis=0) == features.min(axis=0)).all():
            return 0.0
        try:
            return smallest_proportion(signal, features, limit=self.limit)
        except RangeError as error:
            raise RangeError(f"era {era}: {error}") from error
