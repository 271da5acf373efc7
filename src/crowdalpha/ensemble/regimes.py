"""Which of two regimes the market is in, from what was seen at the close: a hidden Markov filter, never a smoother.

The parameters that are used at an era are fitted on earlier eras alone, and the filter runs forward: no probability
depends on anything later. Regime 1, "stress", is the one with the higher mean of the first column of the state.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, finite, vector_or_matrix

__all__ = ["RegimeModel", "fit_regimes", "regime_probabilities"]

FIT_STEPS = 30
"""Steps of expectation maximisation; a two-state model with clear regimes is settled after about ten."""
SMALLEST_VARIANCE = 0.01
"""Of a regime, in variances of the column: keeps a regime from closing in on a few equal eras."""
SMALLEST_CHANCE = 1e-3
"""Of a change of regime in one era: keeps a regime from being left or entered never again."""
START_QUANTILE = 0.85
"""The fit starts with the eras above this quantile of the first column as stress."""
SMALLEST_SPREAD = 1e-12
"""A column whose standard deviation is below this share of its size is constant."""


@dataclass(frozen=True, eq=False)
class RegimeModel:
    """Two normal regimes and the chances of moving between them.

    Attributes
    ----------
    means, variances : ndarray of shape (2, n_columns), dtype=float64
        Of the state in each regime, in the unit of the state.
    enter, leave : float
        Chance of entering stress from calm, and of leaving it, in one era.
    """

    means: FloatArray
    variances: FloatArray
    enter: float
    leave: float

    def filtered(self, state: npt.ArrayLike) -> FloatArray:
        """Run the filter forward.

        Parameters
        ----------
        state : array-like of shape (n_eras,) or (n_eras, n_columns)
            What was observable at each close, in the unit of the fit.

        Returns
        -------
        ndarray of shape (n_eras,), dtype=float64
            Probability of stress at each era, given that era and all before it.

        Raises
        ------
        ShapeError
            If there are no eras.
        NonFiniteError
            If a value is NaN or infinite.

        Notes
        -----
        NaN policy: refuse. Cost: O(n_eras * n_columns).
        """
        forward, _ = _forward(_evidence(self, _state(state)), self.enter, self.leave)
        return np.array(forward)


def fit_regimes(
    state: npt.ArrayLike, *, start: RegimeModel | None = None, steps: int = FIT_STEPS
) -> RegimeModel | None:
    """Fit two regimes by expectation maximisation.

    Parameters
    ----------
    state : array-like of shape (n_eras,) or (n_eras, n_columns)
        What was observable at each close, in any units; columns are taken as independent within a regime.
    start : RegimeModel, optional
        Where to start; by default the largest values of the first column are taken for stress.
    steps : int, default=30
        Steps of the fit.

    Returns
    -------
    RegimeModel or None
        None if a column does not vary: there is nothing to tell regimes by.

    Raises
    ------
    ShapeError
        If there are no eras.
    NonFiniteError
        If a value is NaN or infinite.

    Notes
    -----
    NaN policy: refuse. Cost: O(steps * n_eras * n_columns). The fit looks at all eras it is given, forward and back:
    give it the past alone. No chance is involved.

    References
    ----------
    .. [1] L. Baum, T. Petrie, G. Soules, N. Weiss, "A maximization technique occurring in the statistical analysis of
       probabilistic functions of Markov chains", Annals of Mathematical Statistics 41 (1970).
    """
    values = _state(state)
    spread = values.std(axis=0)
    if (spread <= SMALLEST_SPREAD * np.abs(values).max(axis=0)).any():
        return None
    floor = SMALLEST_VARIANCE * spread**2
    model = start or _first_guess(values, floor)
    for _ in range(steps):
        model = _step(model, values, floor)
    if model.means[0, 0] <= model.means[1, 0]:
        return model
    return RegimeModel(model.means[::-1], model.variances[::-1], enter=model.leave, leave=model.enter)


def regime_probabilities(state: npt.ArrayLike, *, warm_up: int = 52, refit: int = 52) -> FloatArray:
    """Filter the probability of stress, with parameters fitted on earlier eras only.

    Parameters
    ----------
    state : array-like of shape (n_eras,) or (n_eras, n_columns)
        What was observable at the close of each era, eras in order; any units. Volatility comes first.
    warm_up : int, default=52
        Eras before the first fit.
    refit : int, default=52
        Eras between fits.

    Returns
    -------
    ndarray of shape (n_eras,), dtype=float64
        Probability of stress; NaN in the warm-up, and until every column has varied.

    Raises
    ------
    ShapeError
        If there are no eras.
    NonFiniteError
        If a value is NaN or infinite.
    RangeError
        If `warm_up` is below 2 or `refit` below 1.

    Notes
    -----
    NaN policy: refuse. No look-ahead: the probability of an era does not change with later rows of `state`.
    Cost: O(n_eras / refit * n_eras * n_columns).

    References
    ----------
    .. [1] J. Hamilton, "A new approach to the economic analysis of nonstationary time series and the business cycle",
       Econometrica 57 (1989).

    Examples
    --------
    >>> state = [0.1, -0.1, 0.0, 0.1, 5.0, 5.1, 4.9, 0.0, 0.1, 5.0]
    >>> regime_probabilities(state, warm_up=8, refit=8).round(2)[8:]
    array([0., 1.])
    """
    values = _state(state)
    if warm_up < 2 or refit < 1:  # noqa: PLR2004  # one era has no spread
        raise RangeError(f"warm_up is {warm_up} and refit is {refit}; they must be at least 2 and 1")
    result = np.full(len(values), np.nan)
    model: RegimeModel | None = None
    for now in range(warm_up, len(values), refit):
        model = fit_regimes(values[:now], start=model)
        if model is not None:
            result[now : now + refit] = model.filtered(values[: now + refit])[now:]
    return result


def _state(state: npt.ArrayLike) -> FloatArray:
    values = vector_or_matrix(state, "state")
    finite(state=values)
    return values.reshape(len(values), -1)


def _first_guess(values: FloatArray, floor: FloatArray) -> RegimeModel:
    high = values[:, 0] > np.quantile(values[:, 0], START_QUANTILE)
    if not high.any():
        high = values[:, 0] == values[:, 0].max()
    means = np.stack([values[~high].mean(axis=0), values[high].mean(axis=0)])
    variances = np.maximum(np.stack([values[~high].var(axis=0), values[high].var(axis=0)]), floor)
    return RegimeModel(means, variances, enter=0.05, leave=0.25)


def _evidence(model: RegimeModel, values: FloatArray) -> FloatArray:
    """Likelihood of each era in each regime, scaled so that the larger is 1."""
    z = (values[:, None, :] - model.means) ** 2 / model.variances + np.log(model.variances)
    logs = -0.5 * z.sum(axis=2)
    scaled: FloatArray = np.exp(logs - logs.max(axis=1, keepdims=True))
    return scaled


def _forward(evidence: FloatArray, enter: float, leave: float) -> tuple[list[float], list[float]]:
    """Probability of stress after and before each era's own evidence; plain floats, as each step needs the last."""
    after, before = [], []
    stress = enter / (enter + leave)
    for calm_fit, stress_fit in evidence.tolist():
        prior = stress * (1.0 - leave) + (1.0 - stress) * enter
        likely = prior * stress_fit
        stress = likely / (likely + (1.0 - prior) * calm_fit)
        before.append(prior)
        after.append(stress)
    return after, before


