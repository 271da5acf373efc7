"""The program in the form that both solvers read: separable terms, and the rows that couple the assets."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from crowdalpha.portfolio.separable import Separable
from crowdalpha.scoring.arrays import FloatArray

__all__ = ["Duals", "Program"]


def _none() -> FloatArray:
    return np.zeros(0)


@dataclass(frozen=True)
class Duals:
    """Prices of the coupling rows, in units of the objective per unit of weight; a warm start for the next solve.

    Attributes
    ----------
    factors : ndarray of shape (n_factors,)
        Of the risk factors, in the coordinates in which their covariance is the identity.
    neutral : ndarray of shape (n_rows,)
        Of the exact rows; not unique where rows are linearly dependent.
    banded : ndarray of shape (n_bands,)
        Of the banded exposures, the net weight last if it is limited; above zero at the upper end.
    gross, turnover : float
        Of the two sums, at least 0.
    """

    factors: FloatArray = field(default_factory=_none)
    neutral: FloatArray = field(default_factory=_none)
    banded: FloatArray = field(default_factory=_none)
    gross: float = 0.0
    turnover: float = 0.0


@dataclass(frozen=True)
class Program:
    """Minimise `terms.cost(w) - alpha'w + |factors'w + held|^2 / 2` within linear rows and two sums.

    Attributes
    ----------
    terms : Separable
        Costs and bounds of each asset.
    rows : ndarray of shape (n, n_factors + n_equal + n_banded)
        Factors, exact rows and banded rows, side by side.
    held : ndarray of shape (n_factors,)
        Factor exposures of what is not decided on.
    equal_to : ndarray of shape (n_equal,)
        Right-hand sides of the exact rows.
    low, high : ndarray of shape (n_banded,)
        Finite ends of the bands.
    gross, turnover : float
        Limits of the sums of absolute weights and trades; infinite for none.
    """

    terms: Separable
    rows: FloatArray
    held: FloatArray
    equal_to: FloatArray
    low: FloatArray
    high: FloatArray
    gross: float
    turnover: float

    @property
    def n_factors(self) -> int:
        """Number of factor rows."""
        return len(self.held)

    @property
    def factor_rows(self) -> slice:
        """Where the factors are."""
        return slice(0, len(self.held))

    @property
    def equal_rows(self) -> slice:
        """Where the exact rows are."""
        return slice(len(self.held), len(self.held) + len(self.equal_to))

    @property
    def banded_rows(self) -> slice:
        """Where the banded rows are."""
        return slice(len(self.held) + len(self.equal_to), self.rows.shape[1])

    @cached_property
    def reach(self) -> FloatArray:
        """Largest absolute weight of each asset."""
        terms = self.terms
        return np.minimum(np.maximum(np.abs(terms.lower), np.abs(terms.upper)), max(self.gross, 0.0))

    @cached_property
    def largest_charge(self) -> float:
        """Bound on the costs and the charge for risk of any weights within their bounds; infinite without bounds."""
        terms, reach = self.terms, self.reach
        if np.isinf(reach).any():
            return np.inf
        size = reach + np.abs(terms.before)
        exposures = reach @ np.abs(self.rows[:, self.factor_rows]) + np.abs(self.held)
        own = terms.curvature @ (reach * reach) / 2 + terms.borrow @ reach
        return float(own + terms.linear @ size + terms.impact @ size**1.5 + exposures @ exposures / 2)

    @cached_property
    def all_moving(self) -> FloatArray:
        """Diagonal of the dual's Hessian if every asset moved: the metric in which Newton is damped."""
        inverse = 1.0 / self.terms.curvature
        diagonal = np.empty(self.rows.shape[1] + 2)
        diagonal[:-2] = inverse @ (self.rows * self.rows)
        diagonal[self.factor_rows] += 1.0
        diagonal[-2:] = inverse.sum()
        return np.maximum(diagonal, np.finfo(np.float64).tiny)

    def loss(self, weights: FloatArray, alpha: FloatArray) -> float:
        """Value that is minimised."""
        held = np.flatnonzero(weights)
        exposures = weights[held] @ self.rows[held, self.factor_rows] + self.held
        return self.terms.cost(weights) - float(alpha @ weights) + float(exposures @ exposures) / 2

    def duals_of(self, prices: FloatArray) -> Duals:
        """Name the entries of a price vector `(rows, gross, turnover)`."""
        return Duals(
            factors=prices[self.factor_rows],
            neutral=prices[self.equal_rows],
            banded=prices[self.banded_rows],
            gross=float(prices[-2]),
            turnover=float(prices[-1]),
        )

    def prices_of(self, duals: Duals | None) -> FloatArray:
        """Turn duals back into a price vector; zeros where they belong to a program of another shape."""
        prices = np.zeros(self.rows.shape[1] + 2)
        if duals is None:
            return prices
        places = (
            (self.factor_rows, duals.factors),
            (self.equal_rows, duals.neutral),
            (self.banded_rows, duals.banded),
        )
        for place, values in places:
            if place.stop - place.start == len(values):
                prices[place] = values
        prices[-2] = duals.gross if np.isfinite(self.gross) else 0.0
        prices[-1] = duals.turnover if np.isfinite(self.turnover) else 0.0
        return prices
