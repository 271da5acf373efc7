"""True Contribution: how much the realised return of the optimised book moves with each model's stake.

The chain: every model is ranked, gaussianised and standardised; stakes average them; the average is z-scored and
becomes expected returns (skill times volatility times score); the optimiser turns those into weights; weights earn
realised returns. Each link has a derivative in closed form, and run backwards the whole gradient is one product with
the optimiser's symmetric derivative and one product with the matrix of signals, for any number of models.

The published figure is taken on a reference book (from cash, settings in the rulebook), averaged over random halves of
the stakes with a published seed: a single gradient jumps when one asset crosses a kink, the average does not.
"""

from dataclasses import dataclass, field
from math import sqrt

import numpy as np
import numpy.typing as npt

from crowdalpha.portfolio.checks import per_asset
from crowdalpha.portfolio.optimizer import Optimizer, prepare_optimizer
from crowdalpha.portfolio.problem import Constraints, OptimizerSettings, TradeCosts
from crowdalpha.portfolio.risk import FactorRisk
from crowdalpha.portfolio.sensitivity import Sensitivity, sensitivity
from crowdalpha.scoring import gaussianize
from crowdalpha.scoring.arrays import FloatArray, model_blocks
from crowdalpha.scoring.checks import ConstantError, NonFiniteError, RangeError, ShapeError, finite, matrix

__all__ = [
    "ContributionRound",
    "DropoutContribution",
    "ReferenceBook",
    "dropout_contribution",
    "prepare_contribution",
    "standard_signals",
    "true_contribution",
]


@dataclass(frozen=True, kw_only=True)
class ReferenceBook:
    """The book on which contributions are measured; its settings belong into the rulebook.

    Attributes
    ----------
    risk : FactorRisk
        Over the horizon of the returns.
    volatility : ndarray of shape (n_assets,)
        Of residual returns over the same horizon: expected returns are proportional to it.
    information_coefficient : float, default=0.03
        Skill that the optimiser assumes.
    constraints : Constraints
        What is allowed; the published figure has no turnover and no trade limit.
    costs : TradeCosts
        What trading costs.
    settings : OptimizerSettings
        Risk aversion and tolerances.
    previous : ndarray of shape (n_assets,), optional
        Where the book starts: cash by default, as published; the live book for a diagnostic.
    """

    risk: FactorRisk
    volatility: FloatArray
    information_coefficient: float = 0.03
    constraints: Constraints = field(default_factory=Constraints)
    costs: TradeCosts = field(default_factory=TradeCosts)
    settings: OptimizerSettings = field(default_factory=OptimizerSettings)
    previous: FloatArray | None = None

    def optimizer(self) -> Optimizer:
        """Prepare its optimiser.

        Returns
        -------
        Optimizer
            For any expected returns.

        Raises
        ------
        ShapeError, NonFiniteError, RangeError
            As `prepare_optimizer`.

        Notes
        -----
        NaN policy: refuse. Cost: O(n_assets * n_factors**2).
        """
        return prepare_optimizer(self.risk, self.constraints, self.previous, costs=self.costs, settings=self.settings)

    def scale(self) -> FloatArray:
        """Give the expected return per unit of score, for each asset."""
        n_assets = len(self.risk.specific_variance)
        if not -1 <= self.information_coefficient <= 1:
            raise RangeError(f"information_coefficient is {self.information_coefficient}; it is a correlation")
        volatility = per_asset(self.volatility, "volatility", n_assets=n_assets)
        finite(volatility=volatility)
        return self.information_coefficient * volatility


