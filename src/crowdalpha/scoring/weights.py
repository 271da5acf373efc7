"""ALPHA and MPC: scores of portfolio weights, for tournaments with named tickers. Higher is better."""

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import _rows, checks, ranking
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.contribution import orthogonal_part

__all__ = ["alpha", "mpc", "neutralized_weights"]

# Scale of MPC since January 2026 (numerai-tools 0.7.2, `meta_portfolio_contribution`).
MPC_DIVISOR = 50.0


def neutralized_weights(
    predictions: npt.ArrayLike,
    neutralizers: npt.ArrayLike,
    sample_weights: npt.ArrayLike,
    *,
    normalized: bool = False,
) -> FloatArray:
    """Turn predictions into portfolio weights without exposure to the neutralizers.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit; only their ranks matter.
    neutralizers : array-like of shape (n_assets, n_neutralizers)
        N of the same assets, orthonormal under the sample weights: N' diag(v) N = I. This is not checked:
        the published code does not either, and the result is then not neutral.
    sample_weights : array-like of shape (n_assets,)
        v, how much each asset can be held.
    normalized : bool, default=False
        Centre each model's weights and scale them to gross 1, as the turnover limit wants them.

    Returns
    -------
    ndarray of shape (n_assets, n_models), dtype=float64
        v * (q - N (N' (v * q))) with q the powered signals.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction is NaN or another value not finite.

    Notes
    -----
    NaN policy: refuse. Cost: one sort a model and two products with the neutralizers.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.generate_neutralized_weights`.

    Examples
    --------
    >>> neutralized_weights([[1.0], [2.0], [3.0]], [[0.0], [1.0], [0.0]], [1.0, 1.0, 1.0]).round(4).ravel()
    array([-0.9515,  0.    ,  0.9515])
    """
    columns, matrix = checks.matrix(predictions, "predictions"), checks.matrix(neutralizers, "neutralizers")
    held = checks.vector(sample_weights, "sample_weights")
    checks.same_rows(predictions=columns, neutralizers=matrix, sample_weights=held)
    checks.no_nan(predictions=columns)
    checks.finite(neutralizers=matrix, sample_weights=held)
    powered = _rows.power_1_5(ranking.gaussianize(columns))
    weights: FloatArray = held[:, None] * (powered - matrix @ (matrix.T @ (held[:, None] * powered)))
    return ranking.weight_normalize(ranking.center(weights)) if normalized else weights


def alpha(
    predictions: npt.ArrayLike,
    neutralizers: npt.ArrayLike,
    sample_weights: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    target_mean: float | None = None,
) -> FloatArray:
    """ALPHA: mean product of neutralized weights and the centred target.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit; only their ranks matter.
    neutralizers : array-like of shape (n_assets, n_neutralizers)
        As in `neutralized_weights`.
    sample_weights : array-like of shape (n_assets,)
        As in `neutralized_weights`.
    target : array-like of shape (n_assets,)
        Target of the same assets.
    target_mean : float, optional
        What to centre on; the reference takes the mean before it drops ids. Default: the mean over the rows given.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        In the unit of the target; 0 for a constant prediction.

    Raises
    ------
    ShapeError, NonFiniteError
        As `neutralized_weights`, for the target too.

    Notes
    -----
    NaN policy: refuse. Cost: as `neutralized_weights`.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.alpha`; earlier than 0.4.3 it gave other numbers.

    Examples
    --------
    >>> alpha([[1.0], [2.0], [3.0]], [[0.0], [1.0], [0.0]], [1.0, 1.0, 1.0], [0.0, 0.5, 1.0]).round(6)
    array([0.317178])
    """
    weights = neutralized_weights(predictions, neutralizers, sample_weights)
    wanted = checks.vector(target, "target")
    checks.same_rows(predictions=weights, target=wanted)
    checks.finite(target=wanted)
    centred = wanted - (wanted.mean() if target_mean is None else target_mean)
    scores: FloatArray = weights.T @ centred / len(centred)
    return scores


def mpc(
    predictions: npt.ArrayLike,
    stakes: npt.ArrayLike,
    neutralizers: npt.ArrayLike,
    sample_weights: npt.ArrayLike,
    target: npt.ArrayLike,
) -> FloatArray:
    """MPC: gradient of the stake-weighted portfolio's alpha with respect to the stakes.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Predictions of one era, any unit; only their ranks matter.
    stakes : array-like of shape (n_models,)
        Stakes, any unit; NaN counts as 0.
    neutralizers : array-like of shape (n_assets, n_neutralizers)
        As in `neutralized_weights`.
    sample_weights : array-like of shape (n_assets,)
        As in `neutralized_weights`.
    target : array-like of shape (n_assets,)
        Target of the same assets; centred over them.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        Their stake-weighted sum is 0. NaN for all if the portfolio is empty.

    Raises
    ------
    RangeError
        If a stake is negative, or all are 0.
    ShapeError, NonFiniteError
        As `neutralized_weights`, for stakes and target too.

    Notes
    -----
    NaN policy: refuse; in stakes omit. Cost: as `neutralized_weights`.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.meta_portfolio_contribution`. The documentation still describes an older
       version with the absolute norm.

    Examples
    --------
    >>> mpc([[1.0], [2.0], [3.0]], [7.0], [[0.0], [1.0], [0.0]], [1.0, 1.0, 1.0], [0.0, 0.5, 1.0]).round(9)
    array([0.])
    """
    weights = neutralized_weights(predictions, neutralizers, sample_weights)
    wanted = checks.vector(target, "target")
    checks.same_rows(predictions=weights, target=wanted)
    checks.finite(target=wanted)
    shares = _shares(stakes, weights.shape[1])
    centred = weights - weights.mean(axis=0)
    portfolio = centred @ shares
    portfolio = portfolio - portfolio.mean()
    length = float(np.linalg.norm(portfolio))
    if length == 0:
        return np.full(len(shares), np.nan)
    scores: FloatArray = centred.T @ orthogonal_part(wanted - wanted.mean(), portfolio) / length / MPC_DIVISOR
    return scores


def _shares(stakes: npt.ArrayLike, n_models: int) -> FloatArray:
    amounts = np.nan_to_num(checks.vector(stakes, "stakes"), nan=0.0, posinf=np.inf)
    if len(amounts) != n_models:
        raise checks.ShapeError(f"there are {len(amounts)} stakes for {n_models} models; give one a model")
    checks.finite(stakes=amounts)
    if (amounts < 0).any():
        model = int(np.argmin(amounts))
        raise checks.RangeError(f"stake of model {model} is {amounts[model]}; stakes cannot be negative")
    if not amounts.any():
        raise checks.RangeError("all stakes are 0, so there is no portfolio; give at least one stake")
    shares: FloatArray = amounts / amounts.sum()
    return shares
