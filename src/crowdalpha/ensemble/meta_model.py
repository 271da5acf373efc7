"""The meta model: the stake-weighted mean of cleaned, ranked and gaussianised submissions of one era.

A mean, not a vote: it is linear in the signals, so that splitting a stake over two copies changes nothing.
"""

from collections.abc import Sequence

import numpy as np

from crowdalpha.ensemble.caps import cap_by_account
from crowdalpha.ensemble.checks import EmptySubmissionError, stake_values
from crowdalpha.ensemble.combiner import METHODS, Method
from crowdalpha.ensemble.stacking import blended_weights
from crowdalpha.scoring.arrays import FloatArray, IndexArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, matrix, vector
from crowdalpha.scoring.ranking import gaussianize, tie_kept_rank

__all__ = ["clean_predictions", "meta_model", "rank_and_fill", "stake_weighted_average", "stake_weighted_meta_model"]

MISSING_RANK = 0.5
"""Rank of an id that a submission left out: the middle, which says nothing about the asset."""

_BLOCK_ROWS = 256
"""Assets weighed at once: keeps the temporary of a 6,000-model round near 12 MB."""
_LEAF_MODELS = 128
"""Models cleaned at once: up to so many numbers NumPy adds without halving them, so that this is where we may cut."""
_PAIRWISE_UNROLL = 8
"""NumPy's pairwise sum cuts at multiples of this."""


def rank_and_fill(values: FloatArray) -> FloatArray:
    """Rank what was submitted and put every missing id in the middle.

    Parameters
    ----------
    values : ndarray of shape (n_assets, n_models), dtype=float64
        Predictions on the live universe, one model a column, NaN where an id was not submitted; any unit.

    Returns
    -------
    ndarray of shape (n_assets, n_models), dtype=float64
        Tie-kept ranks in (0, 1) among the submitted ids; exactly 0.5 where nothing was submitted.

    Raises
    ------
    ShapeError
        If `values` is not a matrix.
    EmptySubmissionError
        If a column has no submitted id: that is no submission, and a flat one would dilute the others.

    Notes
    -----
    NaN policy: omit (not counted in the rank, then filled). Cost: O(n_assets log n_assets) per model.

    References
    ----------
    .. [1] Numerai, "Numerai Signals: submissions" documentation; `clean_submission` of numerai-tools.

    Examples
    --------
    >>> rank_and_fill(np.array([[0.2], [np.nan], [0.9]])).ravel()
    array([0.25, 0.5 , 0.75])
    """
    predictions = matrix(values, "values")
    missing = np.isnan(predictions)
    empty = missing.all(axis=0)
    if empty.any():
        raise EmptySubmissionError(f"values: column {int(np.argmax(empty))} holds no prediction; leave the model out")
    return np.where(missing, MISSING_RANK, tie_kept_rank(predictions))


def clean_predictions(values: FloatArray) -> FloatArray:
    """Turn raw predictions into the signals that the meta model averages.

    Parameters
    ----------
    values : ndarray of shape (n_assets, n_models), dtype=float64
        Predictions on the live universe, one model a column, NaN where an id was not submitted; any unit.

    Returns
    -------
    ndarray of shape (n_assets, n_models), dtype=float64
        Normal quantiles of the ranks; finite everywhere, not standardised again.

    Raises
    ------
    ShapeError
        If `values` is not a matrix.
    EmptySubmissionError
        If a column has no submitted id.

    Notes
    -----
    NaN policy: omit. Rank, fill with the middle, rank again (the filled ids are one tie), gaussianise.
    Cost: O(n_assets log n_assets) per model.

    References
    ----------
    .. [1] Numerai, "Scoring: definitions" documentation, section on the stake-weighted meta model.

    Examples
    --------
    >>> clean_predictions(np.array([[0.2], [0.9]])).round(4).ravel()
    array([-0.6745,  0.6745])
    """
    return gaussianize(rank_and_fill(values))


def stake_weighted_meta_model(signals: FloatArray, stakes: FloatArray) -> FloatArray:
    """Average signals by stake.

    Parameters
    ----------
    signals : ndarray of shape (n_assets, n_models), dtype=float64
        Cleaned signals of one era, one model a column, as `clean_predictions` returns them.
    stakes : ndarray of shape (n_models,), dtype=float64
        Stake at risk of each model, in any one unit; 0 for late and unstaked models.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        The meta model, in the unit of `signals`; neither ranked nor standardised again. NaN everywhere if
        nobody staked: an undefined mean is not a zero.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    NonFiniteError
        If a signal is infinite or a stake is not finite.
    RangeError
        If a stake is negative.

    Notes
    -----
    NaN policy: omit; a NaN signal counts as 0 and its stake stays in the divisor, as in the published code.
    `clean_predictions` returns none. The sum of a row runs in one fixed order, whatever the machine and wherever
    the row stands, so that equal rows get equal bits and a later rank sees their tie.
    Cost: O(n_assets * n_models).

    References
    ----------
    .. [1] `stake_weight` of numerai-tools.

    Examples
    --------
    >>> stake_weighted_meta_model(np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([3.0, 1.0]))
    array([0.5, 0.5])
    """
    columns = matrix(signals, "signals")
    weights = stake_values(stakes, n_models=columns.shape[1])
    if np.isinf(columns).any():
        raise NonFiniteError("signals holds an infinity; pass predictions through clean_predictions first")
    total = weights.sum()
    if total == 0:
        return np.full(len(columns), np.nan)
    mean: FloatArray = _weighted_rows(columns, weights) / total
    return mean