def standard_signals(predictions: npt.ArrayLike) -> FloatArray:
    """Rank, gaussianise and standardise every model.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Any unit; only ranks within a model matter.

    Returns
    -------
    ndarray of shape (n_assets, n_models), dtype=float64
        Columns with mean 0 and standard deviation 1; all 0 for a model of ties, which says nothing.

    Raises
    ------
    ShapeError
        If it is not a matrix.
    NonFiniteError
        If a prediction is infinite.

    Notes
    -----
    NaN policy: omit; a missing prediction counts as 0, the middle, after ranking. A model without any prediction is a
    model of ties. Cost: one sort a model.

    Examples
    --------
    >>> standard_signals(np.array([[1.0, 5.0], [2.0, 5.0]]))
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    columns = matrix(predictions, "predictions")
    if np.isinf(columns).any():
        row, model = (int(place[0]) for place in np.nonzero(np.isinf(columns)))
        raise NonFiniteError(f"predictions: model {model} is infinite for asset {row}; leave the asset out as NaN")
    result = np.empty(columns.shape)
    for block in model_blocks(*columns.shape):
        signals = gaussianize(columns[:, block])
        missing = np.isnan(signals)
        if missing.any():
            signals[missing] = 0.0
        signals -= signals.mean(axis=0)
        deviation = np.sqrt(np.einsum("ij,ij->j", signals, signals) / len(signals))
        # A column of ties leaves rounding behind; real signals have a deviation near one.
        says = deviation > np.sqrt(np.finfo(np.float64).eps)
        result[:, block] = np.where(says, signals / np.where(says, deviation, 1.0), 0.0)
    return result


@dataclass(frozen=True)
class ContributionRound:
    """A round whose book is solved and differentiated: each new vector of returns costs two products.

    Attributes
    ----------
    signals : ndarray of shape (n_assets, n_models)
        Standardised signals.
    total_stake : float
        Sum of the stakes.
    score : ndarray of shape (n_assets,)
        The z-scored meta model.
    spread : float
        Standard deviation of the meta model before that.
    scale : ndarray of shape (n_assets,)
        Expected return per unit of score.
    book : Sensitivity
        Weights and their derivative.
    free : ndarray of shape (n_assets,), dtype=bool
        Assets that may be held.
    names : tuple of str
        Of the assets, for messages.
    """

    signals: FloatArray
    total_stake: float
    score: FloatArray
    spread: float
    scale: FloatArray
    book: Sensitivity
    free: npt.NDArray[np.bool_]
    names: tuple[str, ...] = ()

    def signal_gradient(self, returns: npt.ArrayLike) -> FloatArray:
        """Differentiate the return of the book with respect to the meta model, per asset.

        Parameters
        ----------
        returns : array-like of shape (n_assets,) or (n_assets, n_days)
            Realised returns.

        Returns
        -------
        ndarray of the same shape, dtype=float64
            Sums to zero, and to zero against the meta model.

        Raises
        ------
        ShapeError
            If there is not one row per asset.
        NonFiniteError
            If an asset that may be held has no return.

        Notes
        -----
        NaN policy: refuse for assets that may be held, omit for the others. Cost: one product with the derivative.
        """
        seen = realised(returns, self.free, self.names)
        return self._backwards(self.book.adjoint(seen))

    def contributions(self, returns: npt.ArrayLike) -> FloatArray:
        """Contributions for one or several vectors of realised returns.

        Parameters
        ----------
        returns : array-like of shape (n_assets,) or (n_assets, n_days)
            Realised returns.

        Returns
        -------
        ndarray of shape (n_models,) or (n_models, n_days), dtype=float64
            Return per unit of stake share; see `true_contribution`.

        Raises
        ------
        ShapeError, NonFiniteError
            As `signal_gradient`.

        Notes
        -----
        NaN policy: as `signal_gradient`. Cost: that, and one product with the signals.
        """
        found: FloatArray = self.signals.T @ self.signal_gradient(returns)
        return found

    def _backwards(self, gradient: FloatArray) -> FloatArray:
        """From expected returns through scale, z-score and mean to the meta model."""
        scored = (self.scale * gradient.T).T
        along = np.multiply.outer(self.score, self.score @ scored) / len(self.score)
        found: FloatArray = (scored - scored.mean(axis=0) - along) / self.spread
        return found


def realised(returns: npt.ArrayLike, free: npt.NDArray[np.bool_], names: tuple[str, ...]) -> FloatArray:
    """Check returns: every asset that may be held needs one; those of the others are set to zero."""
    seen = np.asarray(returns, dtype=np.float64)
    if seen.ndim not in {1, 2} or len(seen) != len(free):
        raise ShapeError(f"returns has shape {seen.shape} for {len(free)} assets; one row an asset, one column a day")
    bad = ~np.isfinite(seen)
    gaps = free & (bad if bad.ndim == 1 else bad.any(axis=1))
    if gaps.any():
        row = int(np.argmax(gaps))
        raise NonFiniteError(
            f"returns: asset {names[row] if names else row} may be held and has no return ({int(gaps.sum())} such); "
            "give a delisting return or 0, or make it untradable"
        )
    return np.where(bad, 0.0, seen) if bad.any() else seen


def prepare_contribution(
    predictions: npt.ArrayLike, stakes: npt.ArrayLike, *, book: ReferenceBook
) -> ContributionRound:
    """Solve the book of a round once; every day's contributions then cost milliseconds.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        As `standard_signals` takes them.
    stakes : array-like of shape (n_models,)
        At least 0, in any one unit; not all 0.
    book : ReferenceBook
        Risk, limits, costs and settings.

    Returns
    -------
    ContributionRound
        Call its `contributions`.

    Raises
    ------
    ShapeError
        If lengths differ.
    NonFiniteError
        If a stake is not finite or a prediction infinite.
    RangeError
        If a stake is negative or all are zero.
    ConstantError
        If the stake-weighted mean is the same for every asset.
    SolverError
        If the book is not certified within its limits.

    Notes
    -----
    NaN policy: omit in predictions, refuse elsewhere. Cost: one sort a model, one optimisation.
    """
    signals = standard_signals(predictions)
    return _round_of(signals, stake_vector(stakes, signals.shape[1]), book, book.optimizer())


def _round_of(signals: FloatArray, stakes: FloatArray, book: ReferenceBook, optimizer: Optimizer) -> ContributionRound:
    scale = book.scale()
    if len(scale) != len(signals):
        raise ShapeError(f"predictions has {len(signals)} rows for {len(scale)} assets of the book; align them first")
    score, spread = z_score(signals @ (stakes / stakes.sum()))
    solved = sensitivity(optimizer, scale * score)
    prepared = optimizer.prepared
    return ContributionRound(
        signals=signals,
        total_stake=float(stakes.sum()),
        score=score,
        spread=spread,
        scale=scale,
        book=solved,
        free=prepared.free,
        names=prepared.constraints.assets,
    )


def stake_vector(stakes: npt.ArrayLike, n_models: int) -> FloatArray:
    """Check stakes: one a model, none negative, not all zero."""
    values = np.asarray(stakes, dtype=np.float64)
    if values.shape != (n_models,):
        raise ShapeError(f"stakes has shape {values.shape} for {n_models} models; one number a model")
    finite(stakes=values)
    if (values < 0).any():
        model = int(np.argmax(values < 0))
        raise RangeError(f"stakes: model {model} has {values[model]}; a stake is at least 0")
    if not values.any():
        raise RangeError("stakes are all 0: there is no stake-weighted book to contribute to")
    return values


def z_score(meta_model: FloatArray) -> tuple[FloatArray, float]:
    """Standardise the average; its spread is needed for the derivative."""
    centred = meta_model - meta_model.mean()
    spread = float(np.sqrt(centred @ centred / len(centred)))
    if spread <= np.finfo(np.float64).eps:
        raise ConstantError("the stake-weighted mean is the same for every asset: nothing to rank, no book to build")
    return centred / spread, spread


def true_contribution(
    predictions: npt.ArrayLike, stakes: npt.ArrayLike, returns: npt.ArrayLike, *, book: ReferenceBook
) -> FloatArray:
    """Differentiate the realised return of the book with respect to every model's stake.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        One model a column, any unit, NaN where an asset was not predicted.
    stakes : array-like of shape (n_models,)
        At least 0, in any one unit; a model with stake 0 gets the derivative to the right.
    returns : array-like of shape (n_assets,)
        Realised over the horizon of the book.
    book : ReferenceBook
        Risk, limits, costs and settings.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        `d(returns' w) / d(stake) * sum(stakes)`: return per unit of stake share. Divide by the sum of the stakes for
        the raw derivative. Their stake-weighted sum is 0; a model of ties gets 0.

    Raises
    ------
    ShapeError
        If lengths differ.
    NonFiniteError
        If a stake, or a return of an asset that may be held, is missing, or a prediction infinite.
    RangeError
        If a stake is negative or all are zero.
    ConstantError
        If the stake-weighted mean is the same for every asset.
    SolverError
        If the book is not certified within its limits.

    Notes
    -----
    NaN policy: omit in predictions, refuse elsewhere. Cost: one sort a model, one optimisation, one product with the
    signals. The average is z-scored and not ranked: exact ranks have no useful derivative.

    References
    ----------
    .. [1] "True Contribution details", forum of Numerai, topic 5128 (2022).
    """
    return prepare_contribution(predictions, stakes, book=book).contributions(returns)


@dataclass(frozen=True)
class DropoutContribution:
    """Contributions averaged over random halves of the stakes.

    Attributes
    ----------
    mean : ndarray of shape (n_models,)
        The figure.
    standard_error : ndarray of shape (n_models,)
        Of the mean, over the draws.
    split_half : float
        Correlation over models between the means of the even and the odd draws.
    seed, n_draws : int
        What reproduces it.
    share : float
        Part of the models that a draw keeps.
    largest_gap : float
        Worst duality gap of the books.
    """

    mean: FloatArray
    standard_error: FloatArray
    split_half: float
    seed: int
    n_draws: int
    share: float
    largest_gap: float


def dropout_contribution(
    predictions: npt.ArrayLike,
    stakes: npt.ArrayLike,
    returns: npt.ArrayLike,
    *,
    book: ReferenceBook,
    seed: int,
    n_draws: int = 100,
    share: float = 0.5,
) -> DropoutContribution:
    """Average contributions over random subsets of the stakes: the published protocol.

    Parameters
    ----------
    predictions, stakes, returns : array-like
        As `true_contribution`.
    book : ReferenceBook
        Risk, limits, costs and settings.
    seed : int
        Of the draws; to be published.
    n_draws : int, default=100
        Books to average over, at least 2.
    share : float in (0, 1], default=0.5
        Chance of a model to keep its stake in a draw.

    Returns
    -------
    DropoutContribution
        Means with their standard errors; the units of `true_contribution`, each draw with its own sum of stakes.

    Raises
    ------
    ShapeError, NonFiniteError, RangeError, ConstantError, SolverError
        As `true_contribution`; RangeError for options out of range.

    Notes
    -----
    NaN policy: as `true_contribution`. Cost: one sort a model, a warm optimisation a draw, two matrix products.
    A model gets a derivative in every draw, also in those that drop its stake. A draw that would keep no stake, which
    happens with a handful of models, keeps all of it.

    References
    ----------
    .. [1] "True Contribution details", forum of Numerai, topic 5128 (2022).
    """
    if n_draws < 2:  # noqa: PLR2004 - halves
        raise RangeError(f"n_draws is {n_draws}; a standard error takes at least 2")
    if not 0 < share <= 1:
        raise RangeError(f"share is {share}; it is a chance above 0 and at most 1")
    signals = standard_signals(predictions)
    weights, optimizer, scale = stake_vector(stakes, signals.shape[1]), book.optimizer(), book.scale()
    if len(scale) != len(signals):
        raise ShapeError(f"predictions has {len(signals)} rows for {len(scale)} assets of the book; align them first")
    seen = realised(returns, optimizer.prepared.free, optimizer.prepared.constraints.assets)
    kept = weights * (np.random.default_rng(seed).random((n_draws, len(weights))) < share)
    kept = np.where(kept.any(axis=1, keepdims=True), kept, weights)
    metas = signals @ (kept / kept.sum(axis=1, keepdims=True)).T
    gradients, gap = _gradients(metas, signals, scale, optimizer, seen)
    each = signals.T @ gradients
    return DropoutContribution(
        mean=each.mean(axis=1),
        standard_error=each.std(axis=1, ddof=1) / sqrt(n_draws),
        split_half=_correlation(each[:, ::2].mean(axis=1), each[:, 1::2].mean(axis=1)),
        seed=seed,
        n_draws=n_draws,
        share=share,
        largest_gap=gap,
    )


def _gradients(
    metas: FloatArray, signals: FloatArray, scale: FloatArray, optimizer: Optimizer, returns: FloatArray
) -> tuple[FloatArray, float]:
    """Solve one book a draw, each from the duals of the one before, and run its return backwards."""
    gradients, gap, start = np.empty(metas.shape), 0.0, None
    for draw in range(metas.shape[1]):
        score, spread = z_score(metas[:, draw])
        solved = sensitivity(optimizer, scale * score, start=start)
        start, gap = solved.duals, max(gap, solved.duality_gap)
        one = ContributionRound(signals, 1.0, score, spread, scale, solved, optimizer.prepared.free)
        gradients[:, draw] = one.signal_gradient(returns)
    return gradients, gap


def _correlation(first: FloatArray, second: FloatArray) -> float:
    """Correlation over models; NaN where one half does not vary."""
    left, right = first - first.mean(), second - second.mean()
    size = sqrt(float(left @ left) * float(right @ right))
    return float(left @ right) / size if size > 0 else float("nan")
