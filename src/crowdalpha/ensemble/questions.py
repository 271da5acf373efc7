"""A meta model that can be questioned: who carries it, and what it would be without them or with other stakes.

A question changes the weights of a few models. Only those are cleaned and added or taken away again; the rest of the
sum stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from crowdalpha.ensemble.caps import account_totals
from crowdalpha.ensemble.checks import UnknownModelError, stake_values
from crowdalpha.ensemble.concentration import effective_number, top_share
from crowdalpha.ensemble.meta_model import clean_predictions, meta_model
from crowdalpha.scoring import pearson
from crowdalpha.scoring.arrays import FloatArray, IndexArray
from crowdalpha.scoring.checks import RangeError, ShapeError, matrix

__all__ = ["Concentration", "MetaModel"]

BLOCK_MODELS = 128
"""Models cleaned at once."""


@dataclass(frozen=True)
class Concentration:
    """Who carries a meta model; NaN where nobody has weight.

    Attributes
    ----------
    models, accounts : float
        Effective numbers: the inverse of the Herfindahl-Hirschman index.
    largest_model, largest_account, ten_largest_accounts : float
        Shares of the weight.
    """

    models: float
    accounts: float
    largest_model: float
    largest_account: float
    ten_largest_accounts: float


class MetaModel:
    """The meta model of a round, with its parts at hand.

    Parameters
    ----------
    predictions : ndarray of shape (n_assets, n_models), dtype=float64
        Predictions on the live universe, NaN where an id was not submitted; kept, not copied.
    weights : ndarray of shape (n_models,), dtype=float64
        Weights that count in the end, in any one unit: stakes, or what a method and the caps made of them.
    accounts : sequence of str, length n_models
        Account of each model.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    EmptySubmissionError
        If a column has no submitted id.
    NonFiniteError
        If a prediction is infinite or a weight is not finite.
    RangeError
        If a weight is negative.

    Notes
    -----
    NaN policy: omit. Cost: that of `meta_model`, once; a question costs the models that it is about.

    Examples
    --------
    >>> predictions = np.array([[0.1, 9.0], [0.7, 5.0]])
    >>> meta = MetaModel(predictions, np.array([1.0, 3.0]), ["ann", "bob"])
    >>> meta.values.round(4), meta.without("bob").round(4)
    (array([ 0.3372, -0.3372]), array([-0.6745,  0.6745]))
    """

    def __init__(self, predictions: FloatArray, weights: FloatArray, accounts: Sequence[str]) -> None:
        self._predictions = matrix(predictions, "predictions")
        self._weights = stake_values(weights, n_models=self._predictions.shape[1])
        if len(accounts) != len(self._weights):
            raise ShapeError(f"accounts has {len(accounts)} names for {len(self._weights)} models")
        self._accounts = np.asarray(accounts, dtype=np.str_)
        self._values = meta_model(self._predictions, self._weights)

    @property
    def values(self) -> FloatArray:
        """The meta model, shape (n_assets,); NaN everywhere if nobody has weight."""
        return self._values.copy()

    def concentration(self) -> Concentration:
        """Say who carries it.

        Returns
        -------
        Concentration
            Effective numbers and shares, of models and of accounts.

        Notes
        -----
        NaN policy: refuse. Cost: O(n_models log n_models).
        """
        totals = np.array(list(account_totals(self._weights, self._accounts.tolist()).values()))
        return Concentration(
            models=effective_number(self._weights),
            accounts=effective_number(totals),
            largest_model=top_share(self._weights, 1),
            largest_account=top_share(totals, 1),
            ten_largest_accounts=top_share(totals, 10),
        )

    def without(self, account: str) -> FloatArray:
        """Rebuild the meta model without the models of an account; the others keep their proportions.

        Parameters
        ----------
        account : str
            Whose models go.

        Returns
        -------
        ndarray of shape (n_assets,), dtype=float64
            The meta model; NaN everywhere if nobody else has weight.

        Raises
        ------
        UnknownModelError
            If the account has no model.

        Notes
        -----
        NaN policy: omit. Cost: O(n_assets log n_assets) per model of the account.
        """
        theirs = np.flatnonzero(self._accounts == account)
        if not theirs.size:
            raise UnknownModelError(f"account {account!r} has no model among the {len(self._accounts)} of the round")
        return self._moved(theirs, np.zeros(len(theirs)))

    def with_weights(self, changes: Mapping[int, float]) -> FloatArray:
        """Rebuild the meta model with other weights for a few models.

        Parameters
        ----------
        changes : mapping of int to float
            New weight by column, in the unit of the weights; a cap or a blend is for the caller to apply.

        Returns
        -------
        ndarray of shape (n_assets,), dtype=float64
            The meta model; NaN everywhere if nobody has weight.

        Raises
        ------
        UnknownModelError
            If there is no such column.
        NonFiniteError
            If a new weight is not finite.
        RangeError
            If a new weight is negative.

        Notes
        -----
        NaN policy: omit. Cost: O(n_assets log n_assets) per model that changes.
        """
        if not changes:
            return self.values
        for place in changes:
            if not 0 <= place < len(self._weights):
                raise UnknownModelError(f"there is no model at column {place}; the round has {len(self._weights)}")
        places = np.array(list(changes), dtype=np.intp)
        return self._moved(places, stake_values(list(changes.values())))

    def cluster_contributions(self, labels: NDArray[np.int64]) -> FloatArray:
        """Split the meta model's variance over clusters of models.

        Parameters
        ----------
        labels : ndarray of shape (n_models,), dtype=int64
            Cluster of each model, from 0.

        Returns
        -------
        ndarray of shape (n_clusters, 3), dtype=float64
            Share of the weight; share of the variance, which adds up to 1 and may be below 0; and correlation of the
            meta model with itself without the cluster. NaN where nobody has weight or nothing varies.

        Raises
        ------
        ShapeError
            If there is not one label a model.
        RangeError
            If a label is below 0.

        Notes
        -----
        NaN policy: omit. Cost: O(n_assets log n_assets) per model, 128 models in memory at a time.
        """
        if labels.shape != self._weights.shape:
            raise ShapeError(f"labels has shape {labels.shape}; give one to each of the {len(self._weights)} models")
        if labels.min() < 0:
            raise RangeError(f"labels is {labels.min()} at row {int(labels.argmin())}; clusters count from 0")
        count, total = int(labels.max()) + 1, float(self._weights.sum())
        found = np.full((count, 3), np.nan)
        if total == 0:
            return found
        parts = np.zeros((len(self._values), count))
        for start in range(0, len(labels), BLOCK_MODELS):
            block = np.arange(start, min(start + BLOCK_MODELS, len(labels)))
            loads = np.eye(count)[labels[block]] * self._weights[block, None]
            parts += clean_predictions(self._predictions[:, block]) @ loads
        whole = parts.sum(axis=1)
        found[:, 0] = np.bincount(labels, weights=self._weights, minlength=count) / total
        variance = whole.var()
        if variance > 0:
            found[:, 1] = (whole - whole.mean()) @ parts / len(whole) / variance
            others = whole[:, None] - parts
            # What is left of a meta model that was one cluster alone is rounding.
            alone = others.std(axis=0) <= 1e-12 * whole.std()
            found[:, 2] = np.where(alone, np.nan, pearson(np.where(alone, 0.0, others), whole))
        return found

    def _moved(self, places: IndexArray, weights: npt.NDArray[np.float64]) -> FloatArray:
        """Add what changes to the sum; a fresh sum where almost all of it goes, which no difference could give."""
        before = self._weights[places]
        total, moved = float(self._weights.sum()), float((weights - before).sum())
        if total + moved <= total * np.sqrt(np.finfo(np.float64).eps):
            fresh = self._weights.copy()
            fresh[places] = weights
            return meta_model(self._predictions, fresh)
        change = np.zeros(len(self._values))
        for start in range(0, len(places), BLOCK_MODELS):
            part = slice(start, start + BLOCK_MODELS)
            signals = clean_predictions(self._predictions[:, places[part]])
            change += signals @ (weights[part] - before[part])
        base = self._values * total if total > 0 else np.zeros(len(self._values))
        return (base + change) / (total + moved)