def _weighted_rows(signals: FloatArray, stakes: FloatArray) -> FloatArray:
    """Sum `signals * stakes` over each row without BLAS, whose order of addition depends on the machine."""
    staked = stakes > 0
    weights = stakes[staked]
    result = np.empty(len(signals))
    for start in range(0, len(signals), _BLOCK_ROWS):
        block = np.ascontiguousarray(signals[start : start + _BLOCK_ROWS, staked])
        result[start : start + _BLOCK_ROWS] = (np.where(np.isnan(block), 0.0, block) * weights).sum(axis=1)
    return result


def meta_model(
    predictions: FloatArray,
    stakes: FloatArray,
    *,
    method: Method = "stake_weighted",
    weights: FloatArray | None = None,
    stake_share: float = 0.5,
    accounts: Sequence[str] | None = None,
    largest_account: float = 1.0,
) -> FloatArray:
    """Clean raw predictions and average them by stake, or by another method of the rulebook.

    Parameters
    ----------
    predictions : ndarray of shape (n_assets, n_models), dtype=float64
        Predictions on the live universe, one model a column, NaN where an id was not submitted; any unit.
    stakes : ndarray of shape (n_models,), dtype=float64
        Stake at risk of each model, in any one unit.
    method : str, default="stake_weighted"
        One of `METHODS`.
    weights : ndarray of shape (n_models,), dtype=float64, optional
        Weights of a method that looks at the past, as `Combiner.weights` gives them; the stakes need none.
    stake_share : float in [0, 1], default=0.5
        Share of the stake weights in any other method.
    accounts : sequence of str, length n_models, optional
        Account of each model, for the cap.
    largest_account : float in (0, 1], default=1.0
        Largest share of the weight that an account may hold.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        The meta model; NaN everywhere if nobody has weight.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    EmptySubmissionError
        If a column has no submitted id.
    NonFiniteError
        If a prediction is infinite, or a stake or weight is not finite.
    RangeError
        If a stake or weight is negative, an option is outside its range, a method other than by stake comes without
        `weights`, or a cap without `accounts`.

    Notes
    -----
    NaN policy: omit (missing ids get the middle rank). Models are cleaned and added up 128 at a time, so that the
    memory beside the predictions does not grow with their number; the sums run in the order of
    `stake_weighted_meta_model` and have its bits. Cost: O(n_assets log n_assets) per model.

    References
    ----------
    .. [1] Numerai, "Scoring: definitions" documentation, section on the stake-weighted meta model.

    Examples
    --------
    >>> meta_model(np.array([[0.1, 5.0], [0.7, 9.0]]), np.array([1.0, 2.0])).round(4)
    array([-0.6745,  0.6745])
    """
    columns = matrix(predictions, "predictions")
    used = stake_values(stakes, n_models=columns.shape[1])
    if method not in METHODS:
        raise RangeError(f"method is {method!r}; choose from {', '.join(METHODS)}")
    if method != "stake_weighted":
        if weights is None:
            raise RangeError(f"method {method!r} needs weights, as Combiner.weights gives them at the close")
        used = blended_weights(stake_values(weights, n_models=len(used)), used, share=stake_share)
    if accounts is not None:
        used = cap_by_account(used, accounts, largest=largest_account)
    elif largest_account != 1.0:
        raise RangeError(f"largest_account is {largest_account}, which needs the accounts of the models")
    _refuse_empty(columns)
    staked = np.flatnonzero(used > 0)
    if not staked.size:
        return np.full(len(columns), np.nan)
    mean: FloatArray = _cleaned_sum(columns, used, staked) / used.sum()
    return mean


def _refuse_empty(columns: FloatArray) -> None:
    """Refuse columns without a prediction, looking at a block of models at a time."""
    for start in range(0, columns.shape[1], _LEAF_MODELS):
        empty = np.isnan(columns[:, start : start + _LEAF_MODELS]).all(axis=0)
        if empty.any():
            place = start + int(np.argmax(empty))
            raise EmptySubmissionError(f"predictions: column {place} holds no prediction; leave the model out")


def _cleaned_sum(columns: FloatArray, stakes: FloatArray, models: IndexArray) -> FloatArray:
    """Add cleaned signals times stakes, in halves as NumPy's pairwise sum takes them: the bits are those of one sum."""
    n = len(models)
    if n <= _LEAF_MODELS:
        return _weighted_rows(clean_predictions(columns[:, models]), stakes[models])
    half = n // 2
    half -= half % _PAIRWISE_UNROLL
    return _cleaned_sum(columns, stakes, models[:half]) + _cleaned_sum(columns, stakes, models[half:])


def stake_weighted_average(scores: FloatArray, stakes: FloatArray) -> float:
    """Average the scores of several models by stake.

    Parameters
    ----------
    scores : ndarray of shape (n_models,), dtype=float64
        One score per model, in the unit of the score.
    stakes : ndarray of shape (n_models,), dtype=float64
        Stake of each model, in any one unit; unstaked models are left out.

    Returns
    -------
    float
        The mean, in the unit of `scores`; NaN if nobody staked.

    Raises
    ------
    ShapeError
        If there is not one stake per score.
    NonFiniteError
        If a stake is not finite.
    RangeError
        If a stake is negative.

    Notes
    -----
    NaN policy: propagate for staked models; the score of an unstaked model is never looked at.
    Cost: O(n_models).

    Examples
    --------
    >>> stake_weighted_average(np.array([0.01, 0.04, 0.9]), np.array([2.0, 1.0, 0.0]))
    0.02
    """
    values = vector(scores, "scores")
    weights = stake_values(stakes, n_models=len(values))
    staked = weights > 0
    if not staked.any():
        return float("nan")
    return float((values[staked] * weights[staked]).sum() / weights[staked].sum())
