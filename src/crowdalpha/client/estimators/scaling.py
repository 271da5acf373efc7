"""Features on one scale in every era."""

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from crowdalpha.client.estimators._base import eras_of
from crowdalpha.scoring import FloatArray, standardize

__all__ = ["EraStandardizer"]


class EraStandardizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Give every feature mean 0 and standard deviation 1 in each era.

    Nothing is learnt: an era is standardised by its own rows.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_rows * n_features). A feature that is constant in an era becomes 0 there.

    Examples
    --------
    >>> EraStandardizer().fit_transform([[1.0], [3.0], [10.0], [30.0]], eras=[1, 1, 2, 2]).ravel()
    array([-1.,  1., -1.,  1.])
    """

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike | None = None,  # noqa: ARG002  # scikit-learn gives every step a target
        eras: npt.ArrayLike | None = None,  # noqa: ARG002  # so that a pipeline may give eras to all of its steps
    ) -> Self:
        """Look at the names and the number of the columns.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Finite features.
        y : array-like, optional
            Not looked at.
        eras : array-like of shape (n_rows,), optional
            Not looked at; `transform` takes them again.

        Returns
        -------
        EraStandardizer
        """
        validate_data(self, X)
        return self

    def fit_transform(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike | None = None,
        eras: npt.ArrayLike | None = None,
    ) -> FloatArray:
        """Standardise each era.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Finite features.
        y : array-like, optional
            Not looked at.
        eras : array-like of shape (n_rows,), optional
            Era of each row; without it all rows are one.

        Returns
        -------
        ndarray of shape (n_rows, n_features), dtype=float64
        """
        return self.fit(X, y).transform(X, eras)

    def transform(self, X: npt.ArrayLike, eras: npt.ArrayLike | None = None) -> FloatArray:
        """Standardise each era.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Finite features.
        eras : array-like of shape (n_rows,), optional
            Era of each row; without it all rows are one.

        Returns
        -------
        ndarray of shape (n_rows, n_features), dtype=float64
        """
        check_is_fitted(self)
        matrix = validate_data(self, X, dtype="numeric", reset=False)
        out = np.zeros(matrix.shape)
        for rows in eras_of(eras, len(matrix))[1]:
            part = matrix[rows].astype(np.float64)
            varies = part.max(axis=0) > part.min(axis=0)
            columns = np.zeros_like(part)
            columns[:, varies] = standardize(part[:, varies])
            out[rows] = columns
        return out
