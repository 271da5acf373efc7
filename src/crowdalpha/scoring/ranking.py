"""Ranks, normal quantiles, powers and scalings: what every score does to a prediction first.

All of them take one vector, or a matrix of one model a column, and return a new array of the same shape.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import _rows, checks
from crowdalpha.scoring._rows import RankMethod
from crowdalpha.scoring.arrays import FloatArray, IndexArray, model_blocks

__all__ = [
    "RankMethod",
    "center",
    "gaussianize",
    "min_max_normalize",
    "normal_quantile",
    "power",
    "rank",
    "standardize",
    "tie_broken_rank",
    "tie_kept_rank",
    "top_bottom_rows",
    "variance_normalize",
    "weight_normalize",
]

# The reference refuses a power whose result correlates less than this with its input.
LEAST_POWER_CORRELATION = 0.9


def rank(values: npt.ArrayLike, *, method: RankMethod) -> FloatArray:
    """Percentile rank of each column, in (0, 1).

    Parameters
    ----------
    values : array-like of shape (n_assets,) or (n_assets, n_models)
        Predictions of one era, any unit. Infinities are ordinary extreme values; only equal doubles tie.
    method : {"average", "min", "max", "first", "dense"}
        The rank that ties get; "first" orders them by position.

    Returns
    -------
    ndarray of the same shape, dtype=float64
        (r - 1/2) / N with r the 1-based rank and N the number of values that are not NaN.

    Raises
    ------
    ShapeError
        If `values` has other than one or two dimensions.

    Notes
    -----
    NaN policy: propagate; a NaN stays NaN and is not counted in N.
    Cost: one sort a column, O(n_models * n_assets * log(n_assets)).

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.rank`.

    Examples
    --------
    >>> rank([0.3, 0.1, 0.3, 0.9], method="max")
    array([0.625, 0.125, 0.625, 0.875])
    """
    return _ranked(values, lambda rows: _rows.rank(rows, method))


def tie_kept_rank(values: npt.ArrayLike) -> FloatArray:
    """Percentile rank of each column; ties share their mean rank.

    Parameters
    ----------
    values : array-like of shape (n_assets,) or (n_assets, n_models)
        Predictions of one era, any unit.

    Returns
    -------
    ndarray of the same shape, dtype=float64
        In (0, 1); a constant column is 1/2 everywhere.

    Raises
    ------
    ShapeError
        If `values` has other than one or two dimensions.

    Notes
    -----
    NaN policy: propagate; a NaN stays NaN and is not counted. Cost: one sort a column.

    References
    ----------
    .. [1] Numerai, "Definitions", scoring documentation; numerai-tools 0.7.2, `scoring.tie_kept_rank`.

    Examples
    --------
    >>> tie_kept_rank([0.3, 0.1, 0.3, 0.9])
    array([0.5  , 0.125, 0.5  , 0.875])
    """
    return rank(values, method="average")


def tie_broken_rank(values: npt.ArrayLike) -> FloatArray:
    """Percentile rank of each column; the earlier of two ties gets the lower rank.

    Parameters
    ----------
    values : array-like of shape (n_assets,) or (n_assets, n_models)
        Predictions of one era in ascending order of their ids, any unit.

    Returns
    -------
    ndarray of the same shape, dtype=float64
        In (0, 1), all different.

    Raises
    ------
    ShapeError
        If `values` has other than one or two dimensions.

    Notes
    -----
    NaN policy: propagate; a NaN stays NaN and is not counted. Cost: one stable sort a column.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.tie_broken_rank`.

    Examples
    --------
    >>> tie_broken_rank([0.3, 0.1, 0.3, 0.9])
    array([0.375, 0.125, 0.625, 0.875])
    """
    return rank(values, method="first")


def normal_quantile(uniform: npt.ArrayLike) -> FloatArray:
    """Inverse of the standard normal distribution function.

    Parameters
    ----------
    uniform : array-like of shape (n_assets,) or (n_assets, n_models)
        Ranks; 0 and 1 give minus and plus infinity, values outside [0, 1] give NaN.

    Returns
    -------
    ndarray of the same shape, dtype=float64

    Raises
    ------
    ShapeError
        If `uniform` has other than one or two dimensions.

    Notes
    -----
    NaN policy: propagate. Cost: O(size).

    Examples
    --------
    >>> normal_quantile([0.5, 0.8413447460685429]).round(6)
    array([0., 1.])
    """
    return _rows.quantile(checks.vector_or_matrix(uniform, "uniform"))


def gaussianize(values: npt.ArrayLike) -> FloatArray:
    """Find the normal quantile of the tie-kept rank of each column.

    Parameters
    ----------
    values : array-like of shape (n_assets,) or (n_assets, n_models)
        Predictions of one era, any unit.

    Returns
    -------
    ndarray of the same shape, dtype=float64
        Signals: mean 0 without ties, standard deviation a little below 1, smaller with ties.

    Raises
    ------
    ShapeError
        If `values` has other than one or two dimensions.

    Notes
    -----
    NaN policy: propagate; a NaN stays NaN and is not counted.
    Cost: one sort a column, columns on all processors; the quantiles come from a table of 2 * n_assets - 1 numbers.
    Nothing is divided by a standard deviation: one documentation page says so, the published code does not do it.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.gaussian` after `scoring.tie_kept_rank`.

    Examples
    --------
    >>> gaussianize([10.0, 30.0, 20.0]).round(4)
    array([-0.9674,  0.9674,  0.    ])
    """
    return _ranked(values, _rows.gaussianize)


def power(values: npt.ArrayLike, exponent: float = 1.5) -> FloatArray:
    """Raise magnitudes to a power and keep the signs: sign(x) * |x| ** exponent.

    Parameters
    ----------
    values : array-like of shape (n_assets,) or (n_assets, n_models)
        Signals or centred targets.
    exponent : float, default=1.5
        1.5 in every published score.

    Returns
    -------
    ndarray of the same shape, dtype=float64

    Raises
    ------
    NonFiniteError
        If a value is NaN or infinite.
    DistortionError
        If a result correlates less than 0.9 with its input, as raw returns with heavy tails do.

    Notes
    -----
    NaN policy: refuse. Cost: O(size).

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.power`.

    Examples
    --------
    >>> power([-4.0, 0.0, 4.0])
    array([-8.,  0.,  8.])
    """
    array = checks.vector_or_matrix(values, "values")
    checks.finite(values=array)
    raised: FloatArray = np.sign(array) * np.abs(array) ** exponent
    if array.size:
        refuse_distortion(array, raised, "values")
    return raised


def refuse_distortion(before: FloatArray, after: FloatArray, name: str) -> None:
    """Refuse columns that a power has changed so much that they no longer say the same.

    Parameters
    ----------
    before, after : ndarray of shape (n_assets,) or (n_assets, n_columns), dtype=float64
        The columns and their powers.
    name : str
        What the caller calls them, for the message.

    Raises
    ------
    DistortionError
        If the two correlate less than 0.9 and `after` is not constant.

    Notes
    -----
    NaN policy: refuse. Cost: O(size).
    """
    rows = np.atleast_2d(_rows.as_rows(after))
    agreement = _rows.pearson(rows, np.atleast_2d(_rows.as_rows(before)))
    bad = ~(_rows.constant(rows) | (agreement >= LEAST_POWER_CORRELATION))
    if bad.any():
        column = int(np.argmax(bad))
        raise checks.DistortionError(
            f"{name}, column {column}: its power correlates {agreement[column]:.3f} with it, at least "
            f"{LEAST_POWER_CORRELATION} is needed; tails are too heavy, score it without the power"
        )


def top_bottom_rows(values: npt.ArrayLike, *, size: int) -> tuple[IndexArray, IndexArray]:
    """Find the rows of the highest and of the lowest values.

    Parameters
    ----------
    values : array-like of shape (n_assets,)
        Predictions or signals of one model, in ascending order of their ids.
    size : int
        Rows at either end.

    Returns
    -------
    tuple of two ndarrays of shape (size,), dtype=intp
        Rows of the top, rows of the bottom, both ascending. Of ties at the border, the top takes the latest
        rows and the bottom the earliest.

    Raises
    ------
    RangeError
        If `size` is negative or the two would overlap.
    NonFiniteError
        If a value is NaN.
    ShapeError
        If `values` has other than one dimension or no rows.

    Notes
    -----
    NaN policy: refuse. Cost: one stable sort.

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.filter_sort_top_bottom`.

    Examples
    --------
    >>> top_bottom_rows([0.3, 0.1, 0.1, 0.9], size=1)
    (array([3]), array([1]))
    """
    array = checks.vector(values, "values")
    checks.no_nan(values=array)
    kept = _rows.top_bottom(array[None, :], checks.top_bottom_size(size, len(array)))[0]
    return np.sort(kept[size:]), np.sort(kept[:size])


def variance_normalize(values: npt.ArrayLike) -> FloatArray:
    """Divide each column by its population standard deviation.

    Parameters
    ----------
    values : array-like of shape (n_assets,) or (n_assets, n_models)
        Signals, any unit.

    Returns
    -------
    ndarray of the same shape, dtype=float64
        A constant column becomes infinite, or NaN where it is 0.

    Raises
    ------
    ShapeError
        If `values` has other than one or two dimensions.

    Notes
    -----
    NaN policy: omit in the deviation; a NaN stays NaN. Cost: O(size).

    References
    ----------
    .. [1] numerai-tools 0.7.2, `scoring.variance_normalize`.

    Examples
    --------
    >>> variance_normalize([-1.0, 1.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0]).round(4)[:2]
    array([-1.4142,  1.4142])
    """
    return _by_rows(values, lambda rows: _divided(rows, _deviation(rows)))


def center(values: npt.ArrayLike) -> FloatArray:
    """Subtract from each column its mean.

    Parameters
    ----------
    values : array-like of shape (n_assets,) or (n_assets, n_models)
        Any unit.

    Returns
    -------
    ndarray of the same shape, dtype=float64

    Raises
    ------
    ShapeError
        If `values` has other than one or two dimensions.

    Notes
    -----
    NaN policy: omit in the mean; a NaN stays NaN. Cost: O(size).

    Examples
    --------
    >>> center([1.0, 2.0, 6.0])
    array([-2., -1.,  3.])
    """
    return _by_rows(values, _centred)


def standardize(values: npt.ArrayLike) -> FloatArray:
    """Subtract from each column its mean and divide by its population standard deviation.

    Parameters
    ----------
    values : array-like of shape (n_assets,) or (n_assets, n_models)
        Any unit.

    Returns
    -------
    ndarray of the same shape, dtype=float64
        Mean 0 and standard deviation 1; a constant column becomes NaN.

    Raises
    ------
    ShapeError
        If `values` has other than one or two dimensions.

    Notes
    -----
    NaN policy: omit in mean and deviation; a NaN stays NaN. Cost: O(size).

    Examples
    --------
    >>> standardize([1.0, 3.0])
    array([-1.,  1.])
    """
    return _by_rows(values, lambda rows: _divided(_centred(rows), _deviation(rows)))


def weight_normalize(values: npt.ArrayLike) -> FloatArray:
    """Divide each column by the sum of its absolute values.

    Parameters
    ----------
    values : array-like of shape (n_assets,) or (n_assets, n_models)
        Weights, any unit.

    Returns
    -------
    ndarray of the same shape, dtype=float64
        Gross weight 1; a column of zeros becomes NaN.

    Raises
    ------
    ShapeError
        If `values` has other than one or two dimensions.

    Notes
    -----
    NaN policy: omit in the sum; a NaN stays NaN. Cost: O(size).

    Examples
    --------
    >>> weight_normalize([1.0, -3.0])
    array([ 0.25, -0.75])
    """
    return _by_rows(values, lambda rows: _divided(rows, np.nansum(np.abs(rows), axis=1, keepdims=True)))


def min_max_normalize(values: npt.ArrayLike) -> FloatArray:
    """Map each column linearly on [0, 1].

    Parameters
    ----------
    values : array-like of shape (n_assets,) or (n_assets, n_models)
        Any unit.

    Returns
    -------
    ndarray of the same shape, dtype=float64
        A constant column becomes NaN.

    Raises
    ------
    ShapeError
        If `values` has other than one or two dimensions.

    Notes
    -----
    NaN policy: omit in minimum and maximum; a NaN stays NaN. Cost: O(size).

    Examples
    --------
    >>> min_max_normalize([2.0, 4.0, 3.0])
    array([0. , 1. , 0.5])
    """

    def scaled(rows: FloatArray) -> FloatArray:
        low = np.fmin.reduce(rows, axis=1, keepdims=True)
        return _divided(rows - low, np.fmax.reduce(rows, axis=1, keepdims=True) - low)

    return _by_rows(values, scaled)


def _by_rows(values: npt.ArrayLike, kernel: Callable[[FloatArray], FloatArray]) -> FloatArray:
    array = checks.vector_or_matrix(values, "values")
    if array.size == 0:
        return array.copy()
    if array.ndim == 1:
        row: FloatArray = kernel(array[None, :])[0]
        return row
    result = np.empty((array.shape[1], array.shape[0]))
    for block in model_blocks(*array.shape):
        result[block] = kernel(_rows.as_rows(array[:, block]))
    return result.T


def _ranked(values: npt.ArrayLike, kernel: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Apply a kernel that reads columns where they are: no block needs to be turned into rows first."""
    array = checks.vector_or_matrix(values, "values")
    if array.size == 0:
        return array.copy()
    return kernel(array[None, :])[0] if array.ndim == 1 else kernel(array.T).T


def _mean(rows: FloatArray) -> FloatArray:
    counts = np.count_nonzero(~np.isnan(rows), axis=1, keepdims=True)
    return _divided(np.nansum(rows, axis=1, keepdims=True), counts.astype(np.float64))


def _deviation(rows: FloatArray) -> FloatArray:
    """Find the population standard deviation of each row."""
    deviation: FloatArray = np.sqrt(_mean(_centred(rows) ** 2))
    return deviation


def _centred(rows: FloatArray) -> FloatArray:
    """Subtract the mean of each row; equal values leave exactly 0, whatever their mean rounds to."""
    means = _mean(rows)
    first = np.fmin.reduce(rows, axis=1, keepdims=True)
    equal = first == np.fmax.reduce(rows, axis=1, keepdims=True)
    centred: FloatArray = rows - np.where(equal, first, means)
    return centred


def _divided(rows: FloatArray, divisors: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        quotients: FloatArray = rows / divisors
    return quotients
