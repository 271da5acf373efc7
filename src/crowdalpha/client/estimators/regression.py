"""Training that leaves features out: least squares with an L1 penalty, every era counted the same."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import lasso_path

from crowdalpha.client.estimators._base import EraRegressor, Numbers, Rows, eras_of, weighted_sum
from crowdalpha.client.estimators.splits import era_folds
from crowdalpha.scoring import FloatArray, IndexArray, RangeError, center, corr

__all__ = ["EraLasso"]

# Directions in which the features vary less than this share of the most varied one are rounding noise.
LEAST_VARIANCE = 1e-12


class EraLasso(EraRegressor):
    """Linear regression with an L1 penalty on eras that all weigh the same.

    Features and target are centred in each era, so that only differences within an era are learnt; features are
    scaled by their standard deviation within eras. Predictions are linear in the row alone and need no eras.

    Parameters
    ----------
    penalty : float in (0, 1] or None, default=0.1
        Share of the least penalty that leaves no feature at all: 1 is that one, a smaller one keeps more features.
        None chooses it by cross-validation over blocks of eras: the one with the highest mean CORR.
    n_penalties : int, default=20
        How many are tried, spaced evenly in their logarithm from 1 down to `smallest_penalty`.
    smallest_penalty : float in (0, 1), default=0.01
        The last one tried.
    n_splits, purge : int, default=5, 0
        Blocks of eras, and eras left out next to a block, as in `PurgedEraKFold`.
    max_iter : int, default=1000
        Passes over the features that the solver may take.
    tol : float, default=1e-4
        Its tolerance, as in `sklearn.linear_model.Lasso`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), dtype=float64
        Weight of each feature in its own unit.
    intercept_ : float
        So that the mean prediction is the mean target.
    penalty_ : float
        The penalty used.
    penalties_, cv_corr_ : ndarray of shape (n_penalties,), dtype=float64
        What was tried, and its mean CORR over held-out eras; only with `penalty=None`.
    n_iter_ : int
        Passes that the solver took.

    Notes
    -----
    NaN policy: refuse. Cost: one product of the features with themselves an era, one more sum a block, and a lasso of
    n_features by n_features: memory does not grow with the number of eras. Features whose scale differs from era to
    era: put `EraStandardizer` in front.

    Examples
    --------
    >>> model = EraLasso(penalty=0.5).fit([[0, 1], [1, 0], [2, 1], [5, 6], [6, 5], [7, 6]], [1, 2, 3, 7, 8, 9])
    >>> model.predict([[0, 0], [1, 0]]).shape
    (2,)
    """

    def __init__(
        self,
        *,
        penalty: float | None = 0.1,
        n_penalties: int = 20,
        smallest_penalty: float = 0.01,
        n_splits: int = 5,
        purge: int = 0,
        max_iter: int = 1000,
        tol: float = 1e-4,
    ) -> None:
        self.penalty = penalty
        self.n_penalties = n_penalties
        self.smallest_penalty = smallest_penalty
        self.n_splits = n_splits
        self.purge = purge
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, eras: npt.ArrayLike | None = None) -> Self:
        """Learn the weights.

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
        EraLasso

        Raises
        ------
        RangeError
            If a penalty lies outside its range.
        DataRequestError
            If there are too few eras to cross-validate.
        """
        for name, value in (("penalty", self.penalty), ("smallest_penalty", self.smallest_penalty)):
            if value is not None and not 0.0 < value <= 1.0:
                raise RangeError(f"{name} is {value}; it must be above 0 and not above 1")
        matrix, target = self._training(X, y)
        _, rows_of = eras_of(eras, len(matrix))
        folds = [] if self.penalty is not None else era_folds(len(rows_of), n_splits=self.n_splits, purge=self.purge)
        parts = [*(train for train, _ in folds), np.arange(len(rows_of))]
        *trained, moments = _moments(matrix, target, rows_of, parts)
        if self.penalty is None:
            self.penalties_ = np.geomspace(1.0, self.smallest_penalty, self.n_penalties)
            held_out = [[rows_of[era] for era in eras] for _, eras in folds]
            self.cv_corr_ = self._scores(matrix, target, trained, held_out)
        penalty = self.penalties_[np.argmax(self.cv_corr_)] if self.penalty is None else self.penalty
        path, self.n_iter_ = moments.path([penalty], max_iter=self.max_iter, tol=self.tol)
        self.penalty_ = float(penalty)
        self.coef_ = path[:, 0]
        self.intercept_ = float(moments.mean_target - moments.means @ self.coef_)
        return self

    def predict(self, X: npt.ArrayLike) -> FloatArray:
        """Predict rows, each by itself.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Finite features.

        Returns
        -------
        ndarray of shape (n_rows,), dtype=float64
        """
        return weighted_sum(self._fitted_rows(X), self.coef_) + self.intercept_

    def _scores(
        self, matrix: Numbers, target: FloatArray, trained: list["_Moments"], held_out: list[list[Rows]]
    ) -> FloatArray:
        """Mean CORR of each penalty over the eras held out."""
        scores = []
        for moments, rows_of in zip(trained, held_out, strict=True):
            path, _ = moments.path(self.penalties_, max_iter=self.max_iter, tol=self.tol)
            scores += [corr(matrix[rows] @ path, target[rows]) for rows in rows_of]
        # a model without features says nothing: neither good nor bad
        mean: FloatArray = np.nan_to_num(np.stack(scores)).mean(axis=0)
        return mean


@dataclass(frozen=True, eq=False)
class _Moments:
    """Means over eras of what a linear regression needs to know of them."""

    gram: FloatArray
    products: FloatArray
    means: FloatArray
    mean_target: float

    def path(self, penalties: npt.ArrayLike, *, max_iter: int, tol: float) -> tuple[FloatArray, int]:
        """Weights in the features' own unit, one penalty a column, and passes of the last."""
        variances = np.diagonal(self.gram)
        scales = np.where(variances > 0, np.sqrt(variances), 1.0)
        products = self.products / scales
        largest = np.abs(products).max()
        if largest == 0:
            return np.zeros((len(products), np.size(penalties))), 1
        # rows with the same products as all rows have: as many as features, whatever the number of eras
        values, vectors = np.linalg.eigh(self.gram / np.outer(scales, scales))
        kept = values > LEAST_VARIANCE * values[-1]
        roots = np.sqrt(values[kept] * kept.sum())
        design = roots[:, None] * vectors[:, kept].T
        wanted = (products @ vectors[:, kept]) * kept.sum() / roots
        _, weights, _, passes = lasso_path(
            design, wanted, alphas=np.asarray(penalties) * largest, max_iter=max_iter, tol=tol, return_n_iter=True
        )
        return weights / scales[:, None], int(passes[-1])


def _moments(matrix: Numbers, target: FloatArray, rows_of: list[Rows], parts: list[IndexArray]) -> list[_Moments]:
    """Moments of each part, given as positions of eras, in one pass over all eras."""
    n_features = matrix.shape[1]
    grams = np.zeros((len(parts), n_features, n_features))
    products, means, mean_target = (
        np.zeros((len(parts), n_features)),
        np.zeros((len(parts), n_features)),
        np.zeros(len(parts)),
    )
    for era, rows in enumerate(rows_of):
        part, wanted = matrix[rows].astype(np.float64), target[rows]
        centred = center(part)
        gram = centred.T @ centred / len(part)
        for which, eras in enumerate(parts):
            if era in eras:
                grams[which] += gram / len(eras)
                products[which] += (wanted - wanted.mean()) @ centred / len(part) / len(eras)
                means[which] += part.mean(axis=0) / len(eras)
                mean_target[which] += wanted.mean() / len(eras)
    return [_Moments(*each) for each in zip(grams, products, means, mean_target, strict=True)]
