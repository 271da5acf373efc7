"""From submissions with their own ids to the matrix and the vector that the meta model takes."""

from collections.abc import Mapping, Sequence

import numpy as np

from crowdalpha.ensemble.checks import UnknownModelError
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import DuplicateError, ShapeError

__all__ = ["join_live", "stake_vector"]


def join_live(live_ids: Sequence[str], ids: Sequence[str], values: FloatArray) -> FloatArray:
    """Put the predictions of one submission in the order of the live universe.

    Parameters
    ----------
    live_ids : sequence of str, length n_live
        Ids of the live universe, each once, in the order wanted.
    ids : sequence of str, length n_submitted
        Ids of the submission, in any order.
    values : ndarray of shape (n_submitted,), dtype=float64
        Prediction of each submitted id; any unit.

    Returns
    -------
    ndarray of shape (n_live,), dtype=float64
        Predictions in the unit of `values`, NaN for live ids that were not submitted.

    Raises
    ------
    ShapeError
        If there is not one value per submitted id.
    DuplicateError
        If a live id is listed twice.

    Notes
    -----
    NaN policy: propagate. Unknown ids are dropped; of a repeated id the first row counts.
    Cost: O((n_live + n_submitted) log n_submitted).

    References
    ----------
    .. [1] `clean_submission` of numerai-tools.

    Examples
    --------
    >>> join_live(["a", "b", "c"], ["c", "x", "a", "c"], np.array([3.0, 9.0, 1.0, 7.0]))
    array([ 1., nan,  3.])
    """
    if values.shape != (len(ids),):
        raise ShapeError(f"values must have shape ({len(ids)},), one per submitted id, not {values.shape}")
    if len(set(live_ids)) != len(live_ids):
        raise DuplicateError("live_ids lists an id twice; each asset of the universe has one row")
    result = np.full(len(live_ids), np.nan)
    if not len(ids) or not len(live_ids):
        return result
    known, first = np.unique(np.asarray(ids, dtype=np.str_), return_index=True)
    wanted = np.asarray(live_ids, dtype=np.str_)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found = known[place] == wanted
    result[found] = values[first[place[found]]]
    return result


def stake_vector(models: Sequence[str], stakes: Mapping[str, float]) -> FloatArray:
    """Line stakes up with the columns of a prediction matrix.

    Parameters
    ----------
    models : sequence of str, length n_models
        Names of the columns.
    stakes : mapping of str to float
        Stake by model, in any one unit.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        Stake of each column, in the unit of `stakes`; 0 for a model without one.

    Raises
    ------
    UnknownModelError
        If a stake names a model that is not a column: its weight would silently vanish from the divisor.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_models).

    Examples
    --------
    >>> stake_vector(["m1", "m2"], {"m2": 5.0})
    array([0., 5.])
    """
    unknown = sorted(stakes.keys() - set(models))
    if unknown:
        raise UnknownModelError(f"stakes: model {unknown[0]!r} has no column among the {len(models)} submissions")
    return np.array([stakes.get(model, 0.0) for model in models], dtype=np.float64)