def _step(model: RegimeModel, values: FloatArray, floor: FloatArray) -> RegimeModel:
    """Smooth with the present parameters, then take the parameters that fit best."""
    after, before = _forward(_evidence(model, values), model.enter, model.leave)
    smooth = after[-1]
    shares = [smooth]
    entered = left = 0.0
    for now in range(len(after) - 2, -1, -1):
        up, down = smooth / before[now + 1], (1.0 - smooth) / (1.0 - before[now + 1])
        enters = (1.0 - after[now]) * model.enter * up
        leaves = after[now] * model.leave * down
        stays = after[now] * (1.0 - model.leave) * up
        entered, left = entered + enters, left + leaves
        smooth = min(max(leaves + stays, 0.0), 1.0)
        shares.append(smooth)
    stress = np.array(shares[::-1])
    both = np.stack([1.0 - stress, stress])
    totals = both.sum(axis=1, keepdims=True) + SMALLEST_SPREAD
    means = both @ values / totals
    variances = np.stack([side @ (values - mean) ** 2 for side, mean in zip(both, means, strict=True)]) / totals
    calm_eras, stress_eras = both[:, :-1].sum(axis=1).tolist()
    return RegimeModel(
        means=means,
        variances=np.maximum(variances, floor),
        enter=_chance(entered, calm_eras),
        leave=_chance(left, stress_eras),
    )


def _chance(moves: float, eras: float) -> float:
    return min(max(moves / max(eras, SMALLEST_SPREAD), SMALLEST_CHANCE), 1.0 - SMALLEST_CHANCE)
